//! Alerts: what the log shows that somebody should look at, found as it is sealed.
//!
//! A rule looks at the entries of a batch and counts back over its window; it opens no PHI. Own record
//! and family are told by keyed tokens of e-mail and phone. One alert is raised for each actor (or
//! chart, or address) and window, and whoever may see alerts is told by mail, without a name.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use praxis_entity::{
    alert_rule, audit_entry,
    ids::{AuditEntryId, PatientId, SecurityAlertId, UserId},
    security_alert, user_account,
};
use praxis_platform::{
    Op, Write,
    access::Permission,
    audit::{Batch, Entry},
    mail::{NewMail, enqueue_to_holders},
    vault::IndexField,
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Statement, Value,
    sea_query::OnConflict,
};
use serde_json::json;
use uuid::Uuid;

use super::unwatched;
use crate::{Result, page::any_of};

/// Something suspicious: whose doing, whose chart, which entry, how often.
#[derive(Debug, Default)]
struct Suspicion {
    actor: Option<Uuid>,
    patient: Option<Uuid>,
    entry: Option<AuditEntryId>,
    /// What else tells it from others of its rule.
    mark: String,
    seen: i64,
}

/// Looks at what was sealed with every rule, and raises alerts in the same transaction. A rule that can't
/// be evaluated keeps neither the log from being sealed nor another rule from looking: it looks again later.
pub(super) async fn watch(op: &Op<Write>, batch: &Batch) -> Result<()> {
    let rules = alert_rule::Entity::find().all(op.db()).await?;
    for rule in rules.into_iter().filter(|rule| rule.enabled && concerns(rule, batch)) {
        if !attempt(op, batch, &rule).await? {
            unwatched::mark(op, batch, &rule.kind).await?;
        }
    }
    Ok(())
}

/// Whether the batch has anything of what the rule looks at: where it has not, nothing is asked of the database.
fn concerns(rule: &alert_rule::Model, batch: &Batch) -> bool {
    match rule.kind.as_str() {
        "FAILED_SIGN_INS" => batch.entries.iter().any(is_failed_sign_in),
        "BREAK_GLASS_USE" => batch.entries.iter().any(|entry| entry.action == "break-glass.declare"),
        "FORGED_ENTRY" => !batch.forged.is_empty(),
        _ => readings(batch).next().is_some(),
    }
}

fn is_failed_sign_in(entry: &audit_entry::Model) -> bool {
    entry.action.starts_with("login") && entry.outcome == "DENIED"
}

/// Looks with one rule; where that fails, what it did is taken back.
pub(super) async fn attempt(op: &Op<Write>, batch: &Batch, rule: &alert_rule::Model) -> Result<bool> {
    let before = op.savepoint().await?;
    let Err(error) = look(op, batch, rule).await else { return Ok(true) };
    tracing::error!(tenant = %op.tenant().id, kind = rule.kind, error = %error, "a rule of alerts could not look at entries of the audit log; it looks again later");
    op.back_to(before).await?;
    Ok(false)
}

async fn look(op: &Op<Write>, batch: &Batch, rule: &alert_rule::Model) -> Result<()> {
    let suspicions = match rule.kind.as_str() {
        "MASS_READING" => mass_reading(op, batch, rule).await?,
        "RESTRICTED_READING" => restricted_reading(op, batch).await?,
        "OWN_RECORD" => own(op, batch, OWN).await?,
        "OWN_FAMILY" => own(op, batch, FAMILY).await?,
        "FAILED_SIGN_INS" => failed_sign_ins(op, rule).await?,
        "BREAK_GLASS_USE" => break_glass(op, rule).await?,
        "FORGED_ENTRY" => forged(batch),
        _ => Vec::new(),
    };
    for suspicion in suspicions {
        raise(op, rule, suspicion).await?;
    }
    Ok(())
}

/// Entries by which people saw something of patients.
fn readings(batch: &Batch) -> impl Iterator<Item = (Uuid, &audit_entry::Model)> {
    let readings = batch.entries.iter().filter(|entry| {
        entry.action == "disclose"
            && entry.outcome == "OK"
            && matches!(entry.actor_kind.as_str(), "USER" | "CLIENT")
    });
    readings.filter_map(|entry| Some((entry.actor_id?, entry)))
}

#[derive(FromQueryResult)]
struct Counted {
    who: Option<Uuid>,
    patient: Option<Uuid>,
    mark: Option<String>,
    seen: i64,
}

