//! Time that is taken: what is in the way, and when there is room instead.

use chrono::TimeDelta;
use praxis_entity::{
    facility,
    ids::{AppointmentId, PractitionerId},
};
use praxis_platform::Op;

use super::{
    exceptions::Exceptions,
    hold::{Resource, lanes, taken},
    slots::{Buffers, Hours, Occupancy, Span, free},
};
use crate::{Detail, Result, Violation, ViolationCode, staff};

/// How far ahead free starts are looked for.
const AHEAD: TimeDelta = TimeDelta::days(14);

/// How many appointments and free starts are named.
const NAMED: usize = 5;

/// A visit that is to take place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) practitioner: PractitionerId,
    pub(super) resources: &'a [Resource],
    pub(super) facility: &'a facility::Model,
    pub(super) span: Span,
    pub(super) buffers: Buffers,
    /// The appointment that is moved, which is not in its own way.
    pub(super) own: Option<AppointmentId>,
    /// Whether the limit of deliberate overbooking may be used.
    pub(super) overbook: bool,
}

impl Visit<'_> {
    /// The time that the resources are held, buffers included.
    pub(super) fn held(&self) -> Span {
        self.span.widened(self.buffers)
    }

    fn ids(&self) -> Vec<uuid::Uuid> {
        self.resources.iter().map(|resource| resource.id).collect()
    }

    /// A free lane of each resource. Refuses when the time is taken.
    pub(super) async fn free_lanes<M>(&self, op: &Op<M>) -> Result<Vec<i32>> {
        let taken = taken(op, &self.ids(), self.held(), self.own).await?;
        match lanes(self.resources, &taken, self.overbook) {
            Ok(lanes) => Ok(lanes),
            Err(in_the_way) => Err(self.refused(op, in_the_way).await?.into()),
        }
    }

    /// The violation for time that turned out to be taken although nobody was seen in the way.
    pub(super) async fn lost<M>(&self, op: &Op<M>) -> Result<Violation> {
        let taken = taken(op, &self.ids(), self.held(), self.own).await?;
        self.refused(op, taken.into_iter().map(|held| held.appointment).collect()).await
    }

    async fn refused<M>(&self, op: &Op<M>, in_the_way: Vec<AppointmentId>) -> Result<Violation> {
        let mut conflicts: Vec<AppointmentId> = Vec::with_capacity(NAMED);
        for appointment in in_the_way {
            // One appointment may be in the way twice: with its practitioner and with its room.
            if conflicts.len() < NAMED && !conflicts.contains(&appointment) {
                conflicts.push(appointment);
            }
        }
        let from = self.span.from.max(op.now());
        let within = Span { from, until: from + AHEAD };
        let taken = taken(op, &self.ids(), within.widened(self.buffers), self.own).await?;
        let occupied: Vec<Occupancy> =
            self.resources.iter().map(|resource| Occupancy::of(resource, &taken)).collect();
        let exceptions = Exceptions::within(op, &[self.facility.id], within).await?;
        let mut hours = self.hours(op).await?;
        hours.extend(exceptions.extra(self.facility.id, self.practitioner));
        if hours.is_empty() {
            hours = Hours::office(self.facility.time_zone.parse().unwrap_or(chrono_tz::UTC));
        }
        let closed = exceptions.closed(self.facility.id, &self.ids());
        let visits = free(&hours, within, self.span.until - self.span.from, self.buffers, &occupied, &closed);
        let next_free = visits.into_iter().take(NAMED).map(|visit| visit.from).collect();
        Ok(Violation::at(ViolationCode::SchedulingConflict, &["startsAt"], "This time is taken.")
            .with(Detail::Scheduling { conflicts, next_free }))
    }

    /// The practitioner's hours at the branch.
    async fn hours<M>(&self, op: &Op<M>) -> Result<Vec<Hours>> {
        let rules = staff::rules_of(op, &[self.practitioner]).await?;
        Ok(rules.iter().filter(|rule| rule.facility_id == self.facility.id).filter_map(Hours::of).collect())
    }
}
