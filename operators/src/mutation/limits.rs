//! What a clinic may ask for and how fast, and what it may have.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object};
use praxis_fleet::{
    operators::Right,
    tenant::{self as life, Change, LimitChanges},
};

use super::TenantPayload;
use crate::{
    ground::{Ground, acting},
    stored::{OperationMode, Stored as _},
    tenants::clinic_id,
};

#[derive(Default)]
pub(super) struct LimitsMutation;

/// What a clinic may ask for and how fast, and what it may have. What is left out stays; null is what the settings say, or as
/// much as there is.
#[derive(InputObject)]
pub(crate) struct TenantLimitsSetInput {
    /// The clinic's id.
    id: ID,
    /// Which operations its programs may send, if the installation's setting is not stricter.
    operations: MaybeUndefined<OperationMode>,
    /// Points the whole clinic may spend at once.
    points: MaybeUndefined<i32>,
    /// Points it gets back each second.
    restore: MaybeUndefined<i32>,
    /// Points one person may spend at once.
    actor_points: MaybeUndefined<i32>,
    /// Points they get back each second.
    actor_restore: MaybeUndefined<i32>,
    /// Accounts that can sign in.
    seats: MaybeUndefined<i32>,
    /// Bytes of documents and of what was imported: a whole number.
    storage_bytes: MaybeUndefined<f64>,
}

/// The whole number that this is, as far as each of them can be told from the next.
#[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53, as was asked")]
fn whole(number: f64) -> Option<i64> {
    const TOLD_APART: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() < TOLD_APART).then_some(number as i64)
}

fn change<T>(given: MaybeUndefined<T>) -> Change<T> {
    match given {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Reset,
        MaybeUndefined::Value(value) => Change::Set(value),
    }
}

#[Object]
impl LimitsMutation {
    /// Changes what a clinic may ask for and how fast, and what it may have. A number that is smaller than what it has takes
    /// nothing away: it only lets nothing more in. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`, `INVALID`.
    async fn tenant_limits_set(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and what it may.")] input: TenantLimitsSetInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        let clinic = clinic_id(&input.id)?;
        let changes = LimitChanges {
            operations: change(input.operations.map_value(OperationMode::code)),
            points: change(input.points),
            restore: change(input.restore),
            actor_points: change(input.actor_points),
            actor_restore: change(input.actor_restore),
            seats: change(input.seats),
            // None of a clinic's limits is 0, so that is refused as such.
            storage_bytes: change(input.storage_bytes.map_value(|bytes| whole(bytes).unwrap_or(0))),
        };
        let changed = match changes.operations {
            // What another build wrote is shown, and can't be chosen.
            Change::Set("") => Err(life::LifeError::Invalid {
                field: "operations",
                why: "expected OPEN, APQ or REGISTERED".to_owned(),
            }),
            _ => life::set_limits(&mut admin, &context.data::<Ground>()?.cells, clinic, changes).await,
        };
        TenantPayload::of(&mut admin, clinic, changed, "id").await
    }
}
