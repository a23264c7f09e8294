//! The rows of mails that are being sent: claimed for one sender at a time.
//!
//! Claiming counts the try and sets its lease in one statement, together with the hint that lets
//! another worker look once the lease has ended. The number of the try is what a result is written
//! against: a sender that outlived its lease changes nothing.

use chrono::{DateTime, Utc};
use praxis_entity::mail_message::{self, Column, Entity};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    Statement, Value, sea_query::Expr,
};

use crate::{Failure, Op, OpFactory, audit::Entry, audit::Outcome, tenancy::Queue};

const CLAIM: &str = "WITH claimed AS (
        UPDATE mail_message SET attempts = attempts + 1, next_attempt_at = $2
        WHERE id = (SELECT id FROM mail_message WHERE status = 'QUEUED' AND next_attempt_at <= $1
            ORDER BY next_attempt_at, id FOR UPDATE SKIP LOCKED LIMIT 1)
        RETURNING id, created_at, to_address, template, locale, facts, dedupe_key, status, attempts,
            next_attempt_at, sent_at, last_error)
    SELECT claimed.*, cell.wake($3, $2) AS woken FROM claimed";

const POSTPONE: &str = "WITH postponed AS (
        UPDATE mail_message SET next_attempt_at = $3, last_error = $4
        WHERE id = $1 AND attempts = $2 AND status = 'QUEUED' RETURNING id)
    SELECT cell.wake($5, $3) AS woken FROM postponed";

/// The mail that has been due for longest; nobody else gets it until the lease ends.
pub(super) async fn claim<M>(
    op: &Op<M>,
    lease_ends: DateTime<Utc>,
) -> Result<Option<mail_message::Model>, Failure> {
    let values: [Value; 3] = [op.now().into(), lease_ends.into(), Queue::Mail.code().into()];
    let row = op.db().query_one_raw(statement(CLAIM, values)).await?;
    Ok(row.map(|row| mail_message::Model::from_query_result(&row, "")).transpose()?)
}

/// Another try at another time.
pub(super) async fn postpone<M>(
    op: &Op<M>,
    row: &mail_message::Model,
    until: DateTime<Utc>,
    why: &str,
) -> Result<(), Failure> {
    let values: [Value; 5] =
        [row.id.0.into(), row.attempts.into(), until.into(), why.into(), Queue::Mail.code().into()];
    op.db().query_one_raw(statement(POSTPONE, values)).await?;
    Ok(())
}

/// Lets somebody look again.
pub(super) async fn wake<M>(op: &Op<M>, at: DateTime<Utc>) -> Result<(), Failure> {
    let values: [Value; 2] = [Queue::Mail.code().into(), at.into()];
    op.db().query_one_raw(statement("SELECT cell.wake($1, $2)", values)).await?;
    Ok(())
}

/// The mail server has it; what it said is forgotten.
pub(super) async fn sent(system: &OpFactory, row: &mail_message::Model) -> Result<(), Failure> {
    let now = system.read().now();
    let change = mail_message::ActiveModel {
        status: Set("SENT".to_owned()),
        sent_at: Set(Some(now)),
        facts: Set(None),
        last_error: Set(None),
        ..Default::default()
    };
    settle(system, row, change, Outcome::Ok).await
}

/// No other try is made, until somebody asks for one.
pub(super) async fn dead(system: &OpFactory, row: &mail_message::Model, why: &str) -> Result<(), Failure> {
    let change = mail_message::ActiveModel {
        status: Set("DEAD".to_owned()),
        last_error: Set(Some(why.to_owned())),
        ..Default::default()
    };
    settle(system, row, change, Outcome::Failed).await
}

async fn settle(
    system: &OpFactory,
    row: &mail_message::Model,
    change: mail_message::ActiveModel,
    outcome: Outcome,
) -> Result<(), Failure> {
    let op = system.write_always().await?;
    Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(row.id))
        .filter(Column::Attempts.eq(row.attempts))
        .filter(Column::Status.eq("QUEUED"))
        .exec(op.db())
        .await?;
    op.record(Entry::done("mail.send").on("Mail", row.id.0, row.attempts).ended(outcome));
    op.commit().await
}

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// Lets dead mails be tried anew; returns how many.
pub(super) async fn revive(
    op: &Op<crate::Write>,
    which: Option<praxis_entity::ids::MailId>,
) -> Result<u64, Failure> {
    let mut update = Entity::update_many()
        .col_expr(Column::Status, Expr::value("QUEUED"))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::NextAttemptAt, Expr::value(op.now()))
        .filter(Column::Status.eq("DEAD"));
    if let Some(id) = which {
        update = update.filter(Column::Id.eq(id));
    }
    Ok(update.exec(op.db()).await?.rows_affected)
}
