//! Free time, and which of it suits a patient best.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use praxis_domain::scheduling;

use crate::{
    clinic::{Device, Facility, Room},
    context::{Ask, Caller},
    error::ApiError,
    ids,
    scalar::{DateTime, LocalTime},
    staff::{Practitioner, Weekday},
};

/// A time that can be booked.
#[derive(SimpleObject)]
pub(crate) struct Slot {
    /// Start.
    starts_at: DateTime,
    /// End.
    ends_at: DateTime,
    /// With whom.
    practitioner: Option<Practitioner>,
    /// At which branch.
    facility: Option<Facility>,
    /// In which room, where one is needed.
    room: Option<Room>,
    /// With which devices, where some are needed.
    devices: Vec<Device>,
}

impl Slot {
    async fn of(caller: &Caller, slot: scheduling::Slot) -> Result<Self, ApiError> {
        let loaders = caller.loaders();
        let room = match slot.room {
            Some(room) => loaders.rooms.load(room).await?.map(Room::new),
            None => None,
        };
        Ok(Self {
            starts_at: DateTime(slot.starts_at),
            ends_at: DateTime(slot.ends_at),
            practitioner: loaders.practitioners.load(slot.practitioner).await?.map(Practitioner::new),
            facility: loaders.facilities.load(slot.facility).await?.map(Facility::new),
            room,
            devices: loaders.devices.load_many(&slot.devices).await?.into_iter().map(Device::new).collect(),
        })
    }

    /// The slots as the API shows them; what they refer to is loaded together.
    async fn all(caller: &Caller, slots: Vec<scheduling::Slot>) -> Result<Vec<Self>, ApiError> {
        futures::future::try_join_all(slots.into_iter().map(|slot| Self::of(caller, slot))).await
    }
}

/// What speaks for a slot.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "scheduling::SuggestionReason")]
pub(crate) enum SlotSuggestionReason {
    /// The patient was with this clinician before.
    SamePractitioner,
    /// The clinician is in the patient's care team.
    CareTeam,
    /// It is on a day that the patient likes.
    PreferredDay,
    /// It is at a time that the patient likes.
    PreferredTime,
    /// It is at the branch that the patient likes, or where they were last.
    NearbyFacility,
    /// It is within a week of the earliest there is.
    Soon,
}

/// A slot, and what speaks for it.
#[derive(SimpleObject)]
pub(crate) struct SlotSuggestion {
    /// The slot.
    slot: Slot,
    /// What speaks for it.
    reasons: Vec<SlotSuggestionReason>,
    /// The sum of its points; the higher, the better.
    score: i32,
}

/// Where free time is looked for.
#[derive(InputObject)]
pub(crate) struct SlotSearch {
    /// With one of them, 50 at the most; with anybody who can be booked when absent.
    #[graphql(default)]
    practitioner_ids: Vec<ID>,
    /// At which branch; anywhere when absent.
    facility_id: Option<ID>,
    /// The kind of visit: its buffers, lead time, room and devices count.
    visit_kind_id: Option<ID>,
    /// Whether a room is needed besides what the kind of visit needs.
    #[graphql(default)]
    needs_room: bool,
    /// Kinds of device that are needed besides what the kind of visit needs.
    #[graphql(default)]
    device_kinds: Vec<String>,
    /// Not before this.
    from: DateTime,
    /// Not after this; 60 days later at the most.
    until: DateTime,
    /// Length in minutes; that of the kind of visit, or 30, when absent.
    duration_minutes: Option<i32>,
}

impl TryFrom<SlotSearch> for scheduling::FindSlots {
    type Error = ApiError;

    fn try_from(search: SlotSearch) -> Result<Self, ApiError> {
        Ok(Self {
            practitioners: ids::parse_all(&search.practitioner_ids)?,
            facility: search.facility_id.as_ref().map(ids::parse).transpose()?,
            visit_type: search.visit_kind_id.as_ref().map(ids::parse).transpose()?,
            needs_room: search.needs_room,
            // Postgres holds no NUL, so no kind has one.
            device_kinds: search.device_kinds.into_iter().map(|kind| kind.replace('\0', "")).collect(),
            from: search.from.0,
            until: search.until.0,
            duration_minutes: search.duration_minutes.map(|minutes| u32::try_from(minutes).unwrap_or(0)),
        })
    }
}

