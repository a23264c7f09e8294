//! Declarations: all of them for reviewers, their own for everybody else.

use praxis_entity::{
    break_glass::{self, BreakGlassStatus, Column},
    ids::{BreakGlassId, PatientId, UserId},
};
use praxis_platform::{Failure, Op, Write, access::Permission, literal::Literal};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};

use super::reviews;
use crate::{
    PageRequest, Result, Slice, Violation, ViolationCode,
    page::{self, Ordering, any_of},
};

/// Which declarations are wanted.
#[derive(Debug, Clone, Default)]
pub struct BreakGlassFilter {
    /// Where they stand.
    pub status: Option<BreakGlassStatus>,
    /// Reviewed, or waiting for it.
    pub reviewed: Option<bool>,
    /// With a late review, or without one.
    pub overdue: Option<bool>,
    /// Declared by this person.
    pub user: Option<UserId>,
    /// Of this patient.
    pub patient: Option<PatientId>,
}

impl BreakGlassFilter {
    fn condition<M>(&self, op: &Op<M>) -> Result<Condition> {
        let now = op.now();
        let status = self.status.map(|status| match status {
            // Time runs out whether or not somebody notes it.
            BreakGlassStatus::Active => {
                Condition::all().add(Column::Status.is(status)).add(Column::ExpiresAt.gt(now))
            }
            BreakGlassStatus::Expired => Condition::any().add(Column::Status.is(status)).add(
                Condition::all()
                    .add(Column::Status.is(BreakGlassStatus::Active))
                    .add(Column::ExpiresAt.lte(now)),
            ),
            _ => Condition::all().add(Column::Status.is(status)),
        });
        let overdue = Condition::all().add(Column::ReviewedAt.is_null()).add(Column::ReviewDueAt.lte(now));
        Ok(visible(op)?
            .add_option(status)
            .add_option(self.reviewed.map(|reviewed| {
                if reviewed { Column::ReviewedAt.is_not_null() } else { Column::ReviewedAt.is_null() }
            }))
            .add_option(self.overdue.map(|wanted| if wanted { overdue } else { overdue.not() }))
            .add_option(self.user.map(|user| Column::UserId.eq(user)))
            .add_option(self.patient.map(|patient| Column::PatientId.eq(patient))))
    }
}

/// The declarations that the actor may know of.
fn visible<M>(op: &Op<M>) -> Result<Condition> {
    if reviews(op) {
        return Ok(Condition::all());
    }
    op.require(Permission::BREAK_GLASS_USE)?;
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    Ok(Condition::all().add(Column::UserId.eq(user)))
}

/// A page of declarations, newest first.
pub async fn list<M>(
    op: &Op<M>,
    filter: &BreakGlassFilter,
    page: &PageRequest,
) -> Result<Slice<break_glass::Model>> {
    let order = Ordering { column: None, id: Column::Id, descending: true };
    Ok(page::list::<break_glass::Entity>(op.db(), filter.condition(op)?, &order, page).await?)
}

/// How many declarations there are, at most `max`.
pub async fn count<M>(op: &Op<M>, filter: &BreakGlassFilter, max: u64) -> Result<i64> {
    Ok(page::count::<break_glass::Entity>(op.db(), filter.condition(op)?, max).await?)
}

/// The declarations with these ids.
pub async fn by_ids<M>(op: &Op<M>, ids: &[BreakGlassId]) -> Result<Vec<break_glass::Model>> {
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(break_glass::Entity::find().filter(visible(op)?).filter(wanted).all(op.db()).await?)
}

/// The declaration that is about to change.
pub(super) async fn locked(op: &Op<Write>, id: BreakGlassId) -> Result<break_glass::Model> {
    let found = break_glass::Entity::find_by_id(id).filter(visible(op)?).lock(LockType::NoKeyUpdate);
    let found = found.one(op.db()).await?;
    found.ok_or_else(|| {
        Violation::at(ViolationCode::NotFound, &["id"], "There is no such declaration.").into()
    })
}
