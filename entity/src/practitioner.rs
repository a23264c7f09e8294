//! A clinician of the clinic.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{PractitionerId, SpecialtyId},
    place::ByPlace,
};

/// A clinician of the clinic.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "practitioner")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PractitionerId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Family name.
    #[sea_orm(column_type = "Text")]
    pub family: String,
    /// Given names.
    pub given: Vec<String>,
    /// Title.
    #[sea_orm(column_type = "Text", nullable)]
    pub prefix: Option<String>,
    /// Specialty.
    pub specialty_id: Option<SpecialtyId>,
    /// How many visits may be with them at once.
    pub capacity: i32,
    /// How many more on purpose.
    pub overbook_limit: i32,
    /// False once they have left.
    pub active: bool,
    /// True when patients can be booked with them.
    pub bookable: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The name ready to show: title, given names, family name.
    pub fn display_name(&self) -> String {
        self.prefix
            .iter()
            .chain(&self.given)
            .chain(std::iter::once(&self.family))
            .filter(|part| !part.is_empty())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }
}
