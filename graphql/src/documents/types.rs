//! The document.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use praxis_domain::{Position, documents};
use praxis_entity::{clinical_document, value::DocumentBody};
use sea_orm::ActiveEnum;

use super::{
    templates::DocumentTemplate,
    version::{DocumentDifference, DocumentSection, DocumentVersion},
};
use crate::{
    allowed::actions,
    context::{Ask, Caller},
    encounters::Encounter,
    error::{ApiError, Code, Edge, Nullable},
    ids,
    page::connection,
    patients::Patient,
    phi::{Class, Phi},
    policy::at,
    redaction::{self, Redaction},
    scalar::DateTime,
    sensitivity::Confidentiality,
    staff::Practitioner,
    subject::Subject,
};

/// Where a document stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "clinical_document::DocumentStatus")]
pub(crate) enum DocumentStatus {
    /// Being written.
    Draft,
    /// Signed by its author, and waiting for somebody to cosign.
    InReview,
    /// Signed.
    Signed,
    /// Signed anew with other content.
    Amended,
    /// Came from elsewhere; signed there, if at all.
    Received,
    /// Should not be there.
    EnteredInError,
    /// Given up before it was signed.
    Discarded,
}

/// Who edits a working copy now.
#[derive(SimpleObject)]
pub(crate) struct DocumentLease {
    /// True when it is this session.
    mine: bool,
    /// When it ends, unless something is saved.
    until: DateTime,
}

/// A clinical document: a working copy until it is signed, then its versions.
pub(crate) struct ClinicalDocument {
    row: Arc<clinical_document::Model>,
    subject: Arc<Subject>,
    draft: Option<Arc<Class<DocumentBody>>>,
}

impl ClinicalDocument {
    pub(crate) fn new(row: clinical_document::Model) -> Self {
        let subject = Subject::new(row.patient_id, &row);
        let sealed = row.draft.clone();
        let draft = sealed.map(|draft| Class::new("clinical_document", row.id.0, &subject, draft));
        Self { row: Arc::new(row), subject, draft }
    }

    pub(crate) fn position(row: &clinical_document::Model) -> Position {
        Position { key: Some(row.created_at), id: row.id.0 }
    }

    fn is_of(&self, caller: &Caller) -> bool {
        self.row.author_id.is_some() && self.row.author_id == caller.actor().user
    }

    async fn all_versions(&self, caller: &Caller) -> Result<Vec<DocumentVersion>, ApiError> {
        let rows = caller.loaders().document_versions.load(self.row.id).await?.unwrap_or_default();
        Ok(rows.into_iter().map(|row| DocumentVersion::new(row, &self.row, &self.subject)).collect())
    }
}

/// A clinical document: a working copy until it is signed, then its versions.
#[Object]
impl ClinicalDocument {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was begun.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Fields that came back null for a reason other than 'no value'.
    pub(crate) async fn redactions(&self, ctx: &Context<'_>) -> Result<Vec<Redaction>, ApiError> {
        redaction::of(ctx.caller()?, "ClinicalDocument", &self.subject, true).await
    }

    /// How sensitive it is: by its own label, or what it hangs on.
    async fn confidentiality(&self, ctx: &Context<'_>) -> Result<Confidentiality, ApiError> {
        Ok(self.subject.level(ctx.caller()?).await?.into())
    }

