//! Which appointments are wanted, and in which order.

use praxis_entity::{
    appointment::{AppointmentStatus, Column},
    ids::{FacilityId, PatientId, PractitionerId},
};
use sea_orm::Condition;

use crate::{
    StatusSet, TimeRange,
    page::{Ordering, any_of},
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
    pub(super) fn condition(&self) -> Condition {
        let mut all = Condition::all()
            .add_option(self.practitioner.as_ref().map(|ids| any_of(Column::PractitionerId, ids.iter().map(|id| id.0).collect())))
            .add_option(self.patient.as_ref().map(|ids| any_of(Column::PatientId, ids.iter().map(|id| id.0).collect())))
            .add_option(self.facility.as_ref().map(|ids| any_of(Column::FacilityId, ids.iter().map(|id| id.0).collect())))
            .add(self.status.condition(Column::Status))
            .add(self.starts_at.condition(Column::StartsAt));
        for part in &self.and {
            all = all.add(part.condition());
        }
        if !self.or.is_empty() {
            all = all.add(self.or.iter().fold(Condition::any(), |any, part| any.add(part.condition())));
        }
        // An empty filter holds for everything, so its opposite holds for nothing.
        all.add_option(self.not.as_ref().map(|part| match part.condition() {
            empty if empty.is_empty() => Condition::all().add(sea_orm::sea_query::Expr::value(false)),
            condition => condition.not(),
        }))
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
