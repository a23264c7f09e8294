//! A user's role, at one facility or everywhere in the clinic.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{FacilityId, MembershipId, RoleId, UserId},
    place::ByPlace,
};

/// A user's role, at one facility or everywhere in the clinic.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "membership")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MembershipId,
    /// Who.
    pub user_id: UserId,
    /// Which role.
    pub role_id: RoleId,
    /// Where; empty means everywhere.
    pub facility_id: Option<FacilityId>,
    /// Since when.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
