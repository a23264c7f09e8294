//! The role, the permission, and the role that somebody holds.

use async_graphql::{Context, ID, Object, SimpleObject};
use praxis_domain::{Position, roles};
use praxis_platform::access::Permission;

use crate::{
    clinic::Facility,
    context::Ask,
    error::{Edge, Nullable},
    field_policies::AccessCondition,
    ids,
    page::connection,
    scalar::{DateTime, EmailAddress},
};

/// What a permission lets its holder do.
#[derive(SimpleObject)]
pub(crate) struct PermissionDescription {
    /// Code, as roles and field policies name it.
    code: &'static str,
    /// One sentence.
    description: &'static str,
}

impl From<Permission> for PermissionDescription {
    fn from(permission: Permission) -> Self {
        Self { code: permission.code(), description: permission.description() }
    }
}

/// A permission that holds only under a relation.
#[derive(SimpleObject)]
pub(crate) struct RoleCondition {
    /// Code of the permission.
    permission: &'static str,
    /// The relation that must hold.
    condition: AccessCondition,
}

/// A named set of permissions.
pub(crate) struct Role {
    role: roles::Role,
}

impl Role {
    pub(crate) fn new(role: roles::Role) -> Self {
        Self { role }
    }
}

/// A named set of permissions.
#[Object]
impl Role {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.role.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    async fn version(&self) -> i32 {
        self.role.row.version
    }

    /// When the record was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.role.row.created_at)
    }

    /// When the record last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.role.row.updated_at)
    }

    /// Code, unique in the clinic.
    fn code(&self) -> &str {
        &self.role.row.code
    }

    /// Name.
    fn name(&self) -> &str {
        &self.role.row.name
    }

    /// Who holds the role and what it is for.
    fn description(&self) -> &str {
        &self.role.row.description
    }

    /// True once out of use: it permits nothing any more.
    fn retired(&self) -> bool {
        self.role.row.retired
    }

    /// True when the clinic made or changed it: the template does not touch it any more.
    fn customised(&self) -> bool {
        self.role.row.customised
    }

    /// True when it permits everything, also what later versions add.
    fn everything(&self) -> bool {
        self.role.holds_everything()
    }

    /// Codes of what it permits.
    fn permissions(&self) -> Vec<&'static str> {
        self.role.permissions().iter().map(Permission::code).collect()
    }

    /// Which of them hold only under a relation to the patient or record.
    fn conditions(&self) -> Vec<RoleCondition> {
        let bound = self.role.permitted.iter().filter_map(|(code, condition)| {
            Some(RoleCondition {
                permission: Permission::parse(code)?.code(),
                condition: (*condition)?.into(),
            })
        });
        bound.collect()
    }
}

/// A role that somebody holds.
pub(crate) struct AccessGrant {
    held: roles::Held,
}

impl AccessGrant {
    pub(crate) fn new(held: roles::Held) -> Self {
        Self { held }
    }

    pub(crate) fn position(held: &roles::Held) -> Position {
        Position { key: None, id: held.id.0 }
    }
}

/// A role that somebody holds.
#[Object]
impl AccessGrant {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.held.id)
    }

    /// Id of the user.
    fn user_id(&self) -> ID {
        ids::show(self.held.user.id)
    }

    /// Name of the user.
    fn display_name(&self) -> &str {
        &self.held.user.display_name
    }

    /// With which address they sign in.
    fn email(&self) -> EmailAddress {
        EmailAddress(self.held.user.email.clone())
    }

    /// False when the account is disabled, so that the role is of no use.
    fn active(&self) -> bool {
        self.held.user.active
    }

    /// Id of the role.
    fn role_id(&self) -> ID {
        ids::show(self.held.role.id)
    }

    /// Code of the role.
    fn role(&self) -> &str {
        &self.held.role.code
    }

    /// At which branch; null for everywhere.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async {
            let Some(id) = self.held.membership.facility_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().facilities.load(id).await?.map(Facility::new))
        }
        .await
        .or_hidden()
    }

    /// Since when.
    fn since(&self) -> DateTime {
        DateTime(self.held.membership.created_at)
    }

    /// When they last signed in.
    fn last_sign_in_at(&self) -> Option<DateTime> {
        self.held.last_sign_in.map(DateTime)
    }
}

connection!(
    /// A page of roles that are held.
    AccessGrantConnection, AccessGrantEdge, AccessGrant
);
