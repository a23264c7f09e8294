//! Mails that were given up on, for operators to look at and to try again.

use praxis_entity::{
    ids::MailId,
    mail_message::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::row;
use crate::{Failure, Op, Write, access::Permission, audit::Entry, tenancy::Queue};

/// The most that is listed.
const MOST: u64 = 1_000;

/// Mails of a status, or of any but those that are sent, oldest first.
pub async fn list<M>(op: &Op<M>, status: Option<&str>) -> Result<Vec<mail_message::Model>, Failure> {
    op.require(Permission::SETTINGS_READ)?;
    let wanted = match status {
        Some(status) => Column::Status.eq(status),
        None => Column::Status.ne("SENT"),
    };
    let rows = Entity::find().filter(wanted).order_by_asc(Column::CreatedAt).limit(MOST);
    Ok(rows.all(op.db()).await?)
}

/// Lets one dead mail, or all of them, be tried anew; returns how many.
pub async fn retry(op: &Op<Write>, which: Option<MailId>) -> Result<u64, Failure> {
    op.require(Permission::SETTINGS_MANAGE)?;
    let revived = row::revive(op, which).await?;
    op.wake(Queue::Mail, op.now());
    let entry = Entry::done("mail.retry");
    op.record(match which {
        Some(id) => entry.on("Mail", id.0, 0),
        None => entry,
    });
    Ok(revived)
}
