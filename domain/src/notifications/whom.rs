//! Whom of the staff a notice is for: found by what somebody does here, and kept to who may know of the subject.

use std::{collections::BTreeSet, sync::Arc};

use praxis_entity::{
    care_team_member,
    encounter::{self, Entity as Encounters},
    encounter_participant,
    ids::{EncounterId, PatientId, PractitionerId, UserId},
    user_account::{self, Column},
};
use praxis_platform::{
    Op, Write,
    access::{Actor, EVERYTHING, Permission, Row, Standing, load_grants},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Statement, Value,
};
use uuid::Uuid;

use crate::{Result, page::any_of};

/// Whoever holds a permission by some role.
pub(super) async fn holding(op: &Op<Write>, permission: Permission) -> Result<BTreeSet<UserId>> {
    let sql = "SELECT DISTINCT m.user_id FROM membership m JOIN role r ON r.id = m.role_id AND NOT r.retired \
        JOIN role_permission p ON p.role_id = r.id WHERE p.permission = ANY($1)";
    users(op, sql, vec![EVERYTHING.to_owned(), permission.code().to_owned()].into()).await
}

/// Whoever holds a role.
pub(super) async fn in_role(op: &Op<Write>, code: &str) -> Result<BTreeSet<UserId>> {
    let sql = "SELECT DISTINCT m.user_id FROM membership m JOIN role r ON r.id = m.role_id AND NOT r.retired \
        WHERE r.code = $1";
    users(op, sql, code.into()).await
}

/// Who answers for a visit.
pub(super) async fn responsible(op: &Op<Write>, id: EncounterId) -> Result<BTreeSet<UserId>> {
    let visit = Encounters::find_by_id(id).one(op.db()).await?;
    clinicians(op, visit.and_then(|visit| visit.practitioner_id).into_iter().collect()).await
}

/// Who answers for a visit or takes part in it; where nobody does, who cares for its patient.
pub(super) async fn at_visit(op: &Op<Write>, id: EncounterId) -> Result<BTreeSet<UserId>> {
    let Some(visit) = Encounters::find_by_id(id).one(op.db()).await? else { return Ok(BTreeSet::new()) };
    let part = encounter_participant::Entity::find()
        .filter(encounter_participant::Column::EncounterId.eq(id))
        .filter(encounter_participant::Column::EndsAt.is_null());
    let part = part.all(op.db()).await?.into_iter().map(|row| row.practitioner_id);
    let found = clinicians(op, part.chain(visit.practitioner_id).collect()).await?;
    if found.is_empty() { carers(op, &visit).await } else { Ok(found) }
}

async fn carers(op: &Op<Write>, visit: &encounter::Model) -> Result<BTreeSet<UserId>> {
    use care_team_member::Column as Member;
    let until = Condition::any().add(Member::EndsAt.is_null()).add(Member::EndsAt.gt(op.now()));
    let team = care_team_member::Entity::find()
        .filter(Member::PatientId.eq(visit.patient_id))
        .filter(Member::StartsAt.lte(op.now()))
        .filter(until)
        .all(op.db())
        .await?;
    let mut found = clinicians(op, team.iter().filter_map(|member| member.practitioner_id).collect()).await?;
    found.extend(team.iter().filter_map(|member| member.user_id));
    Ok(found)
}

async fn clinicians(op: &Op<Write>, who: BTreeSet<PractitionerId>) -> Result<BTreeSet<UserId>> {
    let of_them = any_of(Column::PractitionerId, who.into_iter().map(|id| id.0).collect());
    let rows = user_account::Entity::find().filter(of_them).all(op.db()).await?;
    Ok(rows.into_iter().map(|user| user.id).collect())
}

async fn users(op: &Op<Write>, sql: &str, value: Value) -> Result<BTreeSet<UserId>> {
    let rows =
        op.db().query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [value])).await?;
    rows.iter().map(|row| Ok(UserId(row.try_get::<Uuid>("", "user_id")?))).collect()
}

/// Those of them who are here, and may do all of this with the row of a patient; without a patient, at the clinic.
///
/// Each is judged by the evaluator that would judge them if they asked: a notice tells nobody of what they could not
/// open. Emergency access does not count, since nobody declared it for this.
pub(super) async fn who_may(
    op: &Op<Write>,
    users: BTreeSet<UserId>,
    permissions: &[Permission],
    of: Option<(PatientId, Row)>,
) -> Result<Vec<UserId>> {
    let ids = users.into_iter().map(|id| id.0).collect();
    let accounts = user_account::Entity::find()
        .filter(any_of(Column::Id, ids))
        .filter(Column::Active.eq(true))
        .all(op.db())
        .await?;
    let mut allowed = Vec::new();
    for account in accounts {
        let Some(grants) = load_grants(op.db(), account.id, None).await? else { continue };
        let actor = Actor {
            user: Some(account.id),
            practitioner: account.practitioner_id,
            permissions: grants.permissions(),
            roles: grants.roles,
            grants: grants.list,
            ..Actor::anonymous()
        };
        let may = match &of {
            None => permissions.iter().all(|permission| actor.may(*permission)),
            Some((patient, row)) => {
                let standing = Standing::load(op.db(), &actor, &[*patient], op.now()).await?.remove(patient);
                standing.is_some_and(|standing: Arc<Standing>| {
                    let rights = standing.on(&actor, row);
                    permissions.iter().all(|permission| rights.may(*permission))
                })
            }
        };
        if may {
            allowed.push(account.id);
        }
    }
    Ok(allowed)
}
