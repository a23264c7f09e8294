//! Giving a task to somebody, or back to those who may take it on.

use praxis_entity::{
    ids::{TaskId, UserId},
    role, task,
    task::TaskStatus,
    user_account,
};
use praxis_platform::{
    Failure, Op, Write,
    access::{EVERYTHING, Permission},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter,
    Statement,
};

use super::check;
use crate::{
    Result, ViolationCode,
    error::Violations,
    event::{self, Event},
};

/// Who is to do a task from now on.
#[derive(Debug, Clone)]
pub enum AssignTo {
    /// One person.
    User(UserId),
    /// Whoever holds a role.
    Role(String),
}

/// Gives a task to somebody else; it waits until they take it on. Its owner gives it back to a role; to a person
/// only those who lead do.
pub async fn assign(op: &Op<Write>, id: TaskId, if_version: i32, to: AssignTo) -> Result<task::Model> {
    let stored = check::ready(op, (id, if_version), Permission::TASK_WORK, "taskAssign").await?;
    let mut found = Violations::default();
    let (owner, role) = match to {
        AssignTo::User(user) => {
            if !op.actor().may(Permission::TASK_ASSIGN) {
                return Err(Failure::Forbidden(Permission::TASK_ASSIGN).into());
            }
            judge_owner(op, &mut found, &["to", "userId"], user).await?;
            (Some(user), stored.role_code.clone())
        }
        AssignTo::Role(role) => {
            judge_role(op, &mut found, &["to", "role"], &role).await?;
            (None, Some(role))
        }
    };
    found.check()?;
    let change = task::ActiveModel {
        status: Set(TaskStatus::Requested),
        owner_id: Set(owner),
        role_code: Set(role),
        ..Default::default()
    };
    let assigned = check::change(op, &stored, change, "task.assign").await?;
    let (patient, encounter) = (assigned.patient_id, assigned.encounter_id);
    event::happened(op, Event::TaskAssigned { task: id, patient, encounter }).await?;
    Ok(assigned)
}

/// Whether a person can be asked: they are there, and some role of theirs lets them work on tasks.
pub(super) async fn judge_owner(
    op: &Op<Write>,
    found: &mut Violations,
    path: &[&str],
    user: UserId,
) -> Result<()> {
    let account = user_account::Entity::find_by_id(user).one(op.db()).await?;
    if !account.is_some_and(|account| account.active) {
        found.add(ViolationCode::NotFound, path, "There is no such user.");
        return Ok(());
    }
    let sql = "SELECT FROM membership m JOIN role r ON r.id = m.role_id AND NOT r.retired \
        JOIN role_permission p ON p.role_id = r.id AND p.permission = ANY($2) WHERE m.user_id = $1 LIMIT 1";
    let codes = vec![EVERYTHING.to_owned(), Permission::TASK_WORK.code().to_owned()];
    let works = Statement::from_sql_and_values(DbBackend::Postgres, sql, [user.0.into(), codes.into()]);
    if op.db().query_one_raw(works).await?.is_none() {
        found.add(ViolationCode::Invalid, path, "No role of theirs lets them work on tasks.");
    }
    Ok(())
}

/// Whether a role can be asked: it is there, and in use.
pub(crate) async fn judge_role(
    op: &Op<Write>,
    found: &mut Violations,
    path: &[&str],
    code: &str,
) -> Result<()> {
    let known =
        role::Entity::find().filter(role::Column::Code.eq(code)).filter(role::Column::Retired.eq(false));
    if known.count(op.db()).await? == 0 {
        found.add(ViolationCode::NotFound, path, "There is no such role.");
    }
    Ok(())
}
