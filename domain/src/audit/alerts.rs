//! What people do with alerts: see them, close them, and say what counts as suspicious.

use praxis_entity::{
    alert_rule,
    ids::SecurityAlertId,
    security_alert::{self, AlertStatus},
};
use praxis_platform::{
    Op, Read, Write,
    access::{Actor, Permission, Row},
    audit::Entry,
};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::LockType,
};
use serde_json::json;

use crate::{Detail, PageRequest, Result, Slice, Violation, ViolationCode, page, transitions::step_among};

fn condition(open: Option<bool>) -> Condition {
    let status = open.map(|open| if open { AlertStatus::Open } else { AlertStatus::Closed });
    Condition::all().add_option(status.map(|status| security_alert::Column::Status.eq(status)))
}

/// One page of alerts, the newest first.
pub async fn alerts(
    op: &Op<Read>,
    open: Option<bool>,
    page: &PageRequest,
) -> Result<Slice<security_alert::Model>> {
    op.require(Permission::SECURITY_ALERT_READ)?;
    let order = page::Ordering { column: None, id: security_alert::Column::Id, descending: true };
    Ok(page::list::<security_alert::Entity>(op.db(), condition(open), &order, page).await?)
}

/// How many alerts there are, at most `max`.
pub async fn count_alerts(op: &Op<Read>, open: Option<bool>, max: u64) -> Result<i64> {
    op.require(Permission::SECURITY_ALERT_READ)?;
    Ok(page::count::<security_alert::Entity>(op.db(), condition(open), max).await?)
}

/// The alerts of these ids.
pub async fn alerts_by_ids<Mode>(
    op: &Op<Mode>,
    ids: &[SecurityAlertId],
) -> Result<Vec<security_alert::Model>> {
    op.require(Permission::SECURITY_ALERT_READ)?;
    let ids = ids.iter().map(|id| id.0).collect();
    let found = security_alert::Entity::find().filter(page::any_of(security_alert::Column::Id, ids));
    Ok(found.all(op.db()).await?)
}

/// Whether it is for the actor to close an alert: nobody is the judge in their own case.
pub fn is_turn(actor: &Actor, alert: &security_alert::Model) -> bool {
    alert.actor_id.is_none() || alert.actor_id != actor.user.map(|user| user.0)
}

async fn close_step(op: &Op<Write>, alert: &security_alert::Model) -> Result<AlertStatus> {
    let (clinic, open) = ((None, &Row::default()), |_: &str| is_turn(op.actor(), alert));
    step_among(op, "security_alert", "securityAlertClose", &alert.status, clinic, open).await
}

/// Closes an alert for a reason, as stored.
pub async fn close_alert(
    op: &Op<Write>,
    id: SecurityAlertId,
    if_version: i32,
    reason: &'static str,
) -> Result<security_alert::Model> {
    op.require(Permission::SECURITY_ALERT_CLOSE)?;
    let found = security_alert::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let Some(found) = found else { return Err(Violation::unknown("id").into()) };
    if found.version != if_version {
        let message = "Somebody else changed this alert meanwhile.";
        let conflict = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
        return Err(conflict.with(Detail::Version { current: found.version }).into());
    }
    let to = close_step(op, &found).await?;
    if !is_turn(op.actor(), &found) {
        let message = "Somebody else has to close an alert about you.";
        return Err(Violation::at(ViolationCode::Locked, &["id"], message).into());
    }
    let row = security_alert::ActiveModel {
        id: Unchanged(id),
        status: Set(to),
        closed_at: Set(Some(op.now())),
        closed_by: Set(op.actor().user),
        close_reason: Set(Some(reason.to_owned())),
        ..Default::default()
    };
    let row = security_alert::Entity::update(row).exec(op.db()).await?;
    op.record(Entry::done("security-alert.close").on("SecurityAlert", id.0, row.version).because(reason));
    Ok(row)
}

/// What counts as suspicious.
pub async fn alert_rules<Mode>(op: &Op<Mode>) -> Result<Vec<alert_rule::Model>> {
    op.require(Permission::SECURITY_ALERT_READ)?;
    Ok(alert_rule::Entity::find().order_by_asc(alert_rule::Column::Kind).all(op.db()).await?)
}

/// A change of what counts as suspicious; what is absent stays.
#[derive(Debug, Clone, Copy)]
pub struct AmendAlertRule {
    /// Which rule, as stored.
    pub kind: &'static str,
    /// Whether it is watched for.
    pub enabled: Option<bool>,
    /// How many make it suspicious.
    pub threshold: Option<i32>,
    /// Within how many minutes.
    pub window_minutes: Option<i32>,
}

/// Says what counts as suspicious at this clinic.
pub async fn amend_alert_rule(op: &Op<Write>, change: AmendAlertRule) -> Result<alert_rule::Model> {
    op.require(Permission::SETTINGS_MANAGE)?;
    let mut found = crate::error::Violations::default();
    for (path, value, most) in
        [("threshold", change.threshold, 100_000), ("windowMinutes", change.window_minutes, 10_080)]
    {
        if value.is_some_and(|value| !(1..=most).contains(&value)) {
            found.add(ViolationCode::OutOfRange, &[path], format!("Between 1 and {most}."));
        }
    }
    found.check()?;
    let stored = alert_rule::Entity::find_by_id(change.kind).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let Some(stored) = stored else { return Err(Violation::unknown("kind").into()) };
    let said = |row: &alert_rule::Model| json!({ "enabled": row.enabled, "threshold": row.threshold, "windowMinutes": row.window_minutes });
    let before = said(&stored);
    let row = alert_rule::ActiveModel {
        kind: Unchanged(stored.kind),
        enabled: Set(change.enabled.unwrap_or(stored.enabled)),
        threshold: Set(change.threshold.unwrap_or(stored.threshold)),
        window_minutes: Set(change.window_minutes.unwrap_or(stored.window_minutes)),
    };
    let row = alert_rule::Entity::update(row).exec(op.db()).await?;
    let entry = Entry::done("alert-rule.amend").because(change.kind);
    op.record(op.changed_here(entry, &before, &said(&row)).await?);
    Ok(row)
}
