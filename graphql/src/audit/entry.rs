//! An entry of the log, and the proof that it is in it.

use async_graphql::{Context, ID, Object};
use praxis_domain::Position;
use praxis_entity::{
    audit_entry,
    ids::{AnyId, ApiClientId, FacilityId, PatientId, SessionId, UserId},
};
use praxis_platform::audit::{line, proof::Proof};
use uuid::Uuid;

use super::{
    changes::{AuditFieldChange, changes_of},
    stored::{AuditActorKind, AuditOutcome, Stored},
};
use crate::{
    context::{Ask, Caller},
    error::{ApiError, Nullable},
    ids,
    page::connection,
    policy::at,
    redaction,
    scalar::DateTime,
};

/// Something that was done, read, refused or failed.
pub(crate) struct AuditEntry {
    pub(super) row: audit_entry::Model,
}

/// A signed proof that an entry is in the log.
pub(crate) struct AuditProof {
    proof: Proof,
    row: audit_entry::Model,
}

/// The name of who acted, as it is now.
pub(super) async fn actor_name(caller: &Caller, actor: Option<Uuid>) -> Result<Option<String>, ApiError> {
    let Some(actor) = actor else { return Ok(None) };
    caller.loaders().actor_names.load(actor).await
}

/// The proof of an entry, loaded with those of its siblings; none until it is sealed.
pub(super) async fn proof_of(
    caller: &Caller,
    row: &audit_entry::Model,
) -> Result<Option<AuditProof>, ApiError> {
    let proof = caller.loaders().proofs.load(row.id).await?;
    Ok(proof.map(|proof| AuditProof { proof, row: row.clone() }))
}

/// An id by the name of its kind; the bare UUID of kinds that have no name here.
fn object_id(kind: Option<&str>, id: Uuid) -> ID {
    // What the API calls otherwise than its id.
    let kind = kind.map(|kind| if kind == "ClinicalDocument" { "Document" } else { kind });
    let named = kind.and_then(|kind| AnyId::of_kind(kind, id));
    ID(named.map_or_else(|| id.to_string(), |named| named.to_string()))
}

impl AuditEntry {
    pub(super) fn new(row: audit_entry::Model) -> Self {
        Self { row }
    }

    pub(super) fn position(row: &audit_entry::Model) -> Position {
        Position { key: None, id: row.id.0 }
    }
}

/// Something that was done, read, refused or failed.
#[Object]
impl AuditEntry {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// When.
    fn at(&self) -> DateTime {
        DateTime(self.row.at)
    }

    /// What kind of actor.
    fn actor_kind(&self) -> Option<AuditActorKind> {
        AuditActorKind::of(&self.row.actor_kind)
    }

    /// Which user or client; absent for the system and for who is not known.
    fn actor_id(&self) -> Option<ID> {
        let id = self.row.actor_id?;
        Some(if self.row.actor_kind == "CLIENT" { ids::show(ApiClientId(id)) } else { ids::show(UserId(id)) })
    }

    /// Their name, as it is now.
    async fn actor_name(&self, ctx: &Context<'_>) -> Nullable<String> {
        async { actor_name(ctx.caller()?, self.row.actor_id).await }.await.transpose()
    }

    /// Codes of the roles held at that moment.
    fn roles(&self) -> &[String] {
        &self.row.roles
    }

    /// In which session.
    fn session_id(&self) -> Option<ID> {
        self.row.session_id.map(|id| ids::show(SessionId(id)))
    }

    /// Acting for which branch.
    fn facility_id(&self) -> Option<ID> {
        self.row.facility_id.map(|id| ids::show(FacilityId(id)))
    }

    /// Patients concerned.
    fn patient_ids(&self) -> Vec<ID> {
        self.row.patients.iter().map(|id| ids::show(PatientId(*id))).collect()
    }

    /// What: `appointment.book`, `disclose`, `login`; the field's coordinate where it came to nothing.
    fn action(&self) -> &str {
        &self.row.action
    }

    /// Kind of the object acted on.
    fn object_type(&self) -> Option<&str> {
        self.row.object_type.as_deref()
    }

    /// The object acted on.
    fn object_id(&self) -> Option<ID> {
        self.row.object_id.map(|id| object_id(self.row.object_type.as_deref(), id))
    }

    /// Its version afterwards.
    fn object_version(&self) -> Option<i32> {
        self.row.object_version
    }

    /// Sensitivity classes opened or changed.
    fn classes(&self) -> &[String] {
        &self.row.classes
    }

    /// Purpose of use, HL7 v3.
    fn purpose(&self) -> &str {
        &self.row.purpose
    }

    /// Name of the operation; of a nameless one, the fields it asked for.
    fn operation_name(&self) -> Option<&str> {
        self.row.operation_name.as_deref()
    }

    /// SHA-256 of the operation's text.
    fn operation_hash(&self) -> Option<&str> {
        self.row.operation_hash.as_deref()
    }

    /// The request it belongs to, as the client was told.
    fn request_id(&self) -> Option<String> {
        self.row.request_id.map(|id| id.to_string())
    }

    /// Address it came from.
    fn source_address(&self) -> Option<&str> {
        self.row.source_address.as_deref()
    }

    /// How it ended.
    fn outcome(&self) -> Option<AuditOutcome> {
        AuditOutcome::of(&self.row.outcome)
    }

    /// Code of what stood in the way.
    fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// How often it happened; more than once only for attempts of who is not known.
    fn times(&self) -> i32 {
        self.row.times
    }

    /// The emergency access it was done under.
    fn break_glass_id(&self) -> Option<ID> {
        self.row.break_glass_id.map(ids::show)
    }

    /// What the change replaced, field by field; absent where nothing was replaced.
    async fn changes(&self, ctx: &Context<'_>) -> Nullable<Vec<AuditFieldChange>> {
        async { changes_of(ctx, &self.row).await }.await.transpose()
    }

    /// Proof that it is in the log; absent for the first seconds, until it is sealed.
    async fn proof(&self, ctx: &Context<'_>) -> Nullable<AuditProof> {
        async { proof_of(ctx.caller()?, &self.row).await }.await.transpose()
    }
}

/// A signed proof that an entry is in the log.
#[Object]
impl AuditProof {
    /// Place of the entry in the log, from zero.
    fn index(&self) -> String {
        self.proof.index.to_string()
    }

    /// RFC 6962 hash of the entry's line, in hexadecimal.
    fn leaf_hash(&self) -> String {
        self.proof.leaf.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The proof, as a C2SP `tlog-proof` with the log's signed checkpoint.
    fn text(&self) -> &str {
        &self.proof.text
    }

    /// The entry's line, whose hash is proved. It names everybody whom the entry concerns.
    fn line(&self, ctx: &Context<'_>) -> Nullable<String> {
        let line = || {
            if !redaction::open(ctx, at!("AuditProof.line"))? {
                return Ok(None);
            }
            let line = line(&self.row, self.proof.index, &self.proof.previous);
            Ok(String::from_utf8(line).ok())
        };
        line().transpose()
    }
}

connection!(
    /// Entries of the log.
    AuditEntryConnection,
    AuditEntryEdge,
    AuditEntry
);
