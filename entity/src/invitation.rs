//! Somebody asked to join the clinic.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{FacilityId, InvitationId, PractitionerId, RoleId, UserId},
    place::ByPlace,
};

/// Somebody asked to join the clinic.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Where the link went, lower case; the login of the account to be.
    #[sea_orm(column_type = "Text")]
    pub email: String,
    /// Name as it is going to be shown.
    #[sea_orm(column_type = "Text")]
    pub display_name: String,
    /// The role that is offered.
    pub role_id: RoleId,
    /// Where; empty means everywhere.
    pub facility_id: Option<FacilityId>,
    /// The clinician this person is.
    pub practitioner_id: Option<PractitionerId>,
    /// Who answers for it; empty for the installation's operator.
    pub invited_by: Option<UserId>,
    /// Keyed hash of the link's secret.
    pub token_hash: Vec<u8>,
    /// When the link ends.
    pub expires_at: DateTimeUtc,
    /// Where it stands; one that is past its end may still say SENT.
    #[sea_orm(column_type = "Text")]
    pub status: InvitationStatus,
    /// The account that was made.
    pub user_id: Option<UserId>,
}

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InvitationStatus {
    /// The link is on its way, or waits to be used.
    Sent,
    /// There is an account.
    Accepted,
    /// Nobody used the link in time.
    Expired,
    /// Taken back.
    Revoked,
}

impl Model {
    /// Where it stands at an instant.
    pub fn status_at(&self, now: DateTimeUtc) -> InvitationStatus {
        match self.status {
            InvitationStatus::Sent if self.expires_at <= now => InvitationStatus::Expired,
            status => status,
        }
    }
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
