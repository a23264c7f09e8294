//! Wrong codes of a user in a row.

use sea_orm::entity::prelude::*;

use crate::{ids::UserId, place::ByPlace};

/// Wrong codes of a user in a row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "factor_guard")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// How many in a row.
    pub failures: i32,
    /// Until when no other code is looked at.
    pub closed_until: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
