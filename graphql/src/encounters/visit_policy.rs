//! What the clinic asks of a kind of visit before it is closed.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use praxis_domain::encounters;
use praxis_entity::{encounter, visit_policy};
use praxis_platform::{Failure, Op, Write};
use sea_orm::ActiveEnum;

use super::types::EncounterClass;
use crate::{
    context::{Ask, change},
    error::ApiError,
    payload::UserError,
};

/// What the clinic asks of a kind of visit.
#[derive(SimpleObject)]
pub(crate) struct VisitPolicy {
    /// The setting that it counts for.
    class: EncounterClass,
    /// Grows by one on each write; send it back as `ifVersion`.
    version: i32,
    /// Whether vital signs have to be recorded before it is closed.
    needs_vitals: bool,
    /// Whether whoever is responsible has to sign a note before it is closed.
    needs_signed_note: bool,
    /// For so many days a closed one can be reopened; afterwards there are addenda.
    reopen_days: i32,
}

impl TryFrom<visit_policy::Model> for VisitPolicy {
    type Error = ApiError;

    fn try_from(row: visit_policy::Model) -> Result<Self, ApiError> {
        let class = encounter::EncounterClass::try_from_value(&row.class);
        let class = class.map_err(|error| Failure::Internal(error.to_string()))?;
        let visit_policy::Model { version, needs_vitals, needs_signed_note, reopen_days, .. } = row;
        Ok(Self { class: class.into(), version, needs_vitals, needs_signed_note, reopen_days })
    }
}

/// What is asked of a kind of visit from now on; what is absent stays.
#[derive(InputObject)]
pub(crate) struct VisitPolicySetInput {
    /// The setting that it counts for.
    class: EncounterClass,
    /// The version that was read.
    if_version: i32,
    /// Whether vital signs have to be recorded before it is closed.
    needs_vitals: Option<bool>,
    /// Whether whoever is responsible has to sign a note before it is closed.
    needs_signed_note: Option<bool>,
    /// For so many days a closed one can be reopened, 0 to 365.
    reopen_days: Option<i32>,
}

/// What is asked now, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct VisitPolicySetPayload {
    /// What the clinic asks of the kind of visit.
    visit_policy: Option<VisitPolicy>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// What the clinic asks of visits.
#[derive(Default)]
pub(crate) struct VisitPolicyQuery;

#[Object]
impl VisitPolicyQuery {
    /// What the clinic asks of each kind of visit.
    async fn visit_policies(&self, ctx: &Context<'_>) -> Result<Vec<VisitPolicy>, ApiError> {
        let op = ctx.read("Query.visitPolicies")?;
        encounters::policies(op).await?.into_iter().map(TryInto::try_into).collect()
    }
}

/// Deciding what the clinic asks of visits.
#[derive(Default)]
pub(crate) struct VisitPolicyMutation;

#[Object]
impl VisitPolicyMutation {
    /// Sets what is asked of a kind of visit before it is closed, also of those that are under way.
    ///
    /// Errors: OUT_OF_RANGE, VERSION_CONFLICT.
    async fn visit_policy_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The kind of visit and what is asked of it.")] input: VisitPolicySetInput,
    ) -> Result<VisitPolicySetPayload, ApiError> {
        let (class, version) = (input.class.into(), input.if_version);
        let to = encounters::SetVisitPolicy {
            needs_vitals: input.needs_vitals,
            needs_signed_note: input.needs_signed_note,
            reopen_days: input.reopen_days,
        };
        let set = async |op: &Op<Write>| encounters::set_policy(op, class, version, to).await;
        let (row, user_errors) = change(ctx, "Mutation.visitPolicySet", set).await?.split();
        Ok(VisitPolicySetPayload { visit_policy: row.map(TryInto::try_into).transpose()?, user_errors })
    }
}
