//! Invitations, newest first.

use praxis_entity::{
    ids::InvitationId,
    invitation::{self, Column, InvitationStatus},
};
use praxis_platform::{Op, access::Permission, literal::Literal};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{Result, page::any_of};

/// The most that are listed.
const MOST: u64 = 200;

/// Invitations in one status, or in any.
pub async fn invitations<M>(op: &Op<M>, status: Option<InvitationStatus>) -> Result<Vec<invitation::Model>> {
    op.require(Permission::USER_READ)?;
    let past = Column::ExpiresAt.lte(op.now());
    let sent = Column::Status.is(InvitationStatus::Sent);
    // What is past its end has expired, whether anybody wrote that down or not.
    let wanted = match status {
        None => Condition::all(),
        Some(InvitationStatus::Sent) => Condition::all().add(sent).add(Column::ExpiresAt.gt(op.now())),
        Some(InvitationStatus::Expired) => Condition::any()
            .add(Column::Status.is(InvitationStatus::Expired))
            .add(Condition::all().add(sent).add(past)),
        Some(status) => Condition::all().add(Column::Status.is(status)),
    };
    let rows = invitation::Entity::find().filter(wanted).order_by_desc(Column::Id).limit(MOST);
    Ok(rows.all(op.db()).await?)
}

/// The invitations with these ids.
pub async fn invitations_by_ids<M>(op: &Op<M>, ids: &[InvitationId]) -> Result<Vec<invitation::Model>> {
    op.require(Permission::USER_READ)?;
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(invitation::Entity::find().filter(wanted).all(op.db()).await?)
}
