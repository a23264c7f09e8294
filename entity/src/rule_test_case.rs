//! A made-up case by which a rule is tested.

use sea_orm::entity::prelude::*;

use crate::{ids::RuleId, place::ByPlace};

/// A made-up case by which a rule is tested.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "rule_test_case")]
pub struct Model {
    /// The rule.
    #[sea_orm(primary_key, auto_increment = false)]
    pub rule_id: RuleId,
    /// What the case is.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub name: String,
    /// Made-up facts, by name.
    pub facts: Json,
    /// Whether the rule has to fire.
    pub fires: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
