//! Having read what the app shows.

use praxis_entity::{
    ids::NotificationId,
    notification::{Channel, Column, Entity},
};
use praxis_platform::{Failure, Op, Write, audit::Entry, literal::Literal};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{Result, Violation, ViolationCode, page::any_of};

/// More are not marked at once.
const MOST: usize = 100;

/// Marks notices of the actor's as read, or all of them; how many were not yet. Those of others are left alone.
pub async fn mark_read(op: &Op<Write>, which: Option<&[NotificationId]>) -> Result<u64> {
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    if which.is_some_and(|ids| ids.len() > MOST) {
        let message = format!("There are more than {MOST} ids.");
        return Err(Violation::at(ViolationCode::TooLong, &["ids"], message).into());
    }
    let mut update = Entity::update_many()
        .col_expr(Column::ReadAt, Expr::value(op.now()))
        .filter(Column::UserId.eq(user))
        .filter(Column::Channel.is(Channel::InApp))
        .filter(Column::ReadAt.is_null());
    if let Some(ids) = which {
        update = update.filter(any_of(Column::Id, ids.iter().map(|id| id.0).collect()));
    }
    let marked = update.exec(op.db()).await?.rows_affected;
    op.record(Entry {
        times: i32::try_from(marked.max(1)).unwrap_or(i32::MAX),
        ..Entry::done("notification.read")
    });
    Ok(marked)
}
