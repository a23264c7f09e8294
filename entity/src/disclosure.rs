//! To whom outside a patient's data were given.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{DisclosureId, PatientId, UserId},
    place::ByPlace,
    value::{DisclosureDetails, Sealed},
};

/// To whom outside a patient's data were given.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "disclosure")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DisclosureId,
    /// When it was written down.
    pub created_at: DateTimeUtc,
    /// Whose data.
    pub patient_id: PatientId,
    /// When they were given.
    pub disclosed_at: DateTimeUtc,
    /// What for.
    #[sea_orm(column_type = "Text")]
    pub purpose: String,
    /// To whom, what and why.
    pub details: Sealed<DisclosureDetails>,
    /// Who wrote it down.
    pub recorded_by: Option<UserId>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