async fn counted(op: &Op<Write>, sql: &str, values: Vec<Value>) -> Result<Vec<Suspicion>> {
    let statement = Statement::from_sql_and_values(op.db().get_database_backend(), sql, values);
    let rows = op.db().query_all_raw(statement).await?;
    let suspicions = rows.iter().map(|row| {
        let Counted { who, patient, mark, seen } = Counted::from_query_result(row, "")?;
        Ok(Suspicion { actor: who, patient, mark: mark.unwrap_or_default(), seen, entry: None })
    });
    Ok(suspicions.collect::<std::result::Result<_, sea_orm::DbErr>>()?)
}

/// Since when a rule counts.
fn since(op: &Op<Write>, rule: &alert_rule::Model) -> Value {
    (op.now() - TimeDelta::minutes(i64::from(rule.window_minutes))).into()
}

/// Charts that somebody read within the window. Whoever an alert of this window tells of already is not counted again: their
/// readings only grow more, and a program that reads all the time would have its whole window counted with each batch.
async fn mass_reading(op: &Op<Write>, batch: &Batch, rule: &alert_rule::Model) -> Result<Vec<Suspicion>> {
    let actors: BTreeSet<Uuid> = readings(batch).map(|(actor, _)| actor).collect();
    let alerts: Vec<String> = actors.iter().map(|actor| dedupe_key(op, rule, Some(*actor), "")).collect();
    let actors: Vec<Uuid> = actors.into_iter().collect();
    // The offset has the alerts looked up before anything is counted.
    let sql = "SELECT a.id AS who, NULL::uuid AS patient, NULL::text AS mark, r.seen \
         FROM (SELECT n.id FROM unnest($1::uuid[], $2::text[]) AS n (id, alert) \
         WHERE NOT EXISTS (SELECT FROM security_alert s WHERE s.dedupe_key = n.alert) OFFSET 0) AS a \
         CROSS JOIN LATERAL (SELECT count(DISTINCT p.id) AS seen FROM audit_entry e CROSS JOIN LATERAL unnest(e.patients) AS p (id) \
         WHERE e.actor_id = a.id AND e.at > $3 AND e.action = 'disclose') r WHERE r.seen >= $4";
    let values = vec![actors.into(), alerts.into(), since(op, rule), i64::from(rule.threshold).into()];
    counted(op, sql, values).await
}

/// Who read which chart.
fn pairs(batch: &Batch) -> BTreeMap<Uuid, BTreeSet<Uuid>> {
    let mut pairs: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    for (actor, entry) in readings(batch) {
        pairs.entry(actor).or_default().extend(&entry.patients);
    }
    pairs
}

/// Charts with a restricted label, read by somebody who is not of the patient's care team.
async fn restricted_reading(op: &Op<Write>, batch: &Batch) -> Result<Vec<Suspicion>> {
    let (mut actors, mut patients) = (Vec::new(), Vec::new());
    for (actor, read) in pairs(batch) {
        actors.extend(std::iter::repeat_n(actor, read.len()));
        patients.extend(read);
    }
    if actors.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT r.actor AS who, r.patient, r.patient::text AS mark, 1::bigint AS seen \
         FROM unnest($1::uuid[], $2::uuid[]) AS r (actor, patient) \
         WHERE EXISTS (SELECT FROM sensitivity_label l WHERE l.patient_id = r.patient AND l.object_type = 'PATIENT' AND l.level IN ('R', 'V')) \
         AND NOT EXISTS (SELECT FROM care_team_member m LEFT JOIN user_account u ON u.practitioner_id = m.practitioner_id \
         WHERE m.patient_id = r.patient AND r.actor IN (m.user_id, u.id) AND m.starts_at <= $3 AND (m.ends_at IS NULL OR m.ends_at > $3))";
    counted(op, sql, vec![actors.into(), patients.into(), op.now().into()]).await
}

/// The reader's own chart: it has the e-mail address of their account.
const OWN: &str = "SELECT $1::uuid AS who, t.patient_id AS patient, t.patient_id::text AS mark, 1::bigint AS seen \
    FROM patient_token t WHERE t.kind = 'EMAIL' AND t.token = $2 AND t.patient_id = ANY($3)";

/// Charts that share a telephone number or an e-mail address with the reader's own.
const FAMILY: &str = "SELECT DISTINCT $1::uuid AS who, theirs.patient_id AS patient, theirs.patient_id::text AS mark, 1::bigint AS seen \
    FROM patient_token me JOIN patient_token mine ON mine.patient_id = me.patient_id AND mine.kind IN ('EMAIL', 'PHONE') \
    JOIN patient_token theirs ON theirs.kind = mine.kind AND theirs.token = mine.token AND theirs.patient_id = ANY($3) \
    WHERE me.kind = 'EMAIL' AND me.token = $2 AND NOT EXISTS \
    (SELECT FROM patient_token self WHERE self.patient_id = theirs.patient_id AND self.kind = 'EMAIL' AND self.token = $2)";

