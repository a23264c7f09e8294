//! Booking a series.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    appointment,
    appointment_series::{self, SeriesStatus},
    ids::AppointmentSeriesId,
};
use praxis_platform::{Op, Write, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{
    Error, Result, Violation, ViolationCode,
    scheduling::{
        reserve::{BookAppointment, Prepared, Terms},
        rule::{MOST, Recurrence},
        tell,
    },
};

/// How many starts that are taken are told of at once.
const TOLD: usize = 10;

/// A series to book.
#[derive(Debug, Clone)]
pub struct BookSeries {
    /// The first visit.
    pub visit: BookAppointment,
    /// When it recurs, by RFC 5545.
    pub rule: String,
    /// Leaves out starts that are taken, instead of booking none.
    pub skip_taken: bool,
}

/// Books a series. Each start that is taken is reported.
pub async fn book_series(op: &Op<Write>, new: BookSeries) -> Result<appointment_series::Model> {
    begin(op, new, None).await
}

/// Books a series, perhaps in place of another.
pub(super) async fn begin(
    op: &Op<Write>,
    new: BookSeries,
    replaces: Option<AppointmentSeriesId>,
) -> Result<appointment_series::Model> {
    let recurrence: Recurrence =
        new.rule.parse().map_err(|reason: crate::scheduling::rule::Unreadable| {
            Violation::at(ViolationCode::Invalid, &["rule"], reason.to_string())
        })?;
    let (patient, practitioner) = (new.visit.patient, new.visit.practitioner);
    let prepared = Prepared::of(op, new.visit).await?;
    let first = prepared.span().from;
    let zone: chrono_tz::Tz = prepared.facility.time_zone.parse().unwrap_or(chrono_tz::UTC);
    let starts_local = first.with_timezone(&zone).naive_local();
    let starts = recurrence.starts(starts_local, zone, op.now() + TimeDelta::days(731));
    if starts.first() != Some(&first) {
        let message = "The rule does not begin with the first visit.";
        return Err(Violation::at(ViolationCode::Invalid, &["rule"], message).into());
    }
    if starts.len() > MOST {
        let message = "A series has 104 visits at the most.";
        return Err(Violation::at(ViolationCode::OutOfRange, &["rule"], message).into());
    }

    let id = AppointmentSeriesId(op.new_id());
    let row = appointment_series::ActiveModel {
        id: Set(id),
        patient_id: Set(patient),
        practitioner_id: Set(practitioner),
        facility_id: Set(prepared.facility.id),
        rule: Set(new.rule),
        starts_local: Set(starts_local),
        time_zone: Set(prepared.facility.time_zone.clone()),
        status: Set(SeriesStatus::Active),
        replaces: Set(replaces),
        booked_by: Set(op.actor().user.map(|user| user.0)),
        ..Default::default()
    };
    appointment_series::Entity::insert(row).exec_without_returning(op.db()).await?;
    let (booked, skipped) = take(op, &prepared, id, &starts, new.skip_taken).await?;
    let Some(series) = finish(op, id, skipped).await? else {
        return Err(praxis_platform::Failure::NotFound.into());
    };
    op.record(
        Entry::done("appointment-series.book").on("AppointmentSeries", id.0, series.version).of(patient.0),
    );
    for visit in &booked {
        op.record(Entry::done("appointment.book").on("Appointment", visit.id.0, visit.version).of(patient.0));
        tell::booked(op, visit, prepared.kind.as_ref()).await?;
    }
    Ok(series)
}

/// Takes all starts, or says which are taken.
async fn take(
    op: &Op<Write>,
    prepared: &Prepared,
    series: AppointmentSeriesId,
    starts: &[DateTime<Utc>],
    skip_taken: bool,
) -> Result<(Vec<appointment::Model>, Vec<DateTime<Utc>>)> {
    let terms = Terms { series: Some(series), ..Terms::default() };
    let (mut booked, mut skipped, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (number, start) in starts.iter().enumerate() {
        let span = prepared.at(*start);
        match prepared.lanes(op, span).await {
            Ok(lanes) => booked.push(prepared.take_lanes(op, span, &lanes, terms).await?),
            Err(Error::Violated(_)) if skip_taken => skipped.push(*start),
            Err(Error::Violated(violations)) => {
                let path = vec!["occurrences".to_owned(), number.to_string()];
                refused.extend(violations.into_iter().map(|one| Violation { path: path.clone(), ..one }));
                if refused.len() >= TOLD {
                    break;
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    if !refused.is_empty() {
        return Err(Error::Violated(refused));
    }
    if booked.is_empty() {
        let message = "Every time of this series is taken.";
        return Err(Violation::at(ViolationCode::SchedulingConflict, &["rule"], message).into());
    }
    Ok((booked, skipped))
}

async fn finish(
    op: &Op<Write>,
    id: AppointmentSeriesId,
    skipped: Vec<DateTime<Utc>>,
) -> Result<Option<appointment_series::Model>> {
    if skipped.is_empty() {
        return Ok(appointment_series::Entity::find_by_id(id).one(op.db()).await?);
    }
    let change = appointment_series::ActiveModel { id: Set(id), skipped: Set(skipped), ..Default::default() };
    Ok(Some(appointment_series::Entity::update(change).exec(op.db()).await?))
}
