//! One entry of the audit log.

use praxis_entity::{audit_entry, ids::AuditEntryId};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::{Failure, op::Origin};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Ok,
    /// Refused for lack of rights.
    Denied,
    /// Failed.
    Failed,
}

/// What is to be written down; who, when and where from follow from the operation.
#[derive(Debug, Clone)]
pub struct Entry {
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
}

impl Entry {
    /// A thing done.
    pub fn done(action: &'static str) -> Self {
        Self {
            action,
            object_type: None,
            object_id: None,
            object_version: None,
            patients: Vec::new(),
            classes: Vec::new(),
            outcome: Outcome::Ok,
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

    /// How it ended, if not well.
    #[must_use]
    pub fn ended(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }
}

/// Writes entries with one statement.
pub async fn write(db: &impl ConnectionTrait, origin: &Origin, entries: Vec<Entry>) -> Result<(), Failure> {
    if entries.is_empty() {
        return Ok(());
    }
    let rows = entries.into_iter().map(|entry| audit_entry::ActiveModel {
        id: Set(AuditEntryId(origin.clock.new_id())),
        at: Set(origin.clock.now()),
        actor_id: Set(origin.actor.user.map(|user| user.0)),
        actor_kind: Set(origin.actor.kind.code().to_owned()),
        roles: Set(origin.actor.roles.clone()),
        session_id: Set(origin.actor.session.map(|session| session.0)),
        facility_id: Set(origin.actor.facility.map(|facility| facility.0)),
        action: Set(entry.action.to_owned()),
        object_type: Set(entry.object_type.map(str::to_owned)),
        object_id: Set(entry.object_id),
        object_version: Set(entry.object_version),
        patients: Set(entry.patients),
        classes: Set(entry.classes),
        purpose: Set(origin.request.purpose.to_owned()),
        operation_hash: Set(origin.request.operation_hash.get().cloned()),
        request_id: Set(origin.request.id),
        source_address: Set(origin.request.source_address.clone()),
        outcome: Set(match entry.outcome {
            Outcome::Ok => "OK",
            Outcome::Denied => "DENIED",
            Outcome::Failed => "FAILED",
        }
        .to_owned()),
    });
    audit_entry::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}
