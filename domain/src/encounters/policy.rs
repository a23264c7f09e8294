//! What the clinic asks of a kind of visit before it is closed, and for how long it can be reopened.

use praxis_entity::{
    encounter::EncounterClass,
    visit_policy::{self, Column},
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{
    ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockType},
};
use serde_json::json;

use crate::{Detail, Result, Violation, ViolationCode};

/// What is asked from now on; what is absent stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct SetVisitPolicy {
    /// Vital signs have to be recorded before it is closed.
    pub needs_vitals: Option<bool>,
    /// Whoever is responsible has to sign a note before it is closed.
    pub needs_signed_note: Option<bool>,
    /// For so many days a closed one can be reopened.
    pub reopen_days: Option<i32>,
}

/// What is asked of a kind of visit.
pub(crate) async fn policy<M>(op: &Op<M>, class: EncounterClass) -> Result<visit_policy::Model> {
    let found = visit_policy::Entity::find_by_id(class.to_value()).one(op.db()).await?;
    Ok(found.ok_or_else(|| Failure::Internal("a kind of visit without a policy".to_owned()))?)
}

/// What is asked of each kind of visit.
pub async fn policies<M>(op: &Op<M>) -> Result<Vec<visit_policy::Model>> {
    op.require(Permission::SETTINGS_READ)?;
    Ok(visit_policy::Entity::find().order_by_asc(Column::Class).all(op.db()).await?)
}

/// Sets what is asked of a kind of visit, also of those that are under way.
pub async fn set_policy(
    op: &Op<Write>,
    class: EncounterClass,
    if_version: i32,
    to: SetVisitPolicy,
) -> Result<visit_policy::Model> {
    op.require(Permission::SETTINGS_MANAGE)?;
    if to.reopen_days.is_some_and(|days| !(0..=365).contains(&days)) {
        let message = "A visit can be reopened for 0 to 365 days.";
        return Err(Violation::at(ViolationCode::OutOfRange, &["reopenDays"], message).into());
    }
    let class = class.to_value();
    let before = visit_policy::Entity::find_by_id(class.clone()).lock(LockType::NoKeyUpdate);
    let before = before.one(op.db()).await?.ok_or_else(|| Violation::unknown("class"))?;
    if before.version != if_version {
        let message = "Somebody else changed this meanwhile.";
        let stale = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
        return Err(stale.with(Detail::Version { current: before.version }).into());
    }
    let vitals = to.needs_vitals.unwrap_or(before.needs_vitals);
    let note = to.needs_signed_note.unwrap_or(before.needs_signed_note);
    let days = to.reopen_days.unwrap_or(before.reopen_days);
    let changed = visit_policy::Entity::update_many()
        .col_expr(Column::NeedsVitals, Expr::value(vitals))
        .col_expr(Column::NeedsSignedNote, Expr::value(note))
        .col_expr(Column::ReopenDays, Expr::value(days))
        .col_expr(Column::Version, Expr::value(before.version + 1))
        .filter(Column::Class.eq(class))
        .exec_with_returning(op.db())
        .await?;
    let changed = changed.into_iter().next().ok_or(Failure::NotFound)?;
    let said = |row: &visit_policy::Model| {
        json!({ "class": row.class, "needsVitals": row.needs_vitals,
            "needsSignedNote": row.needs_signed_note, "reopenDays": row.reopen_days })
    };
    let entry = Entry::done("visit-policy.set").on("Tenant", op.tenant().uuid(), changed.version);
    op.record(op.changed_here(entry, &said(&before), &said(&changed)).await?);
    Ok(changed)
}
