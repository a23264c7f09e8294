//! Making a version: sealed, hashed, signed.

use chrono::SubsecRound;
use praxis_entity::{
    clinical_document,
    document_signature::{self, SignatureMeaning},
    document_version::{self, VersionKind},
    ids::{DocumentVersionId, SignatureId},
    value::DocumentBody,
};
use praxis_platform::{
    Failure, Op, Write,
    vault::{DataKey, crypto},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter,
};

use super::{check, verify::hash};
use crate::Result;

/// The version that counts; `None` before the first is signed.
pub(super) async fn head(
    op: &Op<Write>,
    document: &clinical_document::Model,
) -> Result<Option<document_version::Model>> {
    let of_document = document_version::Column::DocumentId.eq(document.id);
    let head =
        document_version::Entity::find().filter(of_document).filter(document_version::Column::Head.eq(true));
    Ok(head.one(op.db()).await?)
}

/// Adds the version that follows `before`, written by the actor. From here on nobody changes it.
pub(super) async fn append(
    op: &Op<Write>,
    key: &DataKey,
    document: &clinical_document::Model,
    before: Option<&document_version::Model>,
    kind: VersionKind,
    body: DocumentBody,
) -> Result<document_version::Model> {
    let body = DocumentBody {
        salt: data_encoding::HEXLOWER.encode(&crypto::random::<32>().map_err(Failure::from)?),
        ..body
    };
    let (id, supersedes) = (DocumentVersionId(op.new_id()), before.map(|before| before.version));
    let place = op.place("document_version", id.0, document.patient_id.0);
    let mut row = document_version::Model {
        document_id: document.id,
        version: supersedes.unwrap_or(0) + 1,
        id,
        supersedes,
        head: true,
        patient_id: document.patient_id,
        kind,
        author_id: op.actor().user,
        // As precise as the database is: what it gives back must be what was hashed.
        authored_at: op.now().trunc_subsecs(6),
        body: op.seal(key, &place, &body)?,
        sha256: Vec::new(),
    };
    row.sha256 = hash(document, &row, &body)?.to_vec();
    Ok(document_version::Entity::insert(new_row(row)).exec_with_returning(op.db()).await?)
}

/// A row to be added: all but what the database decides.
pub(super) fn new_row(row: document_version::Model) -> document_version::ActiveModel {
    document_version::ActiveModel {
        document_id: Set(row.document_id),
        version: Set(row.version),
        id: Set(row.id),
        supersedes: Set(row.supersedes),
        head: NotSet,
        patient_id: Set(row.patient_id),
        kind: Set(row.kind),
        author_id: Set(row.author_id),
        authored_at: Set(row.authored_at),
        body: Set(row.body),
        sha256: Set(row.sha256),
    }
}

/// The actor's name under a version.
pub(super) async fn sign(
    op: &Op<Write>,
    version: &document_version::Model,
    meaning: SignatureMeaning,
) -> Result<document_signature::Model> {
    let row = document_signature::ActiveModel {
        id: Set(SignatureId(op.new_id())),
        document_id: Set(version.document_id),
        version: Set(version.version),
        sha256: Set(version.sha256.clone()),
        signer_id: Set(check::signer(op)?),
        practitioner_id: Set(op.actor().practitioner),
        meaning: Set(meaning),
        second_factor: Set(op.actor().second_factor_at.is_some()),
        signed_at: Set(op.now()),
    };
    Ok(document_signature::Entity::insert(row).exec_with_returning(op.db()).await?)
}
