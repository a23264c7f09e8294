//! What people answer to a text message: STOP closes their number, START opens it again.

use praxis_entity::{
    delivery_report,
    notification::Channel,
    suppression::{Column, Entity},
};
use praxis_platform::{Op, Write, audit::Entry, literal::Literal, vault::IndexField};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::settle::suppress;
use crate::Result;

/// What somebody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
}

/// Takes an answer in; false where it is known already. Whose number it is, is not asked: it may be several people's.
pub async fn answer(op: &Op<Write>, provider: &str, message: &str, from: &str, said: Answer) -> Result<bool> {
    let Some(token) = op.token(IndexField::Phone, from).await? else { return Ok(false) };
    let row = delivery_report::ActiveModel {
        provider: Set(provider.to_owned()),
        provider_message_id: Set(message.to_owned()),
        report: Set("received".to_owned()),
        notification_id: Set(None),
        reported_at: Set(op.now()),
        error: Set(None),
    };
    let once = OnConflict::new().do_nothing().to_owned();
    if delivery_report::Entity::insert(row).on_conflict(once).exec_without_returning(op.db()).await? == 0 {
        return Ok(false);
    }
    match said {
        Answer::Stop => {
            suppress(op, Channel::Sms, token, "STOP").await?;
            op.record(Entry::done("suppression.add").because("STOP"));
        }
        Answer::Start => {
            Entity::update_many()
                .col_expr(Column::LiftedAt, Expr::value(op.now()))
                .filter(Column::Channel.is(Channel::Sms))
                .filter(Column::ContactToken.eq(token))
                .filter(Column::Reason.eq("STOP"))
                .filter(Column::LiftedAt.is_null())
                .exec(op.db())
                .await?;
            op.record(Entry::done("suppression.lift").because("START"));
        }
    }
    Ok(true)
}
