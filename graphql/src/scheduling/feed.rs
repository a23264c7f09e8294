//! The address of a practitioner's calendar.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::{Error, scheduling};
use praxis_entity::ids::PractitionerId;
use praxis_platform::{Op, Write, client::ClientSecret};

use crate::{context::change, error::ApiError, idempotency::Replay, ids, payload::UserError};

/// Whose calendar gets an address.
#[derive(InputObject)]
pub(crate) struct CalendarFeedCreateInput {
    /// The practitioner.
    practitioner_id: ID,
}

/// The address of the calendar, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct CalendarFeedCreatePayload {
    /// Where the calendar is read, from the clinic's host on: `/calendar/….ics`. Told this once; absent when an
    /// idempotent mutation is repeated.
    path: Option<String>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Whose calendar loses its address.
#[derive(InputObject)]
pub(crate) struct CalendarFeedRevokeInput {
    /// The practitioner.
    practitioner_id: ID,
}

/// Whether the address is good no longer.
#[derive(SimpleObject)]
pub(crate) struct CalendarFeedRevokePayload {
    /// True when it is good no longer.
    revoked: bool,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// The secret of an address, when it was made just now.
struct Told(Option<ClientSecret>);

impl Replay for Told {
    type Outcome = ();

    fn outcome(&self) {}

    /// The secret is not there to be told again.
    async fn recall(_: &Op<Write>, (): ()) -> Result<Option<Self>, Error> {
        Ok(Some(Self(None)))
    }
}

/// Giving a calendar an address and taking it back.
#[derive(Default)]
pub(crate) struct FeedMutation;

#[Object]
impl FeedMutation {
    /// Makes a secret address under which calendar programs read when the practitioner sees patients, but not whom
    /// or why. The address before is good no longer. One's own, or anybody's for whoever manages schedules.
    ///
    /// Errors: NOT_FOUND.
    async fn calendar_feed_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose calendar.")] input: CalendarFeedCreateInput,
    ) -> Result<CalendarFeedCreatePayload, ApiError> {
        let practitioner: PractitionerId = ids::parse(&input.practitioner_id)?;
        let create = async |op: &Op<Write>| {
            scheduling::create_feed(op, practitioner).await.map(|secret| Told(Some(secret)))
        };
        let (told, user_errors) = change(ctx, "Mutation.calendarFeedCreate", create).await?.split();
        let secret = told.and_then(|Told(secret)| secret);
        let path = secret.map(|secret| format!("/calendar/{}.ics", secret.as_str()));
        Ok(CalendarFeedCreatePayload { path, user_errors })
    }

    /// Takes the address of a calendar back.
    ///
    /// Errors: NOT_FOUND.
    async fn calendar_feed_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose calendar.")] input: CalendarFeedRevokeInput,
    ) -> Result<CalendarFeedRevokePayload, ApiError> {
        let practitioner: PractitionerId = ids::parse(&input.practitioner_id)?;
        let revoke = async |op: &Op<Write>| scheduling::revoke_feed(op, practitioner).await;
        let (done, user_errors) = change(ctx, "Mutation.calendarFeedRevoke", revoke).await?.split();
        Ok(CalendarFeedRevokePayload { revoked: done.is_some(), user_errors })
    }
}
