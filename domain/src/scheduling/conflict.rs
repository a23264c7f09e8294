//! Time that is taken: what is in the way, and when there is room instead.

use chrono::TimeDelta;
use praxis_entity::{
    facility,
    ids::{AppointmentId, FacilityId},
};
use praxis_platform::Op;

use super::{
    hold::{Resources, taken},
    slots::{Buffers, Hours, Span, free},
};
use crate::{Detail, Result, Violation, ViolationCode, staff};

/// How far ahead free starts are looked for.
const AHEAD: TimeDelta = TimeDelta::days(14);

/// How many appointments and free starts are named.
const NAMED: usize = 5;

/// A visit that is to take place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) resources: Resources,
    pub(super) facility: &'a facility::Model,
    pub(super) span: Span,
    pub(super) buffers: Buffers,
    /// The appointment that is moved, which is not in its own way.
    pub(super) own: Option<AppointmentId>,
}

impl Visit<'_> {
    /// The time that the resources are held, buffers included.
    pub(super) fn held(&self) -> Span {
        self.span.widened(self.buffers)
    }

    /// Refuses when the time is taken.
    pub(super) async fn check_free<M>(&self, op: &Op<M>) -> Result<()> {
        let in_the_way = taken(op, self.resources, self.held(), self.own).await?;
        if in_the_way.is_empty() { Ok(()) } else { Err(self.refused(op, &in_the_way).await?.into()) }
    }

    /// The violation for time that turned out to be taken although nobody was seen in the way.
    pub(super) async fn lost<M>(&self, op: &Op<M>) -> Result<Violation> {
        let in_the_way = taken(op, self.resources, self.held(), self.own).await?;
        self.refused(op, &in_the_way).await
    }

    async fn refused<M>(&self, op: &Op<M>, in_the_way: &[(AppointmentId, Span)]) -> Result<Violation> {
        let mut conflicts: Vec<AppointmentId> = Vec::with_capacity(NAMED);
        for (appointment, _) in in_the_way {
            // One appointment may be in the way twice: with its practitioner and with its room.
            if conflicts.len() < NAMED && !conflicts.contains(appointment) {
                conflicts.push(*appointment);
            }
        }
        let from = self.span.from.max(op.now());
        let within = Span { from, until: from + AHEAD };
        let busy = taken(op, self.resources, within.widened(self.buffers), self.own).await?;
        let busy: Vec<Span> = busy.into_iter().map(|(_, span)| span).collect();
        let hours = hours_of(op, self.resources, self.facility.id)
            .await?
            .unwrap_or_else(|| Hours::office(self.facility.time_zone.parse().unwrap_or(chrono_tz::UTC)));
        let visits = free(&hours, within, self.span.until - self.span.from, self.buffers, &busy);
        let next_free = visits.into_iter().take(NAMED).map(|visit| visit.from).collect();
        Ok(Violation::at(ViolationCode::SchedulingConflict, &["startsAt"], "This time is taken.")
            .with(Detail::Scheduling { conflicts, next_free }))
    }
}

/// The practitioner's hours at the branch, if any are known.
async fn hours_of<M>(op: &Op<M>, resources: Resources, facility: FacilityId) -> Result<Option<Vec<Hours>>> {
    let rules = staff::rules_of(op, &[resources.practitioner]).await?;
    let hours: Vec<Hours> =
        rules.iter().filter(|rule| rule.facility_id == facility).filter_map(Hours::of).collect();
    Ok(Some(hours).filter(|hours| !hours.is_empty()))
}
