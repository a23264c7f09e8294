//! What several verbs ask of a document and of whom they serve.

use praxis_entity::{
    clinical_document::{self, DocumentStatus},
    ids::DocumentId,
    value::DocumentBody,
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Actor, Permission, Row},
    vault::DataKey,
};
use sea_orm::{EntityTrait, QuerySelect, sea_query::LockType};
use uuid::Uuid;

use crate::{
    Detail, Result, Violation, ViolationCode, rights,
    transitions::{refusal, step_among},
};

/// The document, locked, at the version that the person saw, if they may do this with it.
pub(super) async fn for_change(
    op: &Op<Write>,
    permission: Permission,
    id: DocumentId,
    if_version: i32,
) -> Result<clinical_document::Model> {
    op.require(permission)?;
    let found = clinical_document::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let stored = found.ok_or_else(|| Violation::unknown("id"))?;
    let (row, seen) = (Row::from(&stored), Permission::DOCUMENT_READ);
    rights::require(op, permission, seen, stored.patient_id, &row, "id").await?;
    if stored.version == if_version {
        return Ok(stored);
    }
    let message = "Somebody else changed this document meanwhile.";
    let violation = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
    Err(violation.with(Detail::Version { current: stored.version }).into())
}

/// Refuses what is not possible from where the document stands, and names what is.
pub(super) async fn possible(op: &Op<Write>, stored: &clinical_document::Model, action: &str) -> Result<()> {
    let (row, open) = (Row::from(stored), |action: &str| is_turn(op.actor(), stored, action));
    step_among(op, MACHINE, action, &stored.status, (stored.patient_id, &row), open).await?;
    Ok(())
}

const MACHINE: &str = "clinical_document";

/// Whether it is the actor's turn to run a mutation on a document: a draft is its author's, and what waits for a
/// cosignature somebody else's. Status and permission are asked apart from this.
pub fn is_turn(actor: &Actor, document: &clinical_document::Model, action: &str) -> bool {
    let own = document.author_id.is_some() && document.author_id == actor.user;
    match document.status {
        DocumentStatus::Draft => own || action == "confidentialitySet",
        DocumentStatus::InReview => !own || action != "documentCosign",
        _ => true,
    }
}

/// What is said to whoever would cosign what they signed.
pub(super) async fn own_signature(op: &Op<Write>, stored: &clinical_document::Model) -> Result<Violation> {
    let (row, open) = (Row::from(stored), |action: &str| action != "documentCosign");
    let refusal = refusal(op, MACHINE, &stored.status, (stored.patient_id, &row), open).await?;
    Ok(refusal.saying("Somebody else has to cosign what you signed."))
}

/// Refuses unless it is a working copy of the actor's own, that nobody edits elsewhere.
pub(super) async fn own_draft(op: &Op<Write>, stored: &clinical_document::Model, action: &str) -> Result<()> {
    possible(op, stored, action).await?;
    if stored.author_id != op.actor().user {
        return Err(Violation::at(ViolationCode::Locked, &["id"], "Only its author changes a draft.").into());
    }
    match stored.lease_until.filter(|until| *until > op.now()) {
        Some(_) if stored.lease_holder != Some(holder(op)?) => {
            let message = "The document is being edited in another place.";
            Err(Violation::at(ViolationCode::Locked, &["id"], message).into())
        }
        _ => Ok(()),
    }
}

/// Who edits: the session, so that two windows of one person do not overwrite each other.
pub(super) fn holder(op: &Op<Write>) -> Result<Uuid> {
    let actor = op.actor();
    let session = actor.session.map(|session| session.0);
    Ok(session.or_else(|| actor.id()).ok_or(Failure::Unauthenticated)?)
}

/// The working copy, opened.
pub(super) async fn opened(
    op: &Op<Write>,
    key: &DataKey,
    stored: &clinical_document::Model,
) -> Result<DocumentBody> {
    let place = op.place("clinical_document", stored.id.0, stored.patient_id.0);
    let Some(draft) = &stored.draft else { return Err(Failure::NotFound.into()) };
    Ok(op.open_unseen(key, &place, draft).await?)
}

/// Who may sign: a person of the staff, so that the name under a document is never a form field.
pub(super) fn signer(op: &Op<Write>) -> Result<praxis_entity::ids::UserId> {
    Ok(op.actor().user.ok_or(Failure::Unauthenticated)?)
}
