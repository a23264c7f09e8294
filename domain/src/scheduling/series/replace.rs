//! Changing a series: what is left of it is called off, and another one takes over.

use chrono::{DateTime, Utc};
use praxis_entity::{
    appointment, appointment_series,
    ids::{AppointmentSeriesId, PractitionerId},
    value::AppointmentNote,
};
use praxis_platform::{Op, Write, access::Permission};

use super::{
    book::{BookSeries, begin},
    cancel::{ahead, end, locked},
    read::at_version,
};
use crate::{
    Result, Violation, ViolationCode,
    scheduling::{
        cancel,
        hold::{self, Resources},
        reserve::BookAppointment,
    },
};

/// What the new series has other than the old one.
#[derive(Debug, Clone)]
pub struct ReplaceSeries {
    /// First start of the new series.
    pub starts_at: DateTime<Utc>,
    /// When it recurs, by RFC 5545.
    pub rule: String,
    /// Length without buffers; as before when absent.
    pub duration_minutes: Option<u32>,
    /// Whom the patient sees; as before when absent.
    pub practitioner: Option<PractitionerId>,
    /// Leaves out starts that are taken, instead of changing nothing.
    pub skip_taken: bool,
}

/// Puts another series in place of the visits to come. Those that were stay as they were.
pub async fn replace_series(
    op: &Op<Write>,
    id: AppointmentSeriesId,
    if_version: i32,
    to: ReplaceSeries,
) -> Result<appointment_series::Model> {
    op.require(Permission::APPOINTMENT_RESCHEDULE)?;
    let action = "appointmentSeriesReplace";
    let (series, ended) =
        at_version(op, Permission::APPOINTMENT_RESCHEDULE, action, (id, if_version)).await?;
    let Some(pattern) = ahead(op, id, op.now()).one(op.db()).await? else {
        let message = "No visit of this series is left to be changed.";
        return Err(Violation::at(ViolationCode::Locked, &["id"], message).into());
    };
    let visit = like(op, &pattern, &to).await?;
    // Resources before appointments, as everybody does who needs both.
    let devices = visit.devices.clone();
    hold::lock(op, &Resources { practitioner: visit.practitioner, room: visit.room, devices }).await?;
    for visit in locked(op, Permission::APPOINTMENT_RESCHEDULE, id, op.now()).await? {
        cancel::strike(op, visit, None, None).await?;
    }
    end(op, &series, ended, "appointment-series.replace").await?;
    begin(op, BookSeries { visit, rule: to.rule, skip_taken: to.skip_taken }, Some(id)).await
}

async fn like(op: &Op<Write>, visit: &appointment::Model, to: &ReplaceSeries) -> Result<BookAppointment> {
    let resources = hold::of(op, visit).await?;
    let minutes = u32::try_from((visit.ends_at - visit.starts_at).num_minutes()).unwrap_or(0);
    let reason = match &visit.note {
        Some(note) => {
            let key = op.data_key(visit.patient_id.0).await?;
            let place = op.place("appointment", visit.id.0, visit.patient_id.0);
            let AppointmentNote { reason, .. } = op.open_unseen(&key, &place, note).await?;
            reason
        }
        None => None,
    };
    Ok(BookAppointment {
        patient: visit.patient_id,
        practitioner: to.practitioner.unwrap_or(visit.practitioner_id),
        facility: Some(visit.facility_id),
        room: visit.room_id,
        devices: resources.devices,
        visit_type: visit.visit_type_id,
        modality: visit.modality,
        starts_at: to.starts_at,
        duration_minutes: to.duration_minutes.unwrap_or(minutes),
        reason,
        overbook: false,
    })
}
