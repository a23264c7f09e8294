//! Visits that recur.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use praxis_domain::scheduling;
use praxis_entity::appointment_series;
use sea_orm::ActiveEnum;

use super::{Appointment, inputs::AppointmentBookInput};
use crate::{
    allowed,
    clinic::Facility,
    context::{Ask, change},
    error::{ApiError, Edge, Nullable},
    ids,
    patients::Patient,
    payload::{Done, UserError},
    scalar::{DateTime, TimeZone},
    staff::Practitioner,
    subject::Subject,
};

/// Where a series stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "appointment_series::SeriesStatus")]
pub(crate) enum AppointmentSeriesStatus {
    /// Its visits take place.
    Active,
    /// Those to come were called off.
    Cancelled,
    /// Another series took over.
    Replaced,
}

/// Visits that recur.
pub(crate) struct AppointmentSeries {
    row: appointment_series::Model,
    subject: Arc<Subject>,
}

impl AppointmentSeries {
    pub(crate) fn new(row: appointment_series::Model) -> Self {
        Self { subject: Subject::new(row.patient_id, &row), row }
    }
}

/// Visits that recur.
#[Object]
impl AppointmentSeries {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was booked.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Names of the mutations that the viewer may run on the series as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        allowed::actions(ctx.caller()?, "appointment_series", &self.subject, &self.row.status.to_value())
            .await
    }

    /// Who comes.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async { Ok(ctx.caller()?.loaders().patients.load(self.row.patient_id).await?.map(Patient::new)) }
            .await
            .or_hidden()
    }

    /// Whom they see.
    async fn practitioner(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        let id = self.row.practitioner_id;
        async { Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new)) }
            .await
            .or_hidden()
    }

    /// At which branch.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async { Ok(ctx.caller()?.loaders().facilities.load(self.row.facility_id).await?.map(Facility::new)) }
            .await
            .or_hidden()
    }

    /// When it recurs: RFC 5545, on the wall clock of `timeZone`.
    fn rule(&self) -> &str {
        &self.row.rule
    }

    /// Zone of the wall clock.
    fn time_zone(&self) -> TimeZone {
        TimeZone(self.row.time_zone.clone())
    }

    /// Where it stands.
    fn status(&self) -> AppointmentSeriesStatus {
        self.row.status.into()
    }

    /// The series that it took over from.
    async fn replaces(&self, ctx: &Context<'_>) -> Nullable<AppointmentSeries> {
        async {
            let Some(id) = self.row.replaces else { return Ok(None) };
            Ok(ctx.caller()?.loaders().series.load(id).await?.map(Self::new))
        }
        .await
        .or_hidden()
    }

    /// Its visits, earliest first; those that were called off as well.
    async fn appointments(&self, ctx: &Context<'_>) -> Result<Vec<Appointment>, ApiError> {
        let rows = ctx.caller()?.loaders().appointments_of_series.load(self.row.id).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Appointment::new).collect())
    }

    /// Starts that the rule names and that were taken when it was booked.
    fn skipped(&self) -> Vec<DateTime> {
        self.row.skipped.iter().copied().map(DateTime).collect()
    }
}

/// What happens to a series of which some starts are taken.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnConflict {
    /// None is booked, and each start that is taken is reported.
    Refuse,
    /// The others are booked, and `skipped` says which are missing.
    Skip,
}

/// A series to book.
#[derive(InputObject)]
pub(crate) struct AppointmentSeriesBookInput {
    /// The first visit.
    first: AppointmentBookInput,
    /// When it recurs: RFC 5545 with FREQ of DAILY, WEEKLY or MONTHLY, INTERVAL, BYDAY, BYMONTHDAY, and COUNT or UNTIL. 104 visits at the most.
    rule: String,
    /// What happens when some starts are taken.
    #[graphql(default_with = "OnConflict::Refuse")]
    on_conflict: OnConflict,
}

/// What is left of a series is called off.
#[derive(InputObject)]
pub(crate) struct AppointmentSeriesCancelInput {
    /// The series.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// Visits from then on; from now on when absent.
    from: Option<DateTime>,
    /// Why, from HL7's appointment-cancellation-reason.
    code: Option<String>,
    /// Why, in words.
    reason: Option<String>,
}

