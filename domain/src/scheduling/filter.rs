//! Which appointments are wanted, and in which order.

use praxis_entity::{
    appointment::{AppointmentStatus, Column},
    ids::{FacilityId, PatientId, PractitionerId},
};
use praxis_platform::Failure;
use sea_orm::Condition;

use crate::{
    StatusSet, TimeRange,
    page::{Ordering, any_of},
    range::{MAX_FILTER_DEPTH, without},
};

/// Which appointments are wanted; all parts that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct AppointmentFilter {
    /// All of these hold.
    pub and: Vec<AppointmentFilter>,
    /// One of these holds, if there are any.
    pub or: Vec<AppointmentFilter>,
    /// This does not hold.
    pub not: Option<Box<AppointmentFilter>>,
    /// With one of these clinicians.
    pub practitioner: Option<Vec<PractitionerId>>,
    /// Of one of these patients.
    pub patient: Option<Vec<PatientId>>,
    /// At one of these branches.
    pub facility: Option<Vec<FacilityId>>,
    /// In which status.
    pub status: StatusSet<AppointmentStatus>,
    /// When they begin.
    pub starts_at: TimeRange,
}

impl AppointmentFilter {
    /// Whether it tells whose appointments they are.
    pub(super) fn asks_for_patient(&self) -> bool {
        self.patient.is_some()
            || self.and.iter().chain(&self.or).chain(self.not.as_deref()).any(Self::asks_for_patient)
    }

    /// The filter as SQL.
    pub(super) fn condition(&self) -> Result<Condition, Failure> {
        self.compile(MAX_FILTER_DEPTH)
    }

    fn compile(&self, depth: usize) -> Result<Condition, Failure> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Failure::BadInput("the filter is nested too deeply".to_owned()));
        };
        let practitioners = self.practitioner.as_ref().map(|ids| ids.iter().map(|id| id.0).collect());
        let patients = self.patient.as_ref().map(|ids| ids.iter().map(|id| id.0).collect());
        let facilities = self.facility.as_ref().map(|ids| ids.iter().map(|id| id.0).collect());
        let mut all = Condition::all()
            .add_option(practitioners.map(|ids| any_of(Column::PractitionerId, ids)))
            .add_option(patients.map(|ids| any_of(Column::PatientId, ids)))
            .add_option(facilities.map(|ids| any_of(Column::FacilityId, ids)))
            .add(self.status.condition(Column::Status))
            .add(self.starts_at.condition(Column::StartsAt));
        for part in &self.and {
            all = all.add(part.compile(depth)?);
        }
        if !self.or.is_empty() {
            let mut any = Condition::any();
            for part in &self.or {
                any = any.add(part.compile(depth)?);
            }
            all = all.add(any);
        }
        if let Some(part) = &self.not {
            all = all.add(without(part.compile(depth)?));
        }
        Ok(all)
    }
}

/// By which time appointments are ordered; equal times by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppointmentOrder {
    /// When they begin.
    StartsAt,
    /// When they were booked.
    CreatedAt,
    /// When they last changed.
    UpdatedAt,
}

/// An order and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ordered {
    /// By which time.
    pub by: AppointmentOrder,
    /// Latest first.
    pub descending: bool,
}

impl Ordered {
    pub(super) fn ordering(self) -> Ordering<Column> {
        let column = match self.by {
            AppointmentOrder::StartsAt => Column::StartsAt,
            AppointmentOrder::CreatedAt => Column::CreatedAt,
            AppointmentOrder::UpdatedAt => Column::UpdatedAt,
        };
        Ordering { column: Some(column), id: Column::Id, descending: self.descending }
    }
}
