//! Who takes part in a visit, as what, and from when to when.

use praxis_entity::{
    encounter,
    encounter_participant::{self, Column},
    ids::{EncounterId, PractitionerId},
};
use praxis_platform::{Op, Write, access::Permission};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::{change::begin, record::explain};
use crate::{Result, Violation, ViolationCode, event::Event};

/// Who is responsible, v3-ParticipationType.
pub(crate) const ATTENDING: &str = "ATND";

/// As what somebody may take part, v3-ParticipationType.
pub const ROLES: [&str; 6] = [ATTENDING, "CON", "REF", "PPRF", "SPRF", "PART"];

/// Adds somebody to a visit, from now on.
pub async fn add_participant(
    op: &Op<Write>,
    id: EncounterId,
    if_version: i32,
    practitioner: PractitionerId,
    role: &str,
) -> Result<encounter::Model> {
    let (permission, action) = (Permission::ENCOUNTER_CONSULT, "encounterParticipantAdd");
    let step = begin(op, permission, action, (id, Some(if_version))).await?;
    if !join(op, id, practitioner, role).await? {
        let message = "They take part already, in this role.";
        return Err(Violation::at(ViolationCode::AlreadyExists, &["practitionerId"], message).into());
    }
    let happened = Event::EncounterJoined { encounter: id, patient: step.stored.patient_id, practitioner };
    step.take(op, encounter::ActiveModel::default(), happened).await
}

/// Ends somebody's part in a visit.
pub async fn end_participant(
    op: &Op<Write>,
    id: EncounterId,
    if_version: i32,
    practitioner: PractitionerId,
    role: &str,
) -> Result<encounter::Model> {
    let (permission, action) = (Permission::ENCOUNTER_CONSULT, "encounterParticipantEnd");
    let step = begin(op, permission, action, (id, Some(if_version))).await?;
    let ended = encounter_participant::Entity::update_many()
        .col_expr(Column::EndsAt, Expr::value(op.now()))
        .filter(Column::EncounterId.eq(id))
        .filter(Column::PractitionerId.eq(practitioner))
        .filter(Column::Role.eq(role))
        .filter(Column::EndsAt.is_null())
        .exec(op.db())
        .await?;
    if ended.rows_affected == 0 {
        return Err(Violation::unknown("practitionerId").into());
    }
    let happened = Event::EncounterLeft { encounter: id, patient: step.stored.patient_id, practitioner };
    step.take(op, encounter::ActiveModel::default(), happened).await
}

/// Adds somebody, or lets them go on who had left; false where they take part already.
pub(super) async fn join(
    op: &Op<Write>,
    id: EncounterId,
    practitioner: PractitionerId,
    role: &str,
) -> Result<bool> {
    let row = encounter_participant::ActiveModel {
        encounter_id: Set(id),
        practitioner_id: Set(practitioner),
        role: Set(role.to_owned()),
        starts_at: Set(Some(op.now())),
        ends_at: Set(None),
    };
    let key = [Column::EncounterId, Column::PractitionerId, Column::Role];
    let inserted = encounter_participant::Entity::insert(row)
        .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
        .exec_without_returning(op.db())
        .await
        .map_err(explain)?;
    if inserted > 0 {
        return Ok(true);
    }
    let back = encounter_participant::Entity::update_many()
        .col_expr(Column::EndsAt, Expr::value(Option::<chrono::DateTime<chrono::Utc>>::None))
        .filter(Column::EncounterId.eq(id))
        .filter(Column::PractitionerId.eq(practitioner))
        .filter(Column::Role.eq(role))
        .filter(Column::EndsAt.is_not_null())
        .exec(op.db())
        .await?;
    Ok(back.rows_affected > 0)
}

/// The visit is over for everybody.
pub(crate) async fn all_leave(op: &Op<Write>, id: EncounterId) -> Result<()> {
    encounter_participant::Entity::update_many()
        .col_expr(Column::EndsAt, Expr::value(op.now()))
        .filter(Column::EncounterId.eq(id))
        .filter(Column::StartsAt.is_not_null())
        .filter(Column::EndsAt.is_null())
        .exec(op.db())
        .await?;
    Ok(())
}
