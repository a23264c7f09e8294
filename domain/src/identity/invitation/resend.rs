//! Mailing a new link; the one before is good for nothing from then on.

use praxis_entity::{
    ids::InvitationId,
    invitation::{self, Column},
    role,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{
    super::{link::Secret, reach},
    VALID, ready, send,
};
use crate::Result;

/// Sends the link of an open invitation again. Whoever does so answers for the role from then on.
pub async fn resend_invitation(op: &Op<Write>, id: InvitationId) -> Result<invitation::Model> {
    op.require(Permission::USER_MANAGE)?;
    let (before, _) = ready(op, id, "invitationResend").await?;
    reach::require_role(op, before.role_id, before.facility_id).await?;
    let role = role::Entity::find_by_id(before.role_id).one(op.db()).await?.ok_or(Failure::NotFound)?;
    let secret = Secret::new(op).await?;
    let change = invitation::ActiveModel {
        token_hash: Set(secret.hash.clone()),
        expires_at: Set(op.now() + VALID),
        invited_by: Set(op.actor().user),
        ..Default::default()
    };
    let mut changed = invitation::Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(id))
        .exec_with_returning(op.db())
        .await?;
    let resent = changed.pop().ok_or(Failure::NotFound)?;
    send(op, &resent, &role.name, &secret.text).await?;
    op.record(Entry::done("invitation.resend").on("Invitation", id.0, resent.version));
    Ok(resent)
}
