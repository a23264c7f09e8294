//! A version of a document, as it was signed, and its signatures.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use praxis_domain::{Position, documents};
use praxis_entity::{
    clinical_document, document_signature, document_version,
    value::{self as stored, DocumentBody},
};

use super::ClinicalDocument;
use crate::{
    context::Ask,
    error::{Edge, Nullable},
    ids,
    page::connection,
    phi::{Class, Phi},
    policy::{At, at},
    scalar::DateTime,
    staff::Practitioner,
    subject::Subject,
};

/// Why there is a version.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "document_version::VersionKind")]
pub(crate) enum DocumentVersionKind {
    /// The first.
    Original,
    /// Says something else, for a reason.
    Amendment,
    /// Says that the document should not be there, and why.
    Retraction,
    /// Came from elsewhere.
    Received,
}

/// What somebody says by signing.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "document_signature::SignatureMeaning")]
pub(crate) enum SignatureMeaning {
    /// I wrote this.
    Author,
    /// I have read this, and answer for it too.
    Cosign,
}

/// A section of a document.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct DocumentSection {
    /// LOINC code of the section, for example `51848-0`.
    code: String,
    /// Heading, as it was when the document was begun.
    title: String,
    /// Markdown.
    text: String,
}

impl From<&stored::DocumentSection> for DocumentSection {
    fn from(section: &stored::DocumentSection) -> Self {
        Self { code: section.code.clone(), title: section.title.clone(), text: section.text.clone() }
    }
}

/// A version of a document, as it was signed. Nobody changes it.
#[derive(Clone)]
pub(crate) struct DocumentVersion {
    row: document_version::Model,
    document: Arc<clinical_document::Model>,
    body: Arc<Class<DocumentBody>>,
    /// The moment as of which it is shown, if not now.
    past: Option<chrono::DateTime<chrono::Utc>>,
}

impl DocumentVersion {
    pub(crate) fn new(
        row: document_version::Model,
        document: &Arc<clinical_document::Model>,
        subject: &Arc<Subject>,
    ) -> Self {
        let body = Class::signed("document_version", row.id.0, subject, row.body.clone());
        Self { row, document: Arc::clone(document), body, past: None }
    }

    /// The version that counted at a moment.
    pub(crate) fn as_known(
        row: document_version::Model,
        document: clinical_document::Model,
        at: chrono::DateTime<chrono::Utc>,
    ) -> Self {
        let subject = Subject::new(row.patient_id, &document);
        let row = document_version::Model { head: true, ..row };
        Self { past: Some(at), ..Self::new(row, &Arc::new(document), &subject) }
    }

    pub(crate) fn position(row: &document_version::Model) -> Position {
        Position { key: Some(row.authored_at), id: row.id.0 }
    }

    pub(crate) fn number(&self) -> i32 {
        self.row.version
    }

    /// What it says, if that is what was signed.
    pub(crate) fn verified<T: 'static>(
        &self,
        at: &'static At,
        project: fn(&DocumentBody) -> Option<T>,
    ) -> Phi<DocumentBody, T> {
        let (document, row) = (Arc::clone(&self.document), self.row.clone());
        Phi::verified(at, &self.body, move |body| {
            documents::verify(&document, &row, body)?;
            Ok(project(body))
        })
    }
}

/// A version of a document, as it was signed. Nobody changes it.
#[Object]
impl DocumentVersion {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// The document, as it stands now.
    fn document(&self) -> ClinicalDocument {
        ClinicalDocument::new((*self.document).clone())
    }

    /// From 1 on.
    #[graphql(name = "number")]
    fn show_number(&self) -> i32 {
        self.row.version
    }

    /// The version it takes the place of: always the one before.
    fn supersedes(&self) -> Option<i32> {
        self.row.supersedes
    }

    /// Whether it is the one that counts.
    fn current(&self) -> bool {
        self.row.head
    }

