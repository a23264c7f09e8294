//! The clinician.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use praxis_domain::Position;
use praxis_entity::{availability_rule, practitioner};

use crate::{
    clinic::Facility,
    context::Ask,
    error::{Edge, Nullable},
    ids,
    page::connection,
    policy::at,
    redaction,
    scalar::{Date, DateTime, LocalTime, TimeZone},
};

/// A clinician of the clinic.
pub(crate) struct Practitioner {
    /// Many rows of an answer may be of the same one.
    row: Arc<practitioner::Model>,
}

impl Practitioner {
    pub(crate) fn new(row: impl Into<Arc<practitioner::Model>>) -> Self {
        Self { row: row.into() }
    }

    pub(crate) fn position(row: &practitioner::Model) -> Position {
        Position { key: None, id: row.id.0 }
    }
}

/// A clinician of the clinic.
#[Object]
impl Practitioner {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When the record was made.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When the record last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// The name ready to show.
    fn display_name(&self) -> String {
        self.row.display_name()
    }

    /// Family name.
    fn family(&self) -> &str {
        &self.row.family
    }

    /// Given names.
    fn given(&self) -> &[String] {
        &self.row.given
    }

    /// Title.
    fn prefix(&self) -> Option<&str> {
        self.row.prefix.as_deref()
    }

    /// Specialty, in words.
    async fn specialty(&self, ctx: &Context<'_>) -> Nullable<String> {
        async {
            let Some(id) = self.row.specialty_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().specialties.load(id).await?.map(|specialty| specialty.display))
        }
        .await
        .or_hidden()
    }

    /// False once they have left.
    fn active(&self) -> bool {
        self.row.active
    }

    /// True when patients can be booked with them.
    fn bookable(&self) -> bool {
        self.row.bookable
    }

    /// How many visits may be with them at once.
    fn capacity(&self) -> i32 {
        self.row.capacity
    }

    /// How many more on purpose.
    fn overbook_limit(&self) -> i32 {
        self.row.overbook_limit
    }

    /// When they see patients, week by week.
    async fn availability(&self, ctx: &Context<'_>) -> Nullable<Vec<AvailabilityRule>> {
        async {
            if !redaction::open(ctx, at!("Practitioner.availability"))? {
                return Ok(None);
            }
            let rules = ctx.caller()?.loaders().availability.load(self.row.id).await?.unwrap_or_default();
            Ok(Some(rules.into_iter().map(|row| AvailabilityRule { row }).collect()))
        }
        .await
        .transpose()
    }
}

connection!(
    /// A page of clinicians.
    PractitionerConnection, PractitionerEdge, Practitioner
);

/// A day of the week.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// The day.
    pub(crate) fn day(self) -> chrono::Weekday {
        match self {
            Self::Monday => chrono::Weekday::Mon,
            Self::Tuesday => chrono::Weekday::Tue,
            Self::Wednesday => chrono::Weekday::Wed,
            Self::Thursday => chrono::Weekday::Thu,
            Self::Friday => chrono::Weekday::Fri,
            Self::Saturday => chrono::Weekday::Sat,
            Self::Sunday => chrono::Weekday::Sun,
        }
    }

    /// ISO number, 1 is Monday.
    pub(crate) fn number(self) -> u8 {
        self as u8 + 1
    }
}

/// Hours of one day of the week, in local time.
pub(crate) struct AvailabilityRule {
    row: availability_rule::Model,
}

/// Hours of one day of the week, in local time.
#[Object]
impl AvailabilityRule {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// At which branch.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async { Ok(ctx.caller()?.loaders().facilities.load(self.row.facility_id).await?.map(Facility::new)) }
            .await
            .or_hidden()
    }

    /// Day of the week.
    fn weekday(&self) -> Option<Weekday> {
        Weekday::ALL.into_iter().find(|day| i16::from(day.number()) == self.row.weekday)
    }

    /// First minute, wall clock.
    fn starts_local(&self) -> LocalTime {
        LocalTime(self.row.starts_local)
    }

    /// End, wall clock.
    fn ends_local(&self) -> LocalTime {
        LocalTime(self.row.ends_local)
    }

    /// Zone of the wall clock.
    fn time_zone(&self) -> TimeZone {
        TimeZone(self.row.time_zone.clone())
    }

    /// First day.
    fn valid_from(&self) -> Date {
        Date(self.row.valid_from)
    }

    /// Last day.
    fn valid_until(&self) -> Option<Date> {
        self.row.valid_until.map(Date)
    }
}
