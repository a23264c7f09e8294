//! Writing, signing and continuing documents.

use async_graphql::{Context, Object, SimpleObject};
use praxis_domain::documents;
use praxis_entity::clinical_document;

use super::{
    ClinicalDocument,
    inputs::{
        DocumentAddendumInput, DocumentAmendInput, DocumentCosignInput, DocumentDiscardInput,
        DocumentDraftInput, DocumentEnterInErrorInput, DocumentLeaseReleaseInput, DocumentLeaseTakeInput,
        DocumentSaveInput, DocumentSignInput, texts,
    },
};
use crate::{
    context::change,
    error::ApiError,
    ids,
    payload::{Done, UserError},
};

/// Writing, signing and continuing documents.
#[derive(Default)]
pub(crate) struct DocumentMutation;

macro_rules! document_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The document as it is now.
                document: Option<ClinicalDocument>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<clinical_document::Model>> for $name {
                fn from(done: Done<clinical_document::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { document: row.map(ClinicalDocument::new), user_errors }
                }
            }
        )*
    };
}

document_payload! {
    /// The new document, or why there is none.
    DocumentDraftPayload;
    /// The saved document, or why it was not saved.
    DocumentSavePayload;
    /// The document that is edited here now, or why it is not.
    DocumentLeaseTakePayload;
    /// The document that is free again, or why it is not.
    DocumentLeaseReleasePayload;
    /// The document that was given up, or why it was not.
    DocumentDiscardPayload;
    /// The signed document, or why it was not signed.
    DocumentSignPayload;
    /// The cosigned document, or why it was not cosigned.
    DocumentCosignPayload;
    /// The amended document, or why it was not amended.
    DocumentAmendPayload;
    /// The addendum, or why there is none.
    DocumentAddendumPayload;
    /// The document that should not be there, or why nothing changed.
    DocumentEnterInErrorPayload;
}

#[Object]
impl DocumentMutation {
    /// Begins a document from a template; the viewer is its author.
    ///
    /// Errors: NOT_FOUND, INVALID, TOO_LONG, LOCKED, STORAGE_EXHAUSTED.
    async fn document_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document.")] input: DocumentDraftInput,
    ) -> Result<DocumentDraftPayload, ApiError> {
        let new = input.try_into()?;
        Ok(change(ctx, "Mutation.documentDraft", async |op| documents::draft(op, new).await).await?.into())
    }

    /// Saves what the viewer typed in a draft of their own, and keeps the lease. Meant to be called often.
    ///
    /// Errors: NOT_FOUND, INVALID, TOO_LONG, VERSION_CONFLICT, INVALID_TRANSITION, LOCKED.
    async fn document_save(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document and the sections that changed.")] input: DocumentSaveInput,
    ) -> Result<DocumentSavePayload, ApiError> {
        let (id, version, sections) = (ids::parse(&input.id)?, input.if_version, texts(input.sections));
        let save = async |op: &_| documents::save(op, id, version, sections).await;
        Ok(change(ctx, "Mutation.documentSave", save).await?.into())
    }

    /// Takes the lease of a draft for five minutes from now; each save renews it.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION, LOCKED.
    async fn document_lease_take(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document.")] input: DocumentLeaseTakeInput,
    ) -> Result<DocumentLeaseTakePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let take = async |op: &_| documents::take_lease(op, id, input.if_version, input.take_over).await;
        Ok(change(ctx, "Mutation.documentLeaseTake", take).await?.into())
    }

    /// Gives the lease of a draft back.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION, LOCKED.
    async fn document_lease_release(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document.")] input: DocumentLeaseReleaseInput,
    ) -> Result<DocumentLeaseReleasePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let release = async |op: &_| documents::release_lease(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.documentLeaseRelease", release).await?.into())
    }

    /// Gives a draft up. It is shown no more, and stays sealed.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION, LOCKED.
    async fn document_discard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document.")] input: DocumentDiscardInput,
    ) -> Result<DocumentDiscardPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let discard = async |op: &_| documents::discard(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.documentDiscard", discard).await?.into())
    }

    /// Signs a draft of one's own. From then on nobody changes what it says. It is IN_REVIEW until somebody cosigns,
    /// where the viewer may not cosign and the template asks for it.
    ///
    /// Errors: NOT_FOUND, REQUIRED (the sections that are missing), VERSION_CONFLICT, INVALID_TRANSITION, LOCKED.
    async fn document_sign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document.")] input: DocumentSignInput,
    ) -> Result<DocumentSignPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let sign = async |op: &_| documents::sign(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.documentSign", sign).await?.into())
    }

    /// Cosigns a document in review, which somebody else signed.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn document_cosign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document.")] input: DocumentCosignInput,
    ) -> Result<DocumentCosignPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let cosign = async |op: &_| documents::cosign(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.documentCosign", cosign).await?.into())
    }

    /// Signs another version of a signed document, with a reason. The version before stays.
    ///
    /// Errors: NOT_FOUND, REQUIRED, INVALID, TOO_LONG, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn document_amend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document, what it says from now on, and why.")] input: DocumentAmendInput,
    ) -> Result<DocumentAmendPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let to = documents::AmendDocument { sections: texts(input.sections), reason: input.reason };
        let amend = async |op: &_| documents::amend(op, id, version, to).await;
        Ok(change(ctx, "Mutation.documentAmend", amend).await?.into())
    }

    /// Signs an addendum to a signed document: a document of its own, whoever wrote the first.
    ///
    /// Errors: NOT_FOUND, REQUIRED, INVALID, TOO_LONG, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn document_addendum(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document and what is added.")] input: DocumentAddendumInput,
    ) -> Result<DocumentAddendumPayload, ApiError> {
        let new = documents::WriteAddendum {
            to: ids::parse(&input.id)?,
            if_version: input.if_version,
            text: input.text,
        };
        let add = async |op: &_| documents::addendum(op, new).await;
        Ok(change(ctx, "Mutation.documentAddendum", add).await?.into())
    }

    /// Says that a signed document should not be there, with a reason. Nothing is taken away.
    ///
    /// Errors: NOT_FOUND, REQUIRED, INVALID, TOO_LONG, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn document_enter_in_error(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document and why.")] input: DocumentEnterInErrorInput,
    ) -> Result<DocumentEnterInErrorPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let enter = async |op: &_| documents::enter_in_error(op, id, input.if_version, &input.reason).await;
        Ok(change(ctx, "Mutation.documentEnterInError", enter).await?.into())
    }
}
