//! A template of a clinical note.

use sea_orm::entity::prelude::*;

use crate::ids::NoteTemplateId;

/// A template of a clinical note.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "note_template")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoteTemplateId,
    /// Title.
    #[sea_orm(column_type = "Text")]
    pub title: String,
    /// LOINC document type.
    #[sea_orm(column_type = "Text")]
    pub type_code: String,
    /// Markdown with its sections.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// True once out of use.
    pub retired: bool,
    /// Key of the template item this row was seeded from.
    #[sea_orm(column_type = "Text", nullable)]
    pub template_key: Option<String>,
    /// Hash of that item, to see whether the template changed.
    #[sea_orm(column_type = "Text", nullable)]
    pub template_hash: Option<String>,
    /// True when the clinic changed the seeded row.
    pub customised: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
