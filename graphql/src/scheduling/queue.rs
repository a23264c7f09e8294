//! Walk-in queues.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use praxis_domain::scheduling::{self, QueueStep};
use praxis_entity::queue_token;
use sea_orm::ActiveEnum;

use crate::{
    allowed,
    clinic::Facility,
    context::{Ask, change},
    error::{ApiError, Edge, Nullable},
    ids,
    patients::Patient,
    payload::{Done, UserError},
    scalar::{Date, DateTime},
};

/// Where a token stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "queue_token::QueueStatus")]
pub(crate) enum QueueStatus {
    /// Its holder waits.
    Waiting,
    /// Its number was called.
    Called,
    /// Its holder was seen to.
    Served,
    /// Nobody came; it may be called again.
    Skipped,
}

/// A place in a walk-in queue.
pub(crate) struct QueueToken {
    row: queue_token::Model,
}

impl QueueToken {
    pub(crate) fn new(row: queue_token::Model) -> Self {
        Self { row }
    }
}

/// A place in a walk-in queue.
#[Object]
impl QueueToken {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was given out.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Names of the mutations that the viewer may run on the token as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let caller = ctx.caller()?;
        let may = |permission| caller.actor().may(permission);
        allowed::open(caller, "queue_token", &self.row.status.to_value(), may).await
    }

    /// At which branch.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async { Ok(ctx.caller()?.loaders().facilities.load(self.row.facility_id).await?.map(Facility::new)) }
            .await
            .or_hidden()
    }

    /// In which queue.
    fn queue(&self) -> &str {
        &self.row.queue
    }

    /// On which day of the branch.
    fn day(&self) -> Date {
        Date(self.row.day)
    }

    /// The number, from 1 each day.
    fn number(&self) -> i32 {
        self.row.number
    }

    /// Whose it is, when that is known.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async {
            let Some(id) = self.row.patient_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().patients.load(id).await?.map(Patient::new))
        }
        .await
        .or_hidden()
    }

    /// Where it stands.
    fn status(&self) -> QueueStatus {
        self.row.status.into()
    }

    /// Where its holder was called to.
    fn desk(&self) -> Option<&str> {
        self.row.desk.as_deref()
    }

    /// When it was last called.
    fn called_at(&self) -> Option<DateTime> {
        self.row.called_at.map(DateTime)
    }

    /// When its holder was seen to.
    fn served_at(&self) -> Option<DateTime> {
        self.row.served_at.map(DateTime)
    }
}

/// A number to give out.
#[derive(InputObject)]
pub(crate) struct QueueTokenIssueInput {
    /// At which branch.
    facility_id: ID,
    /// In which queue, up to 20 capitals.
    #[graphql(default_with = "\"WALK_IN\".to_owned()")]
    queue: String,
    /// Whose it is, when that is known.
    patient_id: Option<ID>,
}

/// Who is called next.
#[derive(InputObject)]
pub(crate) struct QueueTokenCallNextInput {
    /// At which branch.
    facility_id: ID,
    /// In which queue.
    #[graphql(default_with = "\"WALK_IN\".to_owned()")]
    queue: String,
    /// Where to.
    desk: Option<String>,
}

/// A number to call, or to call again.
#[derive(InputObject)]
pub(crate) struct QueueTokenCallInput {
    /// The token.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// Where to.
    desk: Option<String>,
}

/// Somebody who was seen to.
#[derive(InputObject)]
pub(crate) struct QueueTokenServeInput {
    /// The token.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// Somebody who did not come.
#[derive(InputObject)]
pub(crate) struct QueueTokenSkipInput {
    /// The token.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

macro_rules! token_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The token as it is now.
                token: Option<QueueToken>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<queue_token::Model>> for $name {
                fn from(done: Done<queue_token::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { token: row.map(QueueToken::new), user_errors }
                }
            }
        )*
    };
}

token_payload! {
    /// The new token, or why there is none.
    QueueTokenIssuePayload;
    /// The token that was called, or why none was.
    QueueTokenCallNextPayload;
    /// The token that was called, or why it was not.
    QueueTokenCallPayload;
    /// The token that was served, or why it was not.
    QueueTokenServePayload;
    /// The token that was skipped, or why it was not.
    QueueTokenSkipPayload;
}

/// Looking at queues.
#[derive(Default)]
pub(crate) struct QueueQuery;

#[Object]
impl QueueQuery {
    /// The tokens of a queue on a day, by number; 500 at the most.
    async fn queue_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At which branch.")] facility_id: ID,
        #[graphql(desc = "In which queue.", default_with = "\"WALK_IN\".to_owned()")] queue: String,
        #[graphql(desc = "On which day of the branch; today when absent.")] day: Option<Date>,
    ) -> Result<Vec<QueueToken>, ApiError> {
        let op = ctx.read("Query.queueTokens")?;
        let day = day.map(|day| day.0);
        let tokens = scheduling::queue_tokens(op, ids::parse(&facility_id)?, &queue, day).await?;
        Ok(tokens.into_iter().map(QueueToken::new).collect())
    }
}

/// Giving out and calling numbers.
#[derive(Default)]
pub(crate) struct QueueMutation;

#[Object]
impl QueueMutation {
    /// Gives out the next number of a queue.
    ///
    /// Errors: NOT_FOUND, INVALID, LOCKED.
    async fn queue_token_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The queue.")] input: QueueTokenIssueInput,
    ) -> Result<QueueTokenIssuePayload, ApiError> {
        let facility = ids::parse(&input.facility_id)?;
        let patient = input.patient_id.as_ref().map(ids::parse).transpose()?;
        let issue = async |op: &_| scheduling::issue_token(op, facility, &input.queue, patient).await;
        Ok(change(ctx, "Mutation.queueTokenIssue", issue).await?.into())
    }

    /// Calls the next number of a queue. Two desks that call at once call two numbers.
    ///
    /// Errors: NOT_FOUND (nobody is waiting), INVALID, TOO_LONG.
    async fn queue_token_call_next(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The queue.")] input: QueueTokenCallNextInput,
    ) -> Result<QueueTokenCallNextPayload, ApiError> {
        let facility = ids::parse(&input.facility_id)?;
        let call =
            async |op: &_| scheduling::call_next(op, facility, &input.queue, input.desk.as_deref()).await;
        Ok(change(ctx, "Mutation.queueTokenCallNext", call).await?.into())
    }

    /// Calls a number out of turn, or one that was skipped once more.
    ///
    /// Errors: NOT_FOUND, TOO_LONG, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn queue_token_call(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token.")] input: QueueTokenCallInput,
    ) -> Result<QueueTokenCallPayload, ApiError> {
        let (id, version, desk) = (ids::parse(&input.id)?, input.if_version, input.desk.as_deref());
        let call = async |op: &_| scheduling::step_token(op, id, version, QueueStep::Call, desk).await;
        Ok(change(ctx, "Mutation.queueTokenCall", call).await?.into())
    }

    /// Notes that the holder of a called number was seen to.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn queue_token_serve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token.")] input: QueueTokenServeInput,
    ) -> Result<QueueTokenServePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let serve = async |op: &_| scheduling::step_token(op, id, version, QueueStep::Serve, None).await;
        Ok(change(ctx, "Mutation.queueTokenServe", serve).await?.into())
    }

    /// Notes that the holder of a number did not come.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn queue_token_skip(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token.")] input: QueueTokenSkipInput,
    ) -> Result<QueueTokenSkipPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let skip = async |op: &_| scheduling::step_token(op, id, version, QueueStep::Skip, None).await;
        Ok(change(ctx, "Mutation.queueTokenSkip", skip).await?.into())
    }
}
