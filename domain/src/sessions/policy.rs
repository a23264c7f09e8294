//! After how long without use sessions of the clinic are over.

use praxis_entity::session_policy;
use praxis_platform::{Op, Write, access::Permission, audit::Entry, session::IDLE};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType, OnConflict},
};
use serde::{Deserialize, Serialize};

use crate::{Detail, Result, Violation, ViolationCode};

/// How long sessions live at the clinic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionPolicy {
    /// Grows by one with each write; 0 until the clinic decides for itself.
    pub version: i32,
    /// Minutes without use after which a session is over.
    pub idle_minutes: i32,
}

impl From<session_policy::Model> for SessionPolicy {
    fn from(row: session_policy::Model) -> Self {
        Self { version: row.version, idle_minutes: row.idle_minutes }
    }
}

/// How long sessions live at the clinic.
pub async fn policy<M>(op: &Op<M>) -> Result<SessionPolicy> {
    op.require(Permission::SETTINGS_READ)?;
    let idle_minutes = i32::try_from(IDLE.num_minutes()).unwrap_or(i32::MAX);
    let row = session_policy::Entity::find().one(op.db()).await?;
    Ok(row.map_or(SessionPolicy { version: 0, idle_minutes }, Into::into))
}

/// Sets after how many minutes without use sessions are over, those that are open included.
pub async fn set_policy(op: &Op<Write>, idle_minutes: i32, if_version: i32) -> Result<SessionPolicy> {
    op.require(Permission::SETTINGS_MANAGE)?;
    if !(5..=60).contains(&idle_minutes) {
        let message = "Sessions may idle for 5 to 60 minutes.";
        return Err(Violation::at(ViolationCode::OutOfRange, &["idleMinutes"], message).into());
    }
    // Locked, so that what is replaced is what the log says.
    let before = session_policy::Entity::find().lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let written = if if_version == 0 {
        let first = session_policy::ActiveModel {
            only_one: Set(true),
            version: NotSet,
            created_at: Set(op.now()),
            updated_at: Set(op.now()),
            idle_minutes: Set(idle_minutes),
        };
        session_policy::Entity::insert_many([first])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_with_returning(op.db())
            .await?
    } else {
        session_policy::Entity::update_many()
            .col_expr(session_policy::Column::IdleMinutes, Expr::value(idle_minutes))
            .filter(session_policy::Column::Version.eq(if_version))
            .exec_with_returning(op.db())
            .await?
    };
    let Some(row) = written.into_iter().next() else {
        let current = session_policy::Entity::find().one(op.db()).await?.map_or(0, |row| row.version);
        let message = "Somebody else changed this meanwhile.";
        let stale = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
        return Err(stale.with(Detail::Version { current }).into());
    };
    let entry = Entry::done("session-policy.set").on("Tenant", op.tenant().uuid(), row.version);
    let before = before.map(|row| row.idle_minutes);
    op.record(op.changed_here(entry, &before, &Some(row.idle_minutes)).await?);
    Ok(row.into())
}
