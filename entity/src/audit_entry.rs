//! What was done or read, by whom, of whom: append-only.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{AuditEntryId, BreakGlassId},
    place::ByPlace,
};

/// What was done or read, by whom, of whom: append-only.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "audit_entry")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    /// When.
    pub at: DateTimeUtc,
    /// Who; empty for the system itself and for a failed login.
    pub actor_id: Option<Uuid>,
    /// USER, CLIENT, SYSTEM or OPERATOR.
    #[sea_orm(column_type = "Text")]
    pub actor_kind: String,
    /// Roles held at that moment.
    pub roles: Vec<String>,
    /// In which session.
    pub session_id: Option<Uuid>,
    /// Acting for which branch.
    pub facility_id: Option<Uuid>,
    /// What: `patient.create`, `disclose`, `login`.
    #[sea_orm(column_type = "Text")]
    pub action: String,
    /// Kind of the object acted on.
    #[sea_orm(column_type = "Text", nullable)]
    pub object_type: Option<String>,
    /// The object acted on.
    pub object_id: Option<Uuid>,
    /// Its version afterwards.
    pub object_version: Option<i32>,
    /// Patients concerned.
    pub patients: Vec<Uuid>,
    /// Sensitivity classes opened.
    pub classes: Vec<String>,
    /// Purpose of use, HL7 v3: TREAT, HOPERAT …
    #[sea_orm(column_type = "Text")]
    pub purpose: String,
    /// Hash of the operation's text.
    #[sea_orm(column_type = "Text", nullable)]
    pub operation_hash: Option<String>,
    /// Request it belongs to.
    pub request_id: Option<Uuid>,
    /// Address it came from.
    #[sea_orm(column_type = "Text", nullable)]
    pub source_address: Option<String>,
    /// OK, DENIED or FAILED.
    #[sea_orm(column_type = "Text")]
    pub outcome: String,
    /// For whom the actor acted, if not for themselves.
    pub on_behalf_of: Option<Uuid>,
    /// Name of the operation.
    #[sea_orm(column_type = "Text", nullable)]
    pub operation_name: Option<String>,
    /// Code of what stood in the way.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// How often it happened.
    pub times: i32,
    /// The emergency access it was done under.
    pub break_glass_id: Option<BreakGlassId>,
    /// Commits to what was changed; the change itself is sealed elsewhere.
    pub change_hash: Option<Vec<u8>>,
    /// Made with the clinic's key, by nobody but the server.
    pub mac: Option<Vec<u8>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
