//! Managing roles. Everything here takes effect within two seconds, everywhere.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::roles;
use praxis_platform::access::Relation;

use super::types::{AccessGrant, Role};
use crate::{
    context::change,
    error::ApiError,
    field_policies::AccessCondition,
    ids,
    payload::{Done, UserError},
};

/// Managing roles.
#[derive(Default)]
pub(crate) struct RoleMutation;

/// A new role.
#[derive(InputObject)]
pub(crate) struct RoleCreateInput {
    /// Code, unique in the clinic: small letters, digits and underscores.
    code: String,
    /// Name.
    name: String,
    /// Who holds the role and what it is for.
    description: String,
    /// Codes of what it permits; `*` alone for everything, also what later versions add.
    permissions: Vec<String>,
    /// Relations to the patient or record that must hold for some of these permissions.
    #[graphql(default)]
    conditions: Vec<RoleConditionInput>,
}

/// A permission that holds only under a relation.
#[derive(InputObject)]
pub(crate) struct RoleConditionInput {
    /// Code of the permission, one of those that the role permits.
    permission: String,
    /// The relation that must hold.
    condition: AccessCondition,
}

impl From<RoleConditionInput> for (String, Relation) {
    fn from(input: RoleConditionInput) -> Self {
        (input.permission, input.condition.into())
    }
}

/// A change of a role: absent is unchanged.
#[derive(InputObject)]
pub(crate) struct RoleChangeInput {
    /// The role.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// New name.
    name: Option<String>,
    /// New description.
    description: Option<String>,
    /// Codes of all that it permits from now on; `*` alone for everything.
    permissions: Option<Vec<String>>,
    /// All relations that must hold from now on. When absent, each permission that stays keeps its own.
    conditions: Option<Vec<RoleConditionInput>>,
}

/// A role that goes out of use.
#[derive(InputObject)]
pub(crate) struct RoleRetireInput {
    /// The role.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// Who gets which role where.
#[derive(InputObject)]
pub(crate) struct RoleGrantInput {
    /// Who.
    user_id: ID,
    /// Which role.
    role_id: ID,
    /// At which branch; everywhere when absent.
    facility_id: Option<ID>,
}

/// Who loses which role where.
#[derive(InputObject)]
pub(crate) struct RoleRevokeInput {
    /// Who.
    user_id: ID,
    /// Which role.
    role_id: ID,
    /// At which branch; the one held everywhere when absent.
    facility_id: Option<ID>,
}

fn whom(user: &ID, role: &ID, facility: Option<&ID>) -> Result<roles::Grant, ApiError> {
    let facility = facility.map(ids::parse).transpose()?;
    Ok(roles::Grant { user: ids::parse(user)?, role: ids::parse(role)?, facility })
}

macro_rules! role_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The role as it is now.
                role: Option<Role>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<roles::Role>> for $name {
                fn from(done: Done<roles::Role>) -> Self {
                    let (role, user_errors) = done.split();
                    Self { role: role.map(Role::new), user_errors }
                }
            }
        )*
    };
}

role_payload! {
    /// The new role, or why there is none.
    RoleCreatePayload;
    /// The changed role, or why nothing changed.
    RoleChangePayload;
    /// The retired role, or why nothing changed.
    RoleRetirePayload;
    /// The role that was taken, or why it was not.
    RoleRevokePayload;
}

/// The role that is held now, or why it is not.
#[derive(SimpleObject)]
pub(crate) struct RoleGrantPayload {
    /// The role that is held now.
    grant: Option<AccessGrant>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl RoleMutation {
    /// Makes a role. It can't permit what the viewer does not hold themselves.
    ///
    /// Needs a second factor shown within the last minutes (STEP_UP_REQUIRED otherwise). Errors: REQUIRED, INVALID, TOO_LONG, NOT_FOUND, ALREADY_EXISTS.
    async fn role_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role.")] input: RoleCreateInput,
    ) -> Result<RoleCreatePayload, ApiError> {
        let RoleCreateInput { code, name, description, permissions, conditions } = input;
        let conditions = conditions.into_iter().map(Into::into).collect();
        let new = roles::NewRole { code, name, description, permissions, conditions };
        Ok(change(ctx, "Mutation.roleCreate", async |op| roles::create(op, new).await).await?.into())
    }

    /// Changes a role. The viewer has to hold what it permitted and what it will permit.
    ///
    /// Needs a second factor shown within the last minutes (STEP_UP_REQUIRED otherwise). Errors: REQUIRED, INVALID, TOO_LONG, NOT_FOUND, ALREADY_EXISTS, VERSION_CONFLICT, LOCKED (nobody else could manage the clinic).
    async fn role_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: RoleChangeInput,
    ) -> Result<RoleChangePayload, ApiError> {
        let RoleChangeInput { id, if_version, name, description, permissions, conditions } = input;
        let conditions = conditions.map(|all| all.into_iter().map(Into::into).collect());
        let (id, new) = (ids::parse(&id)?, roles::RoleChange { name, description, permissions, conditions });
        let run = async |op: &_| roles::change(op, id, if_version, new).await;
        Ok(change(ctx, "Mutation.roleChange", run).await?.into())
    }

    /// Takes a role out of use: it permits nothing any more.
    ///
    /// Needs a second factor shown within the last minutes (STEP_UP_REQUIRED otherwise). Errors: NOT_FOUND, VERSION_CONFLICT, LOCKED (nobody else could manage the clinic).
    async fn role_retire(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role.")] input: RoleRetireInput,
    ) -> Result<RoleRetirePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let retire = async |op: &_| roles::retire(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.roleRetire", retire).await?.into())
    }

    /// Gives somebody a role, at one branch or everywhere. The viewer has to hold all that it permits.
    ///
    /// Needs a second factor shown within the last minutes (STEP_UP_REQUIRED otherwise). Errors: NOT_FOUND.
    async fn role_grant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who gets which role where.")] input: RoleGrantInput,
    ) -> Result<RoleGrantPayload, ApiError> {
        let grant = whom(&input.user_id, &input.role_id, input.facility_id.as_ref())?;
        let done = change(ctx, "Mutation.roleGrant", async |op| roles::grant(op, grant).await);
        let (held, user_errors) = done.await?.split();
        Ok(RoleGrantPayload { grant: held.map(AccessGrant::new), user_errors })
    }

    /// Takes a role from somebody. The viewer has to hold all that it permits; the last owner keeps theirs.
    ///
    /// Needs a second factor shown within the last minutes (STEP_UP_REQUIRED otherwise). Errors: NOT_FOUND, LOCKED (nobody else could manage the clinic).
    async fn role_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who loses which role where.")] input: RoleRevokeInput,
    ) -> Result<RoleRevokePayload, ApiError> {
        let grant = whom(&input.user_id, &input.role_id, input.facility_id.as_ref())?;
        Ok(change(ctx, "Mutation.roleRevoke", async |op| roles::revoke(op, grant).await).await?.into())
    }
}
