//! What a clinic may ask for and how fast.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object};
use praxis_fleet::{
    operators::Right,
    tenant::{self as life, Change, LimitChanges},
};

use super::TenantPayload;
use crate::{
    ground::acting,
    stored::{OperationMode, Stored as _},
    tenants::clinic_id,
};

#[derive(Default)]
pub(super) struct LimitsMutation;

/// What a clinic may ask for and how fast. What is left out stays, and null is what the settings say.
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
    /// Changes what a clinic may ask for and how fast. Needs the right MANAGE.
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
        };
        let changed = match changes.operations {
            // What another build wrote is shown, and can't be chosen.
            Change::Set("") => Err(life::LifeError::Invalid {
                field: "operations",
                why: "expected OPEN, APQ or REGISTERED".to_owned(),
            }),
            _ => life::set_limits(&mut admin, clinic, changes).await,
        };
        TenantPayload::of(&mut admin, clinic, changed, "id").await
    }
}