/// What takes the place of what is left of a series.
#[derive(InputObject)]
pub(crate) struct AppointmentSeriesReplaceInput {
    /// The series.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// First start of the new series.
    starts_at: DateTime,
    /// When it recurs, as in appointmentSeriesBook.
    rule: String,
    /// Length in minutes; as before when absent.
    duration_minutes: Option<i32>,
    /// Another practitioner; as before when absent.
    practitioner_id: Option<ID>,
    /// What happens when some starts are taken.
    #[graphql(default_with = "OnConflict::Refuse")]
    on_conflict: OnConflict,
}

macro_rules! series_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The series as it is now.
                series: Option<AppointmentSeries>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<appointment_series::Model>> for $name {
                fn from(done: Done<appointment_series::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { series: row.map(AppointmentSeries::new), user_errors }
                }
            }
        )*
    };
}

series_payload! {
    /// The booked series, or which of its starts are taken.
    AppointmentSeriesBookPayload;
    /// The series that has ended, or why it has not.
    AppointmentSeriesCancelPayload;
    /// The new series, or why there is none.
    AppointmentSeriesReplacePayload;
}

/// Finding series.
#[derive(Default)]
pub(crate) struct SeriesQuery;

#[Object]
impl SeriesQuery {
    /// Visits that recur.
    async fn appointment_series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the series.")] id: ID,
    ) -> Nullable<AppointmentSeries> {
        async {
            ctx.read("Query.appointmentSeries")?;
            Ok(ctx.caller()?.loaders().series.load(ids::parse(&id)?).await?.map(AppointmentSeries::new))
        }
        .await
        .transpose()
    }
}

/// Booking and ending series.
#[derive(Default)]
pub(crate) struct SeriesMutation;

#[Object]
impl SeriesMutation {
    /// Books visits that recur at the same time of day, whatever the clock does.
    ///
    /// Needs an idempotency key. Errors: those of appointmentBook, SCHEDULING_CONFLICT for each start that is taken, INVALID and OUT_OF_RANGE for the rule.
    async fn appointment_series_book(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The series.")] input: AppointmentSeriesBookInput,
    ) -> Result<AppointmentSeriesBookPayload, ApiError> {
        let new = scheduling::BookSeries {
            visit: input.first.try_into()?,
            rule: input.rule,
            skip_taken: input.on_conflict == OnConflict::Skip,
        };
        let book = async |op: &_| scheduling::book_series(op, new).await;
        Ok(change(ctx, "Mutation.appointmentSeriesBook", book).await?.into())
    }

    /// Calls off what is left of a series. Visits that were stay as they are.
    ///
    /// Errors: NOT_FOUND, INVALID, TOO_LONG, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn appointment_series_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The series and why.")] input: AppointmentSeriesCancelInput,
    ) -> Result<AppointmentSeriesCancelPayload, ApiError> {
        let (id, version, from) = (ids::parse(&input.id)?, input.if_version, input.from.map(|from| from.0));
        let why = scheduling::CancelReason { code: input.code, text: input.reason };
        let cancel = async |op: &_| scheduling::cancel_series(op, id, version, from, why).await;
        Ok(change(ctx, "Mutation.appointmentSeriesCancel", cancel).await?.into())
    }

    /// Puts another series in place of what is left of one. Visits that were stay as they are.
    ///
    /// Errors: those of appointmentSeriesBook, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn appointment_series_replace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The series and what takes its place.")] input: AppointmentSeriesReplaceInput,
    ) -> Result<AppointmentSeriesReplacePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let to = scheduling::ReplaceSeries {
            starts_at: input.starts_at.0,
            rule: input.rule,
            duration_minutes: input.duration_minutes.map(|minutes| u32::try_from(minutes).unwrap_or(0)),
            practitioner: input.practitioner_id.as_ref().map(ids::parse).transpose()?,
            skip_taken: input.on_conflict == OnConflict::Skip,
        };
        let replace = async |op: &_| scheduling::replace_series(op, id, version, to).await;
        Ok(change(ctx, "Mutation.appointmentSeriesReplace", replace).await?.into())
    }
}
