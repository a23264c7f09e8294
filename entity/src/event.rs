//! Something that happened.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{EncounterId, EventId, PatientId},
    place::ByPlace,
};

/// Something that happened. Written with the act itself, and never changed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventId,
    /// What happened.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// When.
    pub at: DateTimeUtc,
    /// Who did it; absent where the system or an operator did.
    pub actor_id: Option<Uuid>,
    /// Whom it concerns.
    pub patient_id: Option<PatientId>,
    /// In which encounter.
    pub encounter_id: Option<EncounterId>,
    /// Its number among the events of the encounter, from one and without a gap; given by the database.
    pub encounter_seq: Option<i32>,
    /// The object it happened to.
    pub subject_id: Uuid,
    /// Ids and codes; never PHI.
    pub body: Json,
    /// Its place among all events, given after the commit.
    pub position: Option<i64>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
