//! The waiting list.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use praxis_domain::{Position, scheduling};
use praxis_entity::waitlist_entry;
use sea_orm::ActiveEnum;

use super::{Appointment, AppointmentType};
use crate::{
    allowed,
    clinic::{Facility, VisitKind},
    context::{Ask, change},
    error::{ApiError, Edge, Nullable},
    ids,
    page::{Count, Cursors, Page, PageArguments, connection},
    patients::Patient,
    payload::{Done, UserError},
    scalar::DateTime,
    staff::Practitioner,
    subject::Subject,
};

/// How pressing it is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "waitlist_entry::WaitlistPriority")]
pub(crate) enum WaitlistPriority {
    /// Before all others.
    Urgent,
    /// Before those who can wait.
    Soon,
    /// In turn.
    Routine,
}

/// Where an entry stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "waitlist_entry::WaitlistStatus")]
pub(crate) enum WaitlistStatus {
    /// They wait.
    Waiting,
    /// A time is held for them.
    Offered,
    /// They took it.
    Booked,
    /// They wait no longer.
    Removed,
}

/// Somebody who waits for a time.
pub(crate) struct WaitlistEntry {
    row: waitlist_entry::Model,
    subject: Arc<Subject>,
}

impl WaitlistEntry {
    pub(crate) fn new(row: waitlist_entry::Model) -> Self {
        Self { subject: Subject::new(row.patient_id, praxis_platform::access::Row::of(row.id.0)), row }
    }

    fn position(row: &waitlist_entry::Model) -> Position {
        Position { key: Some(row.created_at), id: row.id.0 }
    }
}

/// Somebody who waits for a time.
#[Object]
impl WaitlistEntry {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// Since when they wait.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Names of the mutations that the viewer may run on the entry as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        allowed::actions(ctx.caller()?, "waitlist_entry", &self.subject, &self.row.status.to_value()).await
    }

    /// Who waits.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async { Ok(ctx.caller()?.loaders().patients.load(self.row.patient_id).await?.map(Patient::new)) }
            .await
            .or_hidden()
    }

    /// For whom; anybody when absent.
    async fn practitioner(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            let Some(id) = self.row.practitioner_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new))
        }
        .await
        .or_hidden()
    }

    /// At which branch; any when absent.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async {
            let Some(id) = self.row.facility_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().facilities.load(id).await?.map(Facility::new))
        }
        .await
        .or_hidden()
    }

    /// For which kind of visit.
    async fn visit_kind(&self, ctx: &Context<'_>) -> Nullable<VisitKind> {
        async {
            let Some(id) = self.row.visit_type_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().visit_types.load(id).await?.map(VisitKind::new))
        }
        .await
        .or_hidden()
    }

    /// How it takes place.
    #[graphql(name = "type")]
    fn modality(&self) -> AppointmentType {
        self.row.modality.into()
    }

    /// Length in minutes.
    fn duration_minutes(&self) -> i32 {
        self.row.duration_minutes
    }

    /// They can come from then on.
    fn earliest(&self) -> DateTime {
        DateTime(self.row.earliest)
    }

    /// Until then.
    fn latest(&self) -> DateTime {
        DateTime(self.row.latest)
    }

    /// How pressing it is.
    fn priority(&self) -> WaitlistPriority {
        self.row.priority.into()
    }

    /// Where it stands.
    fn status(&self) -> WaitlistStatus {
        self.row.status.into()
    }

    /// The visit that is held for them, or that they took. A hold runs out at its `holdExpiresAt`.
    async fn appointment(&self, ctx: &Context<'_>) -> Nullable<Appointment> {
        async {
            let Some(id) = self.row.appointment_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().appointments.load(id).await?.map(Appointment::new))
        }
        .await
        .or_hidden()
    }
}

connection!(
    /// A page of the waiting list.
    WaitlistEntryConnection, WaitlistEntryEdge, WaitlistEntry
);

/// Somebody to put on the waiting list.
#[derive(InputObject)]
pub(crate) struct WaitlistEntryAddInput {
    /// Who waits.
    patient_id: ID,
    /// For whom; anybody when absent.
    practitioner_id: Option<ID>,
    /// At which branch; any when absent.
    facility_id: Option<ID>,
    /// For which kind of visit.
    visit_kind_id: Option<ID>,
    /// How it takes place.
    #[graphql(name = "type")]
    modality: AppointmentType,
    /// Length in minutes, 5 to 480.
    #[graphql(default = 30)]
    duration_minutes: i32,
    /// They can come from then on; from now on when absent.
    earliest: Option<DateTime>,
    /// Until then.
    latest: DateTime,
    /// How pressing it is.
    #[graphql(default_with = "WaitlistPriority::Routine")]
    priority: WaitlistPriority,
}

