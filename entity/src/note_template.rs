//! A template of a clinical note.

use sea_orm::entity::prelude::*;

use crate::{ids::NoteTemplateId, place::ByPlace};

/// A template of a clinical note.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "note_template")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoteTemplateId,
    /// Grows by one with each write; every version is kept.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Title.
    #[sea_orm(column_type = "Text")]
    pub title: String,
    /// LOINC document type.
    #[sea_orm(column_type = "Text")]
    pub type_code: String,
    /// Its sections, as JSON.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// Whether one who may not cosign needs somebody who does.
    pub needs_cosign: bool,
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
