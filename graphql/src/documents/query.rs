//! Finding documents and their templates.

use async_graphql::{Context, ID, Object};
use praxis_domain::documents::templates;

use super::{ClinicalDocument, DocumentTemplate};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
};

/// Finding documents and their templates.
#[derive(Default)]
pub(crate) struct DocumentQuery;

#[Object]
impl DocumentQuery {
    /// One clinical document.
    async fn document(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the document.")] id: ID,
    ) -> Nullable<ClinicalDocument> {
        async {
            ctx.read("Query.document")?;
            Ok(ctx.caller()?.loaders().documents.load(ids::parse(&id)?).await?.map(ClinicalDocument::new))
        }
        .await
        .transpose()
    }

    /// One template of documents, also when it is out of use.
    async fn document_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the template.")] id: ID,
    ) -> Nullable<DocumentTemplate> {
        async {
            ctx.read("Query.documentTemplate")?;
            let loader = &ctx.caller()?.loaders().document_templates;
            Ok(loader.load(ids::parse(&id)?).await?.map(DocumentTemplate::new))
        }
        .await
        .transpose()
    }

    /// The templates that documents can be begun from, by title.
    async fn document_templates(&self, ctx: &Context<'_>) -> Result<Vec<DocumentTemplate>, ApiError> {
        let op = ctx.read("Query.documentTemplates")?;
        Ok(templates::list(op).await?.into_iter().map(DocumentTemplate::new).collect())
    }
}
