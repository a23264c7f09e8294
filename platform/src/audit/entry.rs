//! One entry of the audit log.

use std::borrow::Cow;

use chrono::SubsecRound;
use praxis_entity::{
    audit_change, audit_entry,
    ids::{AuditEntryId, BreakGlassId},
    value::{AuditChange, Sealed},
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use uuid::Uuid;

use super::{emergency, insert::insert, line};
use crate::{Failure, op::Origin, vault::TenantKey};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Done.
    Ok,
    /// Refused for lack of rights.
    Denied,
    /// Failed.
    Failed,
}

impl Outcome {
    /// The stored form.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Denied => "DENIED",
            Self::Failed => "FAILED",
        }
    }
}

/// What is to be written down; who, when and where from follow from the operation.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id, where something else must name it; a new one otherwise.
    pub id: Option<AuditEntryId>,
    /// What: `patient.create`, `disclose`, `login`.
    pub action: &'static str,
    /// Kind of the object acted on.
    pub object_type: Option<&'static str>,
    /// The object acted on.
    pub object_id: Option<Uuid>,
    /// Its version afterwards.
    pub object_version: Option<i32>,
    /// Patients concerned.
    pub patients: Vec<Uuid>,
    /// Sensitivity classes concerned.
    pub classes: Vec<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Code of what stood in the way; of a chart as it was known, the moment.
    pub reason: Option<Cow<'static, str>>,
    /// How often it happened.
    pub times: i32,
    /// The emergency access it was done under.
    pub break_glass: Option<BreakGlassId>,
    /// What was changed, sealed.
    pub change: Option<Change>,
}

/// Before and after of a change, sealed under the key of whom it concerns. The log commits to it by a
/// salted hash, and holds when the key, and with it the change, is destroyed.
#[derive(Debug, Clone)]
pub struct Change {
    /// Patient, or the tenant for data of the clinic itself.
    pub subject: Uuid,
    /// SHA-256 of the JSON with its salt.
    pub hash: [u8; 32],
    /// The JSON, sealed.
    pub sealed: Sealed<AuditChange>,
}

impl Entry {
    /// A thing done.
    pub fn done(action: &'static str) -> Self {
        Self {
            id: None,
            action,
            object_type: None,
            object_id: None,
            object_version: None,
            patients: Vec::new(),
            classes: Vec::new(),
            outcome: Outcome::Ok,
            reason: None,
            times: 1,
            break_glass: None,
            change: None,
        }
    }

    /// The object acted on.
    #[must_use]
    pub fn on(mut self, object_type: &'static str, id: Uuid, version: i32) -> Self {
        self.object_type = Some(object_type);
        self.object_id = Some(id);
        self.object_version = Some(version);
        self
    }

    /// The patient concerned.
    #[must_use]
    pub fn of(mut self, patient: Uuid) -> Self {
        self.patients.push(patient);
        self
    }

    /// What stood in the way.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// How it ended, if not well.
    #[must_use]
    pub fn ended(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }
}

/// Writes entries with one statement, authenticated by the clinic's key if it is at hand. What readings leave goes by
/// [`GroupCommit`](super::GroupCommit) instead.
pub async fn write(
    db: &impl ConnectionTrait,
    origin: &Origin,
    key: Option<&TenantKey>,
    entries: Vec<Entry>,
) -> Result<(), Failure> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut changes = Vec::new();
    let lines = lines(origin, key, entries, &mut changes);
    insert(db, &lines, None).await?;
    if !changes.is_empty() {
        audit_change::Entity::insert_many(changes).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Entries that changed nothing, as [`insert`] takes them.
pub fn read_lines(origin: &Origin, key: Option<&TenantKey>, entries: Vec<Entry>) -> Result<String, Failure> {
    let mut changes = Vec::new();
    let lines = lines(origin, key, entries, &mut changes);
    if changes.is_empty() {
        Ok(lines)
    } else {
        Err(Failure::Internal("what was changed is written with the change".to_owned()))
    }
}

fn lines(
    origin: &Origin,
    key: Option<&TenantKey>,
    entries: Vec<Entry>,
    changes: &mut Vec<audit_change::ActiveModel>,
) -> String {
    let now = origin.clock.now();
    let entries = entries.into_iter().flat_map(|entry| emergency::marked(entry, &origin.actor, now));
    let lines = entries.map(|mut entry| {
        let id = *entry.id.get_or_insert_with(|| AuditEntryId(origin.clock.new_id()));
        if let Some(Change { subject, sealed, .. }) = entry.change.clone() {
            let (entry_id, subject, sealed) = (Set(id), Set(subject), Set(sealed));
            changes.push(audit_change::ActiveModel { entry_id, subject, sealed });
        }
        line::unsealed(&entry.row(origin), key)
    });
    lines.collect::<Vec<_>>().join(",")
}

impl Entry {
    fn row(self, origin: &Origin) -> audit_entry::Model {
        let (actor, request) = (&origin.actor, &origin.request);
        audit_entry::Model {
            id: self.id.unwrap_or_else(|| AuditEntryId(origin.clock.new_id())),
            // As precise as the database is: what it gives back must be what was authenticated.
            at: origin.clock.now().trunc_subsecs(6),
            actor_id: actor.id(),
            actor_kind: actor.kind.code().to_owned(),
            roles: actor.roles.clone(),
            session_id: actor.session.map(|session| session.0),
            facility_id: actor.facility.map(|facility| facility.0),
            action: self.action.to_owned(),
            object_type: self.object_type.map(str::to_owned),
            object_id: self.object_id,
            object_version: self.object_version,
            patients: self.patients,
            classes: self.classes,
            purpose: emergency::purpose(self.break_glass, request.purpose).to_owned(),
            operation_hash: request.operation_hash.get().cloned(),
            request_id: request.id,
            source_address: request.source_address.clone(),
            outcome: self.outcome.code().to_owned(),
            // Nobody acts for another yet; the form of the line has its place.
            on_behalf_of: None,
            operation_name: request.operation_name.get().cloned(),
            reason: self.reason.map(Cow::into_owned),
            times: self.times,
            break_glass_id: self.break_glass,
            change_hash: self.change.map(|change| change.hash.to_vec()),
            mac: None,
        }
    }
}
