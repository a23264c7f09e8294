//! Taking a template out of use. Documents begun from it go on.

use praxis_entity::{ids::NoteTemplateId, note_template};
use praxis_platform::{Op, Write, audit::Entry};
use sea_orm::{ActiveValue::Set, ActiveValue::Unchanged, EntityTrait};

use super::change::for_change;
use crate::Result;

/// Takes a template out of use.
pub async fn retire(op: &Op<Write>, id: NoteTemplateId, if_version: i32) -> Result<note_template::Model> {
    let stored = for_change(op, id, if_version).await?;
    let row = note_template::ActiveModel {
        id: Unchanged(stored.id),
        retired: Set(true),
        customised: Set(true),
        ..Default::default()
    };
    let retired = note_template::Entity::update(row).exec(op.db()).await?;
    op.record(Entry::done("document-template.retire").on("DocumentTemplate", id.0, retired.version));
    Ok(retired)
}
