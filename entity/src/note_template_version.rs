//! A template of a clinical note as it was at a version: documents begun from it never change with it.

use sea_orm::entity::prelude::*;

use crate::{ids::NoteTemplateId, place::ByPlace};

/// A template of a clinical note as it was at a version.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "note_template_version")]
pub struct Model {
    /// The template.
    #[sea_orm(primary_key, auto_increment = false)]
    pub template_id: NoteTemplateId,
    /// Its version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    /// Since when.
    pub created_at: DateTimeUtc,
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
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
