//! People who sign in and invitations, as the API shows them.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use praxis_domain::Position;
use praxis_entity::{
    ids::{TypedId, UserId},
    invitation::{self, InvitationStatus},
    user_account,
};

use sea_orm::ActiveEnum;

use crate::{
    allowed,
    clinic::Facility,
    context::Ask,
    error::{ApiError, Edge, Nullable},
    ids,
    page::connection,
    scalar::{DateTime, EmailAddress},
    sign_in::ExternalIdentity,
    staff::Practitioner,
};

/// A person who signs in.
pub(crate) struct User {
    row: user_account::Model,
}

impl User {
    pub(crate) fn new(row: user_account::Model) -> Self {
        Self { row }
    }

    pub(super) fn position(row: &user_account::Model) -> Position {
        Position { key: None, id: row.id.uuid() }
    }
}

/// A person who signs in.
#[Object]
impl User {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When the account was made.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Address with which they sign in.
    fn email(&self) -> EmailAddress {
        EmailAddress(self.row.email.clone())
    }

    /// Name as shown.
    fn display_name(&self) -> &str {
        &self.row.display_name
    }

    /// False once disabled.
    fn active(&self) -> bool {
        self.row.active
    }

    /// The clinician this user is.
    async fn practitioner(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            match self.row.practitioner_id {
                Some(id) => Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new)),
                None => Ok(None),
            }
        }
        .await
        .or_hidden()
    }

    /// Roles that are held, in the order in which they were given.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<UserRole>, ApiError> {
        let held = ctx.caller()?.loaders().roles_of_users.load(self.row.id).await?.unwrap_or_default();
        let caller = ctx.caller()?;
        let mut roles = Vec::with_capacity(held.len());
        for (membership, role) in held {
            let facility = match membership.facility_id {
                Some(id) => caller.loaders().facilities.load(id).await?.map(Facility::new),
                None => None,
            };
            roles.push(UserRole { id: ids::show(membership.id), code: role.code, name: role.name, facility });
        }
        Ok(roles)
    }

    /// Who they are at identity providers, by the name of the provider.
    async fn external_identities(&self, ctx: &Context<'_>) -> Result<Vec<ExternalIdentity>, ApiError> {
        let linked = ctx.caller()?.loaders().identities_of_users.load(self.row.id).await?;
        Ok(linked.unwrap_or_default().into_iter().map(Into::into).collect())
    }
}

connection!(
    /// A page of people who sign in.
    UserConnection, UserEdge, User
);

/// A role that somebody holds, at one branch or everywhere.
#[derive(SimpleObject)]
pub(crate) struct UserRole {
    /// Opaque id of the holding.
    id: ID,
    /// Code of the role.
    code: String,
    /// Name of the role.
    name: String,
    /// Where it is held; everywhere when absent.
    facility: Option<Facility>,
}

/// Where an invitation stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvitationState {
    /// The link waits to be used.
    Sent,
    /// There is an account.
    Accepted,
    /// Nobody used the link in time.
    Expired,
    /// Taken back.
    Revoked,
}

impl InvitationState {
    pub(super) fn stored(self) -> InvitationStatus {
        match self {
            Self::Sent => InvitationStatus::Sent,
            Self::Accepted => InvitationStatus::Accepted,
            Self::Expired => InvitationStatus::Expired,
            Self::Revoked => InvitationStatus::Revoked,
        }
    }
}

impl From<InvitationStatus> for InvitationState {
    fn from(status: InvitationStatus) -> Self {
        match status {
            InvitationStatus::Sent => Self::Sent,
            InvitationStatus::Accepted => Self::Accepted,
            InvitationStatus::Expired => Self::Expired,
            InvitationStatus::Revoked => Self::Revoked,
        }
    }
}

/// Somebody asked to join.
pub(crate) struct Invitation {
    row: invitation::Model,
    status: InvitationState,
}

impl Invitation {
    pub(crate) fn new(row: invitation::Model, now: chrono::DateTime<chrono::Utc>) -> Self {
        let status = row.status_at(now).into();
        Self { row, status }
    }

    async fn user(ctx: &Context<'_>, id: Option<UserId>) -> Nullable<User> {
        async {
            match id {
                Some(id) => Ok(ctx.caller()?.loaders().users.load(id).await?.map(User::new)),
                None => Ok(None),
            }
        }
        .await
        .or_hidden()
    }
}

/// Somebody asked to join.
#[Object]
impl Invitation {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was made.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Where the link went; the login later.
    fn email(&self) -> EmailAddress {
        EmailAddress(self.row.email.clone())
    }

    /// Name as it is going to be shown.
    fn display_name(&self) -> &str {
        &self.row.display_name
    }

    /// Code of the role that is offered; null when it is gone.
    async fn role_code(&self, ctx: &Context<'_>) -> Nullable<String> {
        async { Ok(ctx.caller()?.loaders().roles.load(self.row.role_id).await?.map(|role| role.code)) }
            .await
            .transpose()
    }

    /// Where the role is offered; everywhere when absent.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async {
            match self.row.facility_id {
                Some(id) => Ok(ctx.caller()?.loaders().facilities.load(id).await?.map(Facility::new)),
                None => Ok(None),
            }
        }
        .await
        .or_hidden()
    }

    /// The clinician this person is.
    async fn practitioner(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            match self.row.practitioner_id {
                Some(id) => Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new)),
                None => Ok(None),
            }
        }
        .await
        .or_hidden()
    }

    /// Who answers for it; null for the installation's operator.
    async fn invited_by(&self, ctx: &Context<'_>) -> Nullable<User> {
        Self::user(ctx, self.row.invited_by).await
    }

    /// When the link ends.
    fn expires_at(&self) -> DateTime {
        DateTime(self.row.expires_at)
    }

    /// Where it stands.
    fn status(&self) -> InvitationState {
        self.status
    }

    /// Names of the mutations that the viewer may run on the invitation as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let caller = ctx.caller()?;
        let status = self.status.stored().to_value();
        allowed::open(caller, "invitation", &status, |permission| caller.actor().may(permission)).await
    }

    /// The account that was made.
    #[graphql(name = "user")]
    async fn accepted_by(&self, ctx: &Context<'_>) -> Nullable<User> {
        Self::user(ctx, self.row.user_id).await
    }
}
