//! Taking an invitation back.

use praxis_entity::{
    ids::InvitationId,
    invitation::{self, Column, InvitationStatus},
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::ready;
use crate::Result;

/// Takes an open invitation back; its link is good for nothing from now on.
pub async fn revoke_invitation(op: &Op<Write>, id: InvitationId) -> Result<invitation::Model> {
    op.require(Permission::USER_MANAGE)?;
    let (_, to) = ready(op, id, "invitationRevoke").await?;
    let revoked = set_status(op, id, to).await?;
    op.record(Entry::done("invitation.revoke").on("Invitation", id.0, revoked.version));
    Ok(revoked)
}

pub(super) async fn set_status(
    op: &Op<Write>,
    id: InvitationId,
    status: InvitationStatus,
) -> Result<invitation::Model> {
    let change = invitation::ActiveModel { status: Set(status), ..Default::default() };
    let update = invitation::Entity::update_many().set(change).filter(Column::Id.eq(id));
    Ok(update.exec_with_returning(op.db()).await?.pop().ok_or(Failure::NotFound)?)
}
