//! Who is signed in, and what they may do here.

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject};
use praxis_domain::{notifications, providers, second_factors::second_factors, sessions};
use praxis_platform::access::Permission;

use crate::{
    context::Ask,
    error::ApiError,
    ids,
    notifications::{NotificationPreference, NotificationProfile, PushDevice},
    policy::{Access, Rule, inherited, open},
    second_factors::SecondFactors,
    sign_in::{ExternalIdentity, Session},
    staff::Practitioner,
};

pub(crate) const POLICY: &[Rule] = &[
    open("Query", Access::SignedIn, &["viewer"]),
    inherited(
        "Viewer",
        &[
            "id",
            "displayName",
            "roles",
            "permissions",
            "practitioner",
            "sessions",
            "externalIdentities",
            "secondFactors",
            "notificationPreferences",
            "notificationProfile",
            "pushDevices",
        ],
    ),
];

/// Who is signed in.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Viewer {
    /// Opaque id of the user.
    id: ID,
    /// Name as shown.
    display_name: String,
    /// Codes of the roles held here.
    roles: Vec<String>,
    /// Codes of the permissions that the roles hold.
    permissions: Vec<&'static str>,
    /// The clinician this user is.
    practitioner: Option<Practitioner>,
}

#[ComplexObject]
impl Viewer {
    /// The viewer's sessions that go on, last used first, 100 at the most.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>, ApiError> {
        Ok(sessions::own(ctx.caller()?.reading()).await?.into_iter().map(Session::new).collect())
    }

    /// Who the viewer is at identity providers, by the name of the provider.
    async fn external_identities(&self, ctx: &Context<'_>) -> Result<Vec<ExternalIdentity>, ApiError> {
        Ok(providers::own_identities(ctx.caller()?.reading()).await?.into_iter().map(Into::into).collect())
    }

    /// What the user can show besides a password.
    async fn second_factors(&self, ctx: &Context<'_>) -> Result<SecondFactors, ApiError> {
        Ok(second_factors(ctx.caller()?.reading()).await?.into())
    }

    /// Of what the viewer is told by which channel, what they did not decide included.
    async fn notification_preferences(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Vec<NotificationPreference>, ApiError> {
        let wishes = notifications::own_preferences(ctx.caller()?.reading()).await?;
        Ok(wishes.into_iter().map(Into::into).collect())
    }

    /// In which language the viewer is spoken to, and when they are left in peace.
    async fn notification_profile(&self, ctx: &Context<'_>) -> Result<NotificationProfile, ApiError> {
        Ok(notifications::own_profile(ctx.caller()?.reading()).await?.into())
    }

    /// The devices on which the viewer is rung up.
    async fn push_devices(&self, ctx: &Context<'_>) -> Result<Vec<PushDevice>, ApiError> {
        let devices = notifications::own_devices(ctx.caller()?.reading()).await?;
        Ok(devices.into_iter().map(Into::into).collect())
    }
}

/// Who is signed in.
#[derive(Default)]
pub(crate) struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// Who is signed in; an UNAUTHENTICATED error when nobody is.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer, ApiError> {
        ctx.read("Query.viewer")?;
        let caller = ctx.caller()?;
        let actor = caller.actor();
        let practitioner = match actor.practitioner {
            Some(id) if actor.may(Permission::STAFF_READ) => caller.loaders().practitioners.load(id).await?,
            _ => None,
        };
        Ok(Viewer {
            id: actor.user.map(ids::show).unwrap_or_else(|| ID::from("system")),
            display_name: actor.display_name.clone(),
            roles: actor.roles.clone(),
            permissions: actor.permissions.iter().map(Permission::code).collect(),
            practitioner: practitioner.map(Practitioner::new),
        })
    }
}
