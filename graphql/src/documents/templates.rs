//! Templates of documents.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use praxis_domain::documents::templates;
use praxis_entity::note_template;
use praxis_platform::{
    Failure,
    template::{Feeds, NoteSection},
};

use crate::{
    context::change,
    error::ApiError,
    ids,
    payload::{Done, UserError},
    scalar::DateTime,
};

/// A section of a template.
#[derive(SimpleObject, InputObject, Debug, Clone)]
#[graphql(input_name = "DocumentTemplateSectionInput")]
pub(crate) struct DocumentTemplateSection {
    /// LOINC code of the section.
    code: String,
    /// Heading.
    title: String,
    /// Whether a document can be signed only with this section filled in.
    #[graphql(default)]
    required: bool,
    /// The Markdown it starts with.
    #[graphql(default)]
    text: String,
    /// What of its encounter it becomes once a document is signed; each from one section at the most.
    feeds: Option<DocumentSectionFeeds>,
}

/// What of an encounter a section of a signed document becomes.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Feeds")]
pub(crate) enum DocumentSectionFeeds {
    /// Its assessment.
    Assessment,
    /// Its plan.
    Plan,
}

impl From<NoteSection> for DocumentTemplateSection {
    fn from(section: NoteSection) -> Self {
        let NoteSection { loinc, title, required, text, feeds } = section;
        Self { code: loinc, title, required, text, feeds: feeds.map(Into::into) }
    }
}

impl From<DocumentTemplateSection> for NoteSection {
    fn from(section: DocumentTemplateSection) -> Self {
        let DocumentTemplateSection { code, title, required, text, feeds } = section;
        Self { loinc: code, title, required, text, feeds: feeds.map(Into::into) }
    }
}

/// What documents are begun from: sections, and which of them must be filled in.
pub(crate) struct DocumentTemplate {
    row: note_template::Model,
}

impl DocumentTemplate {
    pub(crate) fn new(row: note_template::Model) -> Self {
        Self { row }
    }
}

/// What documents are begun from: sections, and which of them must be filled in.
#[Object]
impl DocumentTemplate {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`. Documents keep the one they were begun from.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was made.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Name shown when a document is begun.
    fn title(&self) -> &str {
        &self.row.title
    }

    /// LOINC code of the documents begun from it.
    #[graphql(name = "type")]
    fn type_code(&self) -> &str {
        &self.row.type_code
    }

    /// Whether a document of somebody who may not cosign needs a cosignature.
    fn needs_cosign(&self) -> bool {
        self.row.needs_cosign
    }

    /// True once out of use.
    fn retired(&self) -> bool {
        self.row.retired
    }

    /// Key in the clinic's template, where it came from there: `soap`.
    fn key(&self) -> Option<&str> {
        self.row.template_key.as_deref()
    }

    /// The sections, in order.
    fn sections(&self) -> Result<Vec<DocumentTemplateSection>, ApiError> {
        let row = self.row.id.0;
        let unreadable = |_| Failure::Inconsistent { table: "note_template", column: "body", row };
        let sections: Vec<NoteSection> = serde_json::from_str(&self.row.body).map_err(unreadable)?;
        Ok(sections.into_iter().map(Into::into).collect())
    }
}

/// A template to be added.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentTemplateAddInput {
    /// Name shown when a document is begun.
    title: String,
    /// LOINC code of the documents begun from it.
    #[graphql(name = "type")]
    type_code: String,
    /// Whether a document of somebody who may not cosign needs a cosignature.
    #[graphql(default = true)]
    needs_cosign: bool,
    /// The sections, in order.
    sections: Vec<DocumentTemplateSection>,
}

/// What a template says from now on.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentTemplateChangeInput {
    /// The template.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// Name shown when a document is begun.
    title: String,
    /// LOINC code of the documents begun from it.
    #[graphql(name = "type")]
    type_code: String,
    /// Whether a document of somebody who may not cosign needs a cosignature.
    #[graphql(default = true)]
    needs_cosign: bool,
    /// The sections, in order.
    sections: Vec<DocumentTemplateSection>,
}

/// A template that goes out of use.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DocumentTemplateRetireInput {
    /// The template.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

macro_rules! template_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The template as it is now.
                document_template: Option<DocumentTemplate>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<note_template::Model>> for $name {
                fn from(done: Done<note_template::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { document_template: row.map(DocumentTemplate::new), user_errors }
                }
            }
        )*
    };
}

template_payload! {
    /// The new template, or why there is none.
    DocumentTemplateAddPayload;
    /// The changed template, or why nothing changed.
    DocumentTemplateChangePayload;
    /// The template out of use, or why nothing changed.
    DocumentTemplateRetirePayload;
}

/// Changing templates of documents.
#[derive(Default)]
pub(crate) struct DocumentTemplateMutation;

#[Object]
impl DocumentTemplateMutation {
    /// Adds a template of documents.
    ///
    /// Errors: REQUIRED, INVALID, OUT_OF_RANGE, TOO_LONG, ALREADY_EXISTS.
    async fn document_template_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The template.")] input: DocumentTemplateAddInput,
    ) -> Result<DocumentTemplateAddPayload, ApiError> {
        let new = templates::SetTemplate {
            title: input.title,
            type_code: input.type_code,
            needs_cosign: input.needs_cosign,
            sections: input.sections.into_iter().map(Into::into).collect(),
        };
        let add = async |op: &_| templates::add(op, new).await;
        Ok(change(ctx, "Mutation.documentTemplateAdd", add).await?.into())
    }

    /// Changes a template for the documents begun from now on. Older ones never change with it.
    ///
    /// Errors: NOT_FOUND, REQUIRED, INVALID, OUT_OF_RANGE, TOO_LONG, ALREADY_EXISTS, VERSION_CONFLICT.
    async fn document_template_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The template and what it says from now on.")] input: DocumentTemplateChangeInput,
    ) -> Result<DocumentTemplateChangePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let to = templates::SetTemplate {
            title: input.title,
            type_code: input.type_code,
            needs_cosign: input.needs_cosign,
            sections: input.sections.into_iter().map(Into::into).collect(),
        };
        let set = async |op: &_| templates::change(op, id, version, to).await;
        Ok(change(ctx, "Mutation.documentTemplateChange", set).await?.into())
    }

    /// Takes a template out of use. Documents begun from it go on.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT.
    async fn document_template_retire(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The template.")] input: DocumentTemplateRetireInput,
    ) -> Result<DocumentTemplateRetirePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let retire = async |op: &_| templates::retire(op, id, version).await;
        Ok(change(ctx, "Mutation.documentTemplateRetire", retire).await?.into())
    }
}
