//! That a patient agreed to be written to at one number or address.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{PatientId, UserId},
    notification::Channel,
    place::ByPlace,
};

/// That a patient agreed to be written to at one number or address.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "channel_consent")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who agreed.
    pub patient_id: PatientId,
    /// By which way: EMAIL or SMS.
    pub channel: Channel,
    /// Keyed hash of the number or address.
    pub contact_token: Vec<u8>,
    /// When.
    pub given_at: DateTimeUtc,
    /// Who wrote it down.
    pub recorded_by: Option<UserId>,
    /// When it was taken back.
    pub withdrawn_at: Option<DateTimeUtc>,
    /// Who wrote that down.
    pub withdrawn_by: Option<UserId>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
