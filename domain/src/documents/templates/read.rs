//! Templates, as they are and as they were.

use praxis_entity::{clinical_document, ids::NoteTemplateId, note_template, note_template_version};
use praxis_platform::{Failure, Op, access::Permission, template::NoteSection};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{Result, Violation, page::any_of};

/// A version of a template.
#[derive(Debug, Clone)]
pub struct Template {
    /// The version.
    pub row: note_template_version::Model,
    /// Its sections.
    pub sections: Vec<NoteSection>,
}

/// The templates in use, by title.
pub async fn list<M>(op: &Op<M>) -> Result<Vec<note_template::Model>> {
    op.require(Permission::DOCUMENT_READ)?;
    Ok(note_template::Entity::find()
        .filter(note_template::Column::Retired.eq(false))
        .order_by_asc(note_template::Column::Title)
        .order_by_asc(note_template::Column::Id)
        .all(op.db())
        .await?)
}

/// Templates by their ids, those out of use too.
pub async fn by_ids<M>(op: &Op<M>, ids: &[NoteTemplateId]) -> Result<Vec<note_template::Model>> {
    op.require(Permission::DOCUMENT_READ)?;
    let ids = any_of(note_template::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(note_template::Entity::find().filter(ids).all(op.db()).await?)
}

/// The newest version of a template in use.
pub async fn current<M>(op: &Op<M>, id: NoteTemplateId) -> Result<Template> {
    let found = note_template::Entity::find_by_id(id).one(op.db()).await?;
    let Some(found) = found.filter(|found| !found.retired) else {
        return Err(Violation::unknown("templateId").into());
    };
    version(op, id, found.version).await
}

/// A version of a template.
pub async fn version<M>(op: &Op<M>, id: NoteTemplateId, version: i32) -> Result<Template> {
    let row = note_template_version::Entity::find_by_id((id, version)).one(op.db()).await?;
    let row = row.ok_or(Failure::NotFound)?;
    Ok(Template { sections: sections(id, &row.body)?, row })
}

/// The version that a document was begun from.
pub(in super::super) async fn of<M>(op: &Op<M>, document: &clinical_document::Model) -> Result<Template> {
    match (document.template_id, document.template_version) {
        (Some(id), Some(number)) => version(op, id, number).await,
        _ => {
            // An addendum has one section and no template; nothing of it is required.
            let row = note_template_version::Model {
                template_id: NoteTemplateId(document.id.0),
                version: 0,
                created_at: document.created_at,
                title: String::new(),
                type_code: document.type_code.clone(),
                body: "[]".to_owned(),
                needs_cosign: true,
            };
            Ok(Template { row, sections: Vec::new() })
        }
    }
}

fn sections(id: NoteTemplateId, body: &str) -> std::result::Result<Vec<NoteSection>, Failure> {
    let unreadable = |_| Failure::Inconsistent { table: "note_template_version", column: "body", row: id.0 };
    serde_json::from_str(body).map_err(unreadable)
}
