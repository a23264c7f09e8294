//! Inviting people, and deciding who may sign in.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::identity;
use praxis_entity::{
    ids::{InvitationId, UserId},
    invitation,
};
use praxis_platform::{Op, Write};

use super::types::{Invitation, User};
use crate::{
    context::{Ask, change},
    error::ApiError,
    ids,
    payload::UserError,
    scalar::EmailAddress,
};

/// Inviting people, and deciding who may sign in.
#[derive(Default)]
pub(crate) struct IdentityMutation;

/// Somebody who is to join.
#[derive(InputObject)]
pub(crate) struct UserInviteInput {
    /// Where the link goes; the login later.
    email: EmailAddress,
    /// Name as it is going to be shown.
    display_name: String,
    /// Code of the role; it permits nothing that the inviter may not do.
    role: String,
    /// Where the role is held; everywhere when absent.
    facility_id: Option<ID>,
    /// The clinician this person is.
    practitioner_id: Option<ID>,
}

/// An invitation that is to be sent again.
#[derive(InputObject)]
pub(crate) struct InvitationResendInput {
    /// Which one.
    id: ID,
}

/// An invitation that is to be taken back.
#[derive(InputObject)]
pub(crate) struct InvitationRevokeInput {
    /// Which one.
    id: ID,
}

/// A person who is not to sign in any more.
#[derive(InputObject)]
pub(crate) struct UserDisableInput {
    /// Who.
    id: ID,
}

/// A person who is to sign in again.
#[derive(InputObject)]
pub(crate) struct UserEnableInput {
    /// Who.
    id: ID,
}

/// A person whose name changes.
#[derive(InputObject)]
pub(crate) struct UserRenameInput {
    /// Who.
    id: ID,
    /// The new name.
    display_name: String,
}

/// Declares a payload: the object, or why nothing changed.
macro_rules! payload {
    ($name:ident, $field:ident: $object:ty) => {
        /// The object as it is now, or why nothing changed.
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            /// The object as it is now.
            $field: Option<$object>,
            /// What the person at the screen can put right; non-empty means nothing was written.
            user_errors: Vec<UserError>,
        }
    };
}

payload!(UserInvitePayload, invitation: Invitation);
payload!(InvitationResendPayload, invitation: Invitation);
payload!(InvitationRevokePayload, invitation: Invitation);
payload!(UserDisablePayload, user: User);
payload!(UserEnablePayload, user: User);
payload!(UserRenamePayload, user: User);

#[Object]
impl IdentityMutation {
    /// Invites somebody to join and mails a link that works once, for seven days. Answers FORBIDDEN for a
    /// role that permits more than the inviter may do there.
    ///
    /// Needs a second factor shown within the last minutes (STEP_UP_REQUIRED otherwise). Errors: REQUIRED, INVALID, TOO_LONG, NOT_FOUND, ALREADY_EXISTS, SEATS_EXHAUSTED.
    async fn user_invite(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and as what.")] input: UserInviteInput,
    ) -> Result<UserInvitePayload, ApiError> {
        let new = identity::NewInvitation {
            email: input.email.0,
            display_name: input.display_name,
            role: input.role,
            facility: input.facility_id.as_ref().map(ids::parse).transpose()?,
            practitioner: input.practitioner_id.as_ref().map(ids::parse).transpose()?,
        };
        let invite = async |op: &Op<Write>| identity::invite(op, new).await;
        let (row, user_errors) = change(ctx, "Mutation.userInvite", invite).await?.split();
        Ok(UserInvitePayload { invitation: shown(ctx, row)?, user_errors })
    }

    /// Mails a new link for an open invitation, good for seven days; the one before is good for nothing.
    ///
    /// Errors: NOT_FOUND, INVALID_TRANSITION.
    async fn invitation_resend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation.")] input: InvitationResendInput,
    ) -> Result<InvitationResendPayload, ApiError> {
        let id: InvitationId = ids::parse(&input.id)?;
        let resend = async |op: &Op<Write>| identity::resend_invitation(op, id).await;
        let (row, user_errors) = change(ctx, "Mutation.invitationResend", resend).await?.split();
        Ok(InvitationResendPayload { invitation: shown(ctx, row)?, user_errors })
    }

    /// Takes an open invitation back; its link is good for nothing from then on.
    ///
    /// Errors: NOT_FOUND, INVALID_TRANSITION.
    async fn invitation_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation.")] input: InvitationRevokeInput,
    ) -> Result<InvitationRevokePayload, ApiError> {
        let id: InvitationId = ids::parse(&input.id)?;
        let revoke = async |op: &Op<Write>| identity::revoke_invitation(op, id).await;
        let (row, user_errors) = change(ctx, "Mutation.invitationRevoke", revoke).await?.split();
        Ok(InvitationRevokePayload { invitation: shown(ctx, row)?, user_errors })
    }

    /// Disables an account: the person is signed out everywhere and can't sign in. Answers FORBIDDEN for
    /// somebody who may do more than the caller.
    ///
    /// Errors: NOT_FOUND; LOCKED for oneself and for the last one who can manage the clinic.
    async fn user_disable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] input: UserDisableInput,
    ) -> Result<UserDisablePayload, ApiError> {
        let id: UserId = ids::parse(&input.id)?;
        let disable = async |op: &Op<Write>| identity::disable_user(op, id).await;
        let (row, user_errors) = change(ctx, "Mutation.userDisable", disable).await?.split();
        Ok(UserDisablePayload { user: row.map(User::new), user_errors })
    }

    /// Lets a disabled person sign in again. Answers FORBIDDEN for somebody who may do more than the caller.
    ///
    /// Errors: NOT_FOUND, SEATS_EXHAUSTED.
    async fn user_enable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] input: UserEnableInput,
    ) -> Result<UserEnablePayload, ApiError> {
        let id: UserId = ids::parse(&input.id)?;
        let enable = async |op: &Op<Write>| identity::enable_user(op, id).await;
        let (row, user_errors) = change(ctx, "Mutation.userEnable", enable).await?.split();
        Ok(UserEnablePayload { user: row.map(User::new), user_errors })
    }

    /// Changes the name under which a person is shown.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, NOT_FOUND.
    async fn user_rename(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user and the name.")] input: UserRenameInput,
    ) -> Result<UserRenamePayload, ApiError> {
        let id: UserId = ids::parse(&input.id)?;
        let rename = async |op: &Op<Write>| identity::rename_user(op, id, &input.display_name).await;
        let (row, user_errors) = change(ctx, "Mutation.userRename", rename).await?.split();
        Ok(UserRenamePayload { user: row.map(User::new), user_errors })
    }
}

fn shown(ctx: &Context<'_>, row: Option<invitation::Model>) -> Result<Option<Invitation>, ApiError> {
    let now = ctx.caller()?.reading().now();
    Ok(row.map(|row| Invitation::new(row, now)))
}