/// What a patient would like.
#[derive(InputObject)]
pub(crate) struct SlotPreferences {
    /// On one of these days of the week.
    #[graphql(default)]
    weekdays: Vec<Weekday>,
    /// Not before this, wall clock of the branch.
    from_local: Option<LocalTime>,
    /// Over by then, wall clock of the branch.
    until_local: Option<LocalTime>,
    /// At this branch.
    facility_id: Option<ID>,
}

/// Finding free time.
#[derive(Default)]
pub(crate) struct SlotQuery;

#[Object]
impl SlotQuery {
    /// Times at which a practitioner can be booked, from their availability less what is booked.
    async fn free_slots(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "With whom.")] practitioner_id: ID,
        #[graphql(desc = "Not before this.")] from: DateTime,
        #[graphql(desc = "Not after this; 60 days later at the most.")] until: DateTime,
        #[graphql(desc = "Length in minutes.", default = 30)] duration_minutes: i32,
        #[graphql(desc = "At which branch.")] facility_id: Option<ID>,
        #[graphql(desc = "The kind of visit: its buffers, lead time, room and devices count.")]
        visit_kind_id: Option<ID>,
        #[graphql(desc = "How many at the most, 1 to 100.", default = 100)] limit: i32,
    ) -> Result<Vec<Slot>, ApiError> {
        let op = ctx.read("Query.freeSlots")?;
        let wanted = scheduling::FindSlots {
            practitioners: vec![ids::parse(&practitioner_id)?],
            facility: facility_id.as_ref().map(ids::parse).transpose()?,
            visit_type: visit_kind_id.as_ref().map(ids::parse).transpose()?,
            needs_room: false,
            device_kinds: Vec::new(),
            from: from.0,
            until: until.0,
            duration_minutes: Some(u32::try_from(duration_minutes).unwrap_or(0)),
        };
        Slot::all(ctx.caller()?, scheduling::find_slots(op, wanted, at_most(limit)).await?).await
    }

    /// Times at which practitioner, room and devices are free at once, earliest first.
    async fn slots(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where free time is looked for.")] search: SlotSearch,
        #[graphql(desc = "How many at the most, 1 to 100.", default = 25)] limit: i32,
    ) -> Result<Vec<Slot>, ApiError> {
        let op = ctx.read("Query.slots")?;
        Slot::all(ctx.caller()?, scheduling::find_slots(op, search.try_into()?, at_most(limit)).await?).await
    }

    /// The free times that suit a patient best, best first, each with what speaks for it.
    async fn slot_suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who comes.")] patient_id: ID,
        #[graphql(desc = "Where free time is looked for.")] search: SlotSearch,
        #[graphql(desc = "What the patient would like.")] preferences: Option<SlotPreferences>,
        #[graphql(desc = "How many at the most, 1 to 20.", default = 5)] limit: i32,
    ) -> Result<Vec<SlotSuggestion>, ApiError> {
        let op = ctx.read("Query.slotSuggestions")?;
        let wishes = match preferences {
            Some(wishes) => scheduling::Preferences {
                weekdays: wishes.weekdays.into_iter().map(Weekday::day).collect(),
                from: wishes.from_local.map(|time| time.0),
                until: wishes.until_local.map(|time| time.0),
                facility: wishes.facility_id.as_ref().map(ids::parse).transpose()?,
            },
            None => scheduling::Preferences::default(),
        };
        let (patient, most) = (ids::parse(&patient_id)?, at_most(limit.min(20)));
        let found = scheduling::suggest(op, patient, search.try_into()?, &wishes, most).await?;
        let caller = ctx.caller()?;
        let shown = found.into_iter().map(|one| async move {
            Ok::<_, ApiError>(SlotSuggestion {
                slot: Slot::of(caller, one.slot).await?,
                reasons: one.reasons.into_iter().map(Into::into).collect(),
                score: i32::try_from(one.score).unwrap_or(i32::MAX),
            })
        });
        futures::future::try_join_all(shown).await
    }
}

fn at_most(limit: i32) -> usize {
    usize::try_from(limit.clamp(1, 100)).unwrap_or(100)
}