    /// Why there is one.
    fn kind(&self) -> DocumentVersionKind {
        self.row.kind.into()
    }

    /// Opaque id of the user who wrote it; null for what came from elsewhere.
    fn author_id(&self) -> Option<ID> {
        self.row.author_id.map(ids::show)
    }

    /// When it was finished.
    fn authored_at(&self) -> DateTime {
        DateTime(self.row.authored_at)
    }

    /// Hash of what was signed, in hexadecimal: of the text, its metadata, and a salt that is sealed with it.
    fn sha256(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.row.sha256)
    }

    /// Why it takes the place of the version before.
    fn reason(&self) -> Phi<DocumentBody, String> {
        self.verified(at!("DocumentVersion.reason"), |body| body.reason.clone())
    }

    /// What it says. Where that is not what was signed, null and an error INTEGRITY_FAILED.
    fn sections(&self) -> Phi<DocumentBody, Vec<DocumentSection>> {
        self.verified(at!("DocumentVersion.sections"), |body| {
            Some(body.sections.iter().map(Into::into).collect())
        })
    }

    /// Who signed it, the first one first.
    async fn signatures(&self, ctx: &Context<'_>) -> Nullable<Vec<DocumentSignature>> {
        async {
            let loader = &ctx.caller()?.loaders().document_signatures;
            let all = loader.load(self.row.document_id).await?.unwrap_or_default();
            let known = |row: &document_signature::Model| self.past.is_none_or(|at| row.signed_at <= at);
            let own = all.into_iter().filter(|row| row.version == self.row.version && known(row));
            Ok(Some(own.map(|row| DocumentSignature { row }).collect()))
        }
        .await
        .or_hidden()
    }
}

connection!(
    /// A page of versions of documents.
    DocumentVersionConnection, DocumentVersionEdge, DocumentVersion
);

/// A signature under a version of a document.
pub(crate) struct DocumentSignature {
    row: document_signature::Model,
}

/// A signature under a version of a document.
#[Object]
impl DocumentSignature {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// What the signer says by it.
    fn meaning(&self) -> SignatureMeaning {
        self.row.meaning.into()
    }

    /// Opaque id of the user who signed.
    fn signer_id(&self) -> ID {
        ids::show(self.row.signer_id)
    }

    /// The same as a clinician.
    async fn signer(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            let Some(id) = self.row.practitioner_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new))
        }
        .await
        .or_hidden()
    }

    /// Hash of what was signed: that of the version.
    fn sha256(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.row.sha256)
    }

    /// Whether the signer had shown a second factor.
    fn second_factor(&self) -> bool {
        self.row.second_factor
    }

    /// When.
    fn signed_at(&self) -> DateTime {
        DateTime(self.row.signed_at)
    }
}

/// What became of a line.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "documents::LineChange")]
pub(crate) enum DocumentLineChange {
    /// In both versions.
    Kept,
    /// In the earlier one only.
    Removed,
    /// In the later one only.
    Added,
}

/// A line of either version.
#[derive(SimpleObject)]
pub(crate) struct DocumentLine {
    /// What became of it.
    change: DocumentLineChange,
    /// The line.
    text: String,
}

/// A section of which two versions say different things.
#[derive(SimpleObject)]
pub(crate) struct DocumentDifference {
    /// LOINC code of the section.
    code: String,
    /// Heading.
    title: String,
    /// What the earlier version says; null where it has no such section.
    before: Option<String>,
    /// What the later version says; null where it has no such section.
    after: Option<String>,
    /// The same line by line.
    lines: Vec<DocumentLine>,
}

impl From<documents::Difference> for DocumentDifference {
    fn from(found: documents::Difference) -> Self {
        let line = |line: documents::Line| DocumentLine { change: line.change.into(), text: line.text };
        Self {
            code: found.code,
            title: found.title,
            before: found.before,
            after: found.after,
            lines: found.lines.into_iter().map(line).collect(),
        }
    }
}
