//! What a provider reports of a message afterwards: each report counts once, in whatever order they come.
//!
//! A report names its notice and the try. So one that a worker handed over without living to tell is known to be sent as
//! soon as the provider reports of it, and is not sent again when its lease ends. That an earlier try failed says
//! nothing of a later one; that it arrived is true of whichever it was.

use praxis_entity::{
    delivery_report,
    ids::NotificationId,
    notification::{Channel, Column, Entity, NotificationStatus},
};
use praxis_platform::{Op, Write, audit::Entry, literal::Literal, vault::IndexField};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use super::settle::suppress;
use crate::Result;

/// What a provider reports.
#[derive(Debug, Clone)]
pub struct Report {
    /// Who reports.
    pub provider: &'static str,
    /// Of which message.
    pub message: String,
    /// Of which notice.
    pub notice: NotificationId,
    /// Of which try.
    pub attempt: i32,
    /// What it says, in the provider's words.
    pub status: String,
    /// The provider's code of what went wrong.
    pub error: Option<String>,
    /// The number it was sent to.
    pub to: Option<String>,
}

/// Twilio's codes of numbers to which nothing will ever arrive: unknown, a landline, closed by their holder.
const NO_SUCH_NUMBER: [&str; 2] = ["30005", "30006"];
const CLOSED: &str = "21610";

/// Takes a report in; false where it is known already, or of a notice that there is not.
pub async fn report(op: &Op<Write>, report: Report) -> Result<bool> {
    let Some(notice) = Entity::find_by_id(report.notice).one(op.db()).await? else { return Ok(false) };
    let row = delivery_report::ActiveModel {
        provider: Set(report.provider.to_owned()),
        provider_message_id: Set(report.message),
        report: Set(report.status.clone()),
        notification_id: Set(Some(notice.id)),
        reported_at: Set(op.now()),
        error: Set(report.error.clone()),
    };
    let once = OnConflict::new().do_nothing().to_owned();
    if delivery_report::Entity::insert(row).on_conflict(once).exec_without_returning(op.db()).await? == 0 {
        return Ok(false);
    }
    use NotificationStatus::{Dead, Delivered, Failed, Scheduled, Sending, Sent};
    let (to, from): (_, &[NotificationStatus]) = match report.status.as_str() {
        "delivered" | "read" => (Delivered, &[Scheduled, Sending, Failed, Sent, Dead]),
        "failed" | "undelivered" => (Dead, &[Sending, Sent]),
        _ => (Sent, &[Sending, Failed]),
    };
    let code = report.error.as_deref().unwrap_or_default();
    let mut update = Entity::update_many()
        .col_expr(Column::Status, Expr::value(to.to_value()))
        .filter(Column::Id.eq(notice.id))
        .filter(Column::Status.is_one_of(from));
    update = match to {
        Delivered => update.col_expr(Column::DeliveredAt, Expr::value(op.now())),
        Dead => update
            .col_expr(Column::Reason, Expr::value(format!("{} {code}", report.provider).trim()))
            .filter(Column::Attempts.eq(report.attempt)),
        _ => update,
    };
    if to != Dead {
        let sent_at = Expr::col(Column::SentAt).if_null(Expr::value(op.now()));
        update =
            update.col_expr(Column::SentAt, sent_at).col_expr(Column::Reason, Expr::value(None::<String>));
    }
    update.exec(op.db()).await?;
    let closed =
        if code == CLOSED { Some("STOP") } else { NO_SUCH_NUMBER.contains(&code).then_some("BOUNCE") };
    if let Some((number, reason)) = report.to.as_deref().zip(closed)
        && let Some(token) = op.token(IndexField::Phone, number).await?
    {
        suppress(op, Channel::Sms, token, reason).await?;
    }
    let entry = Entry::done("notification.report").on("Notification", notice.id.0, notice.version + 1);
    op.record(match notice.patient_id {
        Some(patient) => entry.of(patient.0).because(report.status),
        None => entry.because(report.status),
    });
    Ok(true)
}
