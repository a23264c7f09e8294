//! What is told of documents.

use async_graphql::{ID, InputObject};
use praxis_domain::documents;

use crate::{error::ApiError, ids};

/// What a section says now.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentSectionInput {
    /// LOINC code of the section.
    code: String,
    /// Markdown.
    text: String,
}

pub(crate) fn texts(sections: Vec<DocumentSectionInput>) -> Vec<documents::SectionText> {
    let text =
        |section: DocumentSectionInput| documents::SectionText { code: section.code, text: section.text };
    sections.into_iter().map(text).collect()
}

/// A document to be begun.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentDraftInput {
    /// Whose.
    patient_id: ID,
    /// In which encounter.
    encounter_id: Option<ID>,
    /// From which template.
    template_id: ID,
    /// What it says already; sections that are not given start as the template has them.
    #[graphql(default)]
    sections: Vec<DocumentSectionInput>,
}

impl TryFrom<DocumentDraftInput> for documents::DraftDocument {
    type Error = ApiError;

    fn try_from(input: DocumentDraftInput) -> Result<Self, ApiError> {
        Ok(Self {
            patient: ids::parse(&input.patient_id)?,
            encounter: input.encounter_id.as_ref().map(ids::parse).transpose()?,
            template: ids::parse(&input.template_id)?,
            sections: texts(input.sections),
        })
    }
}

/// What a working copy says now.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentSaveInput {
    /// The document.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// The sections that changed; others stay.
    pub(crate) sections: Vec<DocumentSectionInput>,
}

/// A working copy to be edited here.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentLeaseTakeInput {
    /// The document.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// Also when its author edits it in another place.
    #[graphql(default)]
    pub(crate) take_over: bool,
}

/// A working copy that is not edited here any more.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentLeaseReleaseInput {
    /// The document.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// A working copy to be given up.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentDiscardInput {
    /// The document.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// A working copy to be signed.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentSignInput {
    /// The document.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// A document to be cosigned.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentCosignInput {
    /// The document.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// What a signed document says from now on.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentAmendInput {
    /// The document.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// The sections that change; others stay.
    pub(crate) sections: Vec<DocumentSectionInput>,
    /// Why.
    pub(crate) reason: String,
}

/// What is added to a signed document.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentAddendumInput {
    /// The document.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// What is added, Markdown.
    pub(crate) text: String,
}

/// A document that should not be there.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentEnterInErrorInput {
    /// The document.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// Why.
    pub(crate) reason: String,
}