async fn own(op: &Op<Write>, batch: &Batch, sql: &str) -> Result<Vec<Suspicion>> {
    let pairs = pairs(batch);
    let actors = pairs.keys().copied().collect();
    let users = user_account::Entity::find().filter(any_of(user_account::Column::Id, actors));
    let mut suspicions = Vec::new();
    for user in users.all(op.db()).await? {
        let (Some(token), Some(read)) =
            (op.token(IndexField::Email, &user.email).await?, pairs.get(&user.id.0))
        else {
            continue;
        };
        let read: Vec<Uuid> = read.iter().copied().collect();
        suspicions.extend(counted(op, sql, vec![user.id.0.into(), token.into(), read.into()]).await?);
    }
    Ok(suspicions)
}

async fn failed_sign_ins(op: &Op<Write>, rule: &alert_rule::Model) -> Result<Vec<Suspicion>> {
    let sql = "SELECT NULL::uuid AS who, NULL::uuid AS patient, coalesce(source_address, '') AS mark, sum(times)::bigint AS seen \
         FROM audit_entry WHERE at > $1 AND outcome = 'DENIED' AND action LIKE 'login%' \
         GROUP BY coalesce(source_address, '') HAVING sum(times) >= $2";
    counted(op, sql, vec![since(op, rule), i64::from(rule.threshold).into()]).await
}

async fn break_glass(op: &Op<Write>, rule: &alert_rule::Model) -> Result<Vec<Suspicion>> {
    let sql = "SELECT actor_id AS who, NULL::uuid AS patient, NULL::text AS mark, count(*) AS seen FROM audit_entry \
         WHERE at > $1 AND action = 'break-glass.declare' AND outcome = 'OK' AND actor_id IS NOT NULL GROUP BY actor_id HAVING count(*) >= $2";
    counted(op, sql, vec![since(op, rule), i64::from(rule.threshold).into()]).await
}

fn forged(batch: &Batch) -> Vec<Suspicion> {
    let Some(first) = batch.forged.first() else { return Vec::new() };
    let seen = i64::try_from(batch.forged.len()).unwrap_or(i64::MAX);
    vec![Suspicion { entry: Some(first.id), mark: first.id.to_string(), seen, ..Suspicion::default() }]
}

/// What tells the alert of a window from all others.
fn dedupe_key(op: &Op<Write>, rule: &alert_rule::Model, actor: Option<Uuid>, mark: &str) -> String {
    let round = op.now().timestamp().div_euclid(i64::from(rule.window_minutes) * 60);
    let actor = actor.map(|actor| UserId(actor).to_string()).unwrap_or_default();
    format!("{}:{actor}:{mark}:{round}", rule.kind)
}

async fn raise(op: &Op<Write>, rule: &alert_rule::Model, found: Suspicion) -> Result<()> {
    let dedupe_key = dedupe_key(op, rule, found.actor, &found.mark);
    let id = SecurityAlertId(op.new_id());
    let row = security_alert::ActiveModel {
        id: Set(id),
        version: NotSet,
        created_at: Set(op.now()),
        updated_at: Set(op.now()),
        kind: Set(rule.kind.clone()),
        status: Set(security_alert::AlertStatus::Open),
        actor_id: Set(found.actor),
        patient_id: Set(found.patient.map(PatientId)),
        entry_id: Set(found.entry),
        seen: Set(i32::try_from(found.seen).unwrap_or(i32::MAX)),
        threshold: Set(rule.threshold),
        window_minutes: Set(rule.window_minutes),
        dedupe_key: Set(dedupe_key),
        closed_at: Set(None),
        closed_by: Set(None),
        close_reason: Set(None),
    };
    let once = OnConflict::column(security_alert::Column::DedupeKey).do_nothing().to_owned();
    if security_alert::Entity::insert(row).on_conflict(once).exec_without_returning(op.db()).await? == 0 {
        return Ok(());
    }
    let mut entry = Entry::done("security-alert.raise").on("SecurityAlert", id.0, 1);
    entry.patients.extend(found.patient);
    op.record(entry);
    let facts = json!({ "kind": rule.kind, "alert": id.to_string() });
    let mail = NewMail {
        to: String::new(),
        template: "security_alert",
        locale: None,
        facts: facts.as_object().cloned().unwrap_or_default(),
        dedupe_key: Some(format!("alert:{id}")),
    };
    enqueue_to_holders(op, Permission::SECURITY_ALERT_READ, &mail).await?;
    Ok(())
}
