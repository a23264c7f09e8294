//! Who took part in an encounter, and as what.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{EncounterId, PractitionerId},
    place::ByPlace,
};

/// Who took part in an encounter, and as what.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "encounter_participant")]
pub struct Model {
    /// The encounter.
    #[sea_orm(primary_key, auto_increment = false)]
    pub encounter_id: EncounterId,
    /// Who took part.
    #[sea_orm(primary_key, auto_increment = false)]
    pub practitioner_id: PractitionerId,
    /// v3-ParticipationType: ATND, CON, PPRF, PART …
    #[sea_orm(primary_key, auto_increment = false)]
    pub role: String,
    /// Since when, where that is known.
    pub starts_at: Option<DateTimeUtc>,
    /// Until when.
    pub ends_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