/// An entry of the waiting list.
#[derive(InputObject)]
pub(crate) struct WaitlistEntryRemoveInput {
    /// The entry.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// An entry to which a time was offered.
#[derive(InputObject)]
pub(crate) struct WaitlistOfferAcceptInput {
    /// The entry.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// An entry to which a time was offered.
#[derive(InputObject)]
pub(crate) struct WaitlistOfferDeclineInput {
    /// The entry.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

macro_rules! waitlist_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The entry as it is now.
                waitlist_entry: Option<WaitlistEntry>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<waitlist_entry::Model>> for $name {
                fn from(done: Done<waitlist_entry::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { waitlist_entry: row.map(WaitlistEntry::new), user_errors }
                }
            }
        )*
    };
}

waitlist_payload! {
    /// The new entry, or why there is none.
    WaitlistEntryAddPayload;
    /// The entry that waits no longer, or why it still does.
    WaitlistEntryRemovePayload;
    /// The entry with the visit that was booked, or why it was not.
    WaitlistOfferAcceptPayload;
    /// The entry that goes on waiting, or why it does not.
    WaitlistOfferDeclinePayload;
}

/// Who waits.
#[derive(Default)]
pub(crate) struct WaitlistQuery;

#[Object]
impl WaitlistQuery {
    /// The waiting list, who has waited longest first.
    async fn waitlist_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "In one of these statuses.")] status: Option<Vec<WaitlistStatus>>,
        #[graphql(desc = "Who wait for this practitioner in particular.")] practitioner_id: Option<ID>,
        #[graphql(desc = "Who wait for this branch in particular.")] facility_id: Option<ID>,
    ) -> Result<WaitlistEntryConnection, ApiError> {
        let op = ctx.read("Query.waitlistEntries")?;
        let filter = scheduling::WaitlistFilter {
            status: status.map(|all| all.into_iter().map(Into::into).collect()),
            practitioner: practitioner_id.as_ref().map(ids::parse).transpose()?,
            facility: facility_id.as_ref().map(ids::parse).transpose()?,
        };
        let cursors = Cursors::of(ctx.caller()?, "Query.waitlistEntries", &format!("{filter:?}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = scheduling::waitlist(op, &filter, &page).await?;
        let op = op.clone();
        let count: Count = Box::new(move |max| {
            let (op, filter) = (op.clone(), filter.clone());
            Box::pin(async move { Ok(scheduling::count_waitlist(&op, &filter, max).await?) })
        });
        let page = Page::new(slice, cursors, WaitlistEntry::position, WaitlistEntry::new);
        Ok(WaitlistEntryConnection::new(page, count))
    }
}

/// Putting people on the waiting list, and what they say to an offer.
#[derive(Default)]
pub(crate) struct WaitlistMutation;

#[Object]
impl WaitlistMutation {
    /// Puts a patient on the waiting list. A time that becomes free is offered to them by itself.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE, LOCKED.
    async fn waitlist_entry_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who waits for what.")] input: WaitlistEntryAddInput,
    ) -> Result<WaitlistEntryAddPayload, ApiError> {
        let new = scheduling::AddToWaitlist {
            patient: ids::parse(&input.patient_id)?,
            practitioner: input.practitioner_id.as_ref().map(ids::parse).transpose()?,
            facility: input.facility_id.as_ref().map(ids::parse).transpose()?,
            visit_type: input.visit_kind_id.as_ref().map(ids::parse).transpose()?,
            modality: input.modality.into(),
            duration_minutes: u32::try_from(input.duration_minutes).unwrap_or(0),
            earliest: input.earliest.map(|at| at.0),
            latest: input.latest.0,
            priority: input.priority.into(),
        };
        let add = async |op: &_| scheduling::add_to_waitlist(op, new).await;
        Ok(change(ctx, "Mutation.waitlistEntryAdd", add).await?.into())
    }

    /// Takes somebody off the waiting list; a time that is held for them is free again.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn waitlist_entry_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entry.")] input: WaitlistEntryRemoveInput,
    ) -> Result<WaitlistEntryRemovePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let remove = async |op: &_| scheduling::remove_from_waitlist(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.waitlistEntryRemove", remove).await?.into())
    }

    /// Takes the time that was offered: the visit is booked.
    ///
    /// Errors: NOT_FOUND, LOCKED (the hold has run out), VERSION_CONFLICT, INVALID_TRANSITION.
    async fn waitlist_offer_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entry.")] input: WaitlistOfferAcceptInput,
    ) -> Result<WaitlistOfferAcceptPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let accept = async |op: &_| scheduling::accept_offer(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.waitlistOfferAccept", accept).await?.into())
    }

    /// Leaves the time that was offered to the next in line, and goes on waiting.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn waitlist_offer_decline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entry.")] input: WaitlistOfferDeclineInput,
    ) -> Result<WaitlistOfferDeclinePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let decline = async |op: &_| scheduling::decline_offer(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.waitlistOfferDecline", decline).await?.into())
    }
}