    /// What the viewer may do with it: permission codes.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<&'static str>, ApiError> {
        self.subject.permissions(ctx.caller()?).await
    }

    /// Names of the mutations that the viewer may run on the document as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let caller = ctx.caller()?;
        let status = self.row.status.to_value();
        let mut open = actions(caller, "clinical_document", &self.subject, &status).await?;
        open.retain(|action| documents::is_turn(caller.actor(), &self.row, action));
        Ok(open)
    }

    /// Whose it is.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async { Ok(ctx.caller()?.loaders().patients.load(self.row.patient_id).await?.map(Patient::new)) }
            .await
            .or_hidden()
    }

    /// In which encounter; null where the viewer may not know of it.
    async fn encounter(&self, ctx: &Context<'_>) -> Nullable<Encounter> {
        async {
            let Some(id) = self.row.encounter_id else { return Ok(None) };
            if !redaction::allowed(ctx, at!("Query.encounter"), &self.subject).await? {
                return Ok(None);
            }
            Ok(ctx.caller()?.loaders().encounters.load(id).await?.map(Encounter::new))
        }
        .await
        .transpose()
    }

    /// What kind of document it is, a LOINC code: `11506-3` progress note, `18842-5` discharge summary.
    #[graphql(name = "type")]
    fn type_code(&self) -> &str {
        &self.row.type_code
    }

    /// The template it was begun from, as it is now; null for addenda and what came from elsewhere.
    async fn template(&self, ctx: &Context<'_>) -> Nullable<DocumentTemplate> {
        async {
            let Some(id) = self.row.template_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().document_templates.load(id).await?.map(DocumentTemplate::new))
        }
        .await
        .or_hidden()
    }

    /// The version of the template that it was begun from, and keeps.
    fn template_version(&self) -> Option<i32> {
        self.row.template_version
    }

    /// Where it stands.
    fn status(&self) -> DocumentStatus {
        self.row.status.into()
    }

    /// Opaque id of the user who writes it; null for what came from elsewhere.
    fn author_id(&self) -> Option<ID> {
        self.row.author_id.map(ids::show)
    }

    /// Who writes it, as a clinician.
    async fn author(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            let Some(id) = self.row.practitioner_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new))
        }
        .await
        .or_hidden()
    }

    /// The document that this one is an addendum to.
    async fn addendum_to(&self, ctx: &Context<'_>) -> Nullable<ClinicalDocument> {
        async {
            let Some(id) = self.row.addendum_to else { return Ok(None) };
            Ok(ctx.caller()?.loaders().documents.load(id).await?.map(ClinicalDocument::new))
        }
        .await
        .or_hidden()
    }

    /// What was added to it, oldest first: whoever shows the document shows these.
    async fn addenda(&self, ctx: &Context<'_>) -> Nullable<Vec<ClinicalDocument>> {
        async {
            let rows = ctx.caller()?.loaders().addenda.load(self.row.id).await?.unwrap_or_default();
            Ok(Some(rows.into_iter().map(ClinicalDocument::new).collect()))
        }
        .await
        .or_hidden()
    }

    /// Who edits the working copy now.
    async fn lease(&self, ctx: &Context<'_>) -> Nullable<DocumentLease> {
        async {
            let caller = ctx.caller()?;
            let (Some(holder), Some(until)) = (self.row.lease_holder, self.row.lease_until) else {
                return Ok(None);
            };
            let session = caller.actor().session.map(|session| session.0).or_else(|| caller.actor().id());
            let lease = DocumentLease { mine: session == Some(holder), until: DateTime(until) };
            Ok((until > caller.reading().now()).then_some(lease))
        }
        .await
        .transpose()
    }

    /// What the working copy says. Only its author sees it; null once it is signed.
    async fn draft(&self, ctx: &Context<'_>) -> Nullable<Phi<DocumentBody, Vec<DocumentSection>>> {
        async {
            let own = self.is_of(ctx.caller()?);
            let draft = self.draft.as_ref().filter(|_| own);
            Ok(Some(Phi::optional(at!("ClinicalDocument.draft"), draft, |body| {
                Some(body.sections.iter().map(Into::into).collect())
            })))
        }
        .await
        .transpose()
    }

    /// The version that counts; null before the first is signed.
    async fn current(&self, ctx: &Context<'_>) -> Nullable<DocumentVersion> {
        async { Ok(self.all_versions(ctx.caller()?).await?.pop()) }.await.or_hidden()
    }

    /// All versions, oldest first. None is ever changed or taken away.
    async fn versions(&self, ctx: &Context<'_>) -> Nullable<Vec<DocumentVersion>> {
        async { self.all_versions(ctx.caller()?).await.map(Some) }.await.or_hidden()
    }

    /// The sections that differ between two versions; null where there is no such version.
    async fn differences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Number of the earlier version.")] from: i32,
        #[graphql(desc = "Number of the later version.")] to: i32,
    ) -> Nullable<Vec<DocumentDifference>> {
        async {
            let caller = ctx.caller()?;
            let versions = self.all_versions(caller).await?;
            let mut said = Vec::with_capacity(2);
            for number in [from, to] {
                let found = versions.iter().find(|version| version.number() == number);
                let version =
                    found.ok_or_else(|| ApiError::new(Code::NotFound, "There is no such version."))?;
                let sections =
                    version.verified(at!("ClinicalDocument.differences"), |body| Some(body.sections.clone()));
                match sections.read(caller).await? {
                    Some(sections) => said.push(sections),
                    None => return Ok(None),
                }
            }
            let [before, after] = said.as_slice() else { return Ok(None) };
            Ok(Some(documents::compare(before, after).into_iter().map(Into::into).collect()))
        }
        .await
        .transpose()
    }
}

connection!(
    /// A page of documents.
    ClinicalDocumentConnection, ClinicalDocumentEdge, ClinicalDocument
);
