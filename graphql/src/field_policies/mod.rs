//! What the clinic asks for before a field is read, beyond what the platform asks for.

mod bindable;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use praxis_domain::policies;
use praxis_entity::field_policy;
use praxis_platform::access::{Permission, Relation};

use crate::{
    context::{Ask, change},
    error::ApiError,
    ids,
    payload::UserError,
    policy::{Rule, find, inherited, needs},
};

pub(crate) const POLICY: &[Rule] = &[
    needs("Query", Permission::POLICY_READ, &["fieldPolicies"]),
    needs(
        "FieldPolicy",
        Permission::POLICY_READ,
        &["id", "type", "field", "permission", "condition", "reason", "platformPermission"],
    ),
    needs("Mutation", Permission::POLICY_MANAGE, &["fieldPolicySet", "fieldPolicyRemove"]),
    inherited("FieldPolicySetPayload", &["fieldPolicy", "userErrors"]),
    inherited("FieldPolicyRemovePayload", &["removedId", "userErrors"]),
];

/// A relation of the viewer to a patient or record, or a state of the patient.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Relation")]
pub(crate) enum AccessCondition {
    /// The record names the viewer as its clinician; a patient is one's own when one is in their care team.
    Own,
    /// The viewer is in the patient's care team.
    CareTeam,
    /// The record is at the branch that the viewer acts for.
    Facility,
    /// The patient is in care.
    InCare,
}

/// What the clinic asks for before a field is read.
pub(crate) struct FieldPolicy {
    row: field_policy::Model,
}

/// What the clinic asks for before a field is read. It comes on top of what the platform asks for.
#[Object]
impl FieldPolicy {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Type of the API.
    #[graphql(name = "type")]
    fn type_name(&self) -> &str {
        &self.row.type_name
    }

    /// Its field.
    fn field(&self) -> &str {
        &self.row.field_name
    }

    /// Code of the permission that is asked for.
    fn permission(&self) -> &str {
        &self.row.permission
    }

    /// The relation that must hold as well.
    fn condition(&self) -> Option<AccessCondition> {
        Relation::parse(&self.row.condition).map(Into::into)
    }

    /// Why.
    fn reason(&self) -> &str {
        &self.row.reason
    }

    /// Code of the permission that the platform asks for, whatever the clinic does.
    fn platform_permission(&self) -> Option<&'static str> {
        let at = find(&format!("{}.{}", self.row.type_name, self.row.field_name))?;
        at.permission().map(Permission::code)
    }
}

/// Finding field policies.
#[derive(Default)]
pub(crate) struct FieldPolicyQuery;

#[Object]
impl FieldPolicyQuery {
    /// What the clinic asks for before fields are read, by type and field.
    async fn field_policies(&self, ctx: &Context<'_>) -> Result<Vec<FieldPolicy>, ApiError> {
        let policies = policies::list(ctx.read("Query.fieldPolicies")?).await?;
        Ok(policies.into_iter().map(|row| FieldPolicy { row }).collect())
    }
}

/// Changing field policies.
#[derive(Default)]
pub(crate) struct FieldPolicyMutation;

/// A policy of a field.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct FieldPolicySetInput {
    /// Type of the API, such as `Patient`.
    #[graphql(name = "type")]
    type_name: String,
    /// Its field, such as `phone`.
    field: String,
    /// Code of the permission to ask for.
    permission: String,
    /// A relation that must hold as well; for fields that carry protected health information only.
    condition: Option<AccessCondition>,
    /// Why, for whoever reviews the policies.
    reason: String,
}

/// The policy, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct FieldPolicySetPayload {
    /// The policy.
    field_policy: Option<FieldPolicy>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A policy to be removed.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct FieldPolicyRemoveInput {
    /// The policy.
    id: ID,
}

/// What was removed, or why nothing was.
#[derive(SimpleObject)]
pub(crate) struct FieldPolicyRemovePayload {
    /// Id of the removed policy.
    removed_id: Option<ID>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl FieldPolicyMutation {
    /// Asks for a permission, and perhaps a relation, before a field is read; takes effect within two seconds.
    /// Whatever the platform asks for is asked for as before. Needs a fresh second factor.
    ///
    /// Errors: REQUIRED, TOO_LONG, NOT_FOUND, INVALID.
    async fn field_policy_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The policy.")] input: FieldPolicySetInput,
    ) -> Result<FieldPolicySetPayload, ApiError> {
        let set = async |op: &_| {
            bindable::judge(&input)?;
            let new = policies::SetPolicy {
                type_name: input.type_name,
                field: input.field,
                permission: input.permission,
                condition: input.condition.map(Into::into),
                reason: input.reason,
            };
            policies::set(op, new).await
        };
        let (row, user_errors) = change(ctx, "Mutation.fieldPolicySet", set).await?.split();
        Ok(FieldPolicySetPayload { field_policy: row.map(|row| FieldPolicy { row }), user_errors })
    }

    /// Stops asking for a permission; takes effect within two seconds. What the platform asks for stays. Needs a
    /// fresh second factor.
    ///
    /// Errors: NOT_FOUND.
    async fn field_policy_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The policy.")] input: FieldPolicyRemoveInput,
    ) -> Result<FieldPolicyRemovePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let remove = async |op: &_| policies::remove(op, id).await.map(|removed| removed.id);
        let (removed, user_errors) = change(ctx, "Mutation.fieldPolicyRemove", remove).await?.split();
        Ok(FieldPolicyRemovePayload { removed_id: removed.map(ids::show), user_errors })
    }
}
