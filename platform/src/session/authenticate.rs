//! From a token to an actor, with a memory of two seconds.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use moka::sync::Cache;
use praxis_entity::{
    ids::{FacilityId, TenantId},
    session, user_account,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::SessionKind;
use crate::{
    Failure, OpFactory,
    access::{Actor, ActorKind, FieldPolicies, load_field_policies, load_grants},
    vault::IndexField,
};

/// A session that was not used for this long is over.
const IDLE: TimeDelta = TimeDelta::minutes(15);
/// Revocation must take effect within two seconds, so nothing is remembered for longer.
const REMEMBERED: Duration = Duration::from_secs(2);
/// Writing down each use would make every read a write.
const SEEN_STEP: TimeDelta = TimeDelta::seconds(60);

/// What a request carries to say who it is.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The token.
    pub token: String,
    /// How it came.
    pub kind: SessionKind,
}

/// The kind is part of it: a cookie's token must not pass as a bearer token, which needs no header
/// against CSRF.
type Remembered = (TenantId, Vec<u8>, SessionKind, Option<FacilityId>);

/// Turns credentials into actors.
pub struct Authenticator {
    actors: Cache<Remembered, Arc<Actor>>,
    policies: Cache<TenantId, Arc<FieldPolicies>>,
}

impl Default for Authenticator {
    fn default() -> Self {
        Self {
            actors: Cache::builder()
                .max_capacity(100_000)
                .time_to_live(REMEMBERED)
                .support_invalidation_closures()
                .build(),
            policies: Cache::builder().max_capacity(10_000).time_to_live(REMEMBERED).build(),
        }
    }
}

impl Authenticator {
    /// The actor of a credential, acting for a branch if one is named.
    ///
    /// The factory must be the system's. A token of another tenant is simply not found here.
    pub async fn actor(
        &self,
        system: &OpFactory,
        credential: &Credential,
        facility: Option<FacilityId>,
    ) -> Result<Arc<Actor>, Failure> {
        let op = system.read();
        let token =
            op.token(IndexField::Session, &credential.token).await?.ok_or(Failure::Unauthenticated)?;
        let remembered: Remembered = (op.tenant().id, token, credential.kind, facility);
        if let Some(actor) = self.actors.get(&remembered) {
            return Ok(actor);
        }
        let now = op.now();
        let session = session::Entity::find()
            .filter(session::Column::TokenHash.eq(remembered.1.clone()))
            .one(op.db())
            .await?
            .filter(|session| {
                session.kind == credential.kind.code()
                    && session.ended_at.is_none()
                    && session.expires_at > now
                    && session.last_seen_at + IDLE > now
            })
            .ok_or(Failure::Unauthenticated)?;
        let user = user_account::Entity::find_by_id(session.user_id)
            .one(op.db())
            .await?
            .filter(|user| user.active)
            .ok_or(Failure::Unauthenticated)?;
        let (roles, permissions) = load_grants(op.db(), user.id, facility)
            .await?
            .ok_or_else(|| Failure::BadInput("you are not a member of this facility".to_owned()))?;
        if session.last_seen_at + SEEN_STEP < now {
            session::Entity::update_many()
                .col_expr(session::Column::LastSeenAt, Expr::value(now))
                .filter(session::Column::Id.eq(session.id))
                .exec(op.db())
                .await?;
        }
        let actor = Arc::new(Actor {
            kind: ActorKind::User,
            user: Some(user.id),
            practitioner: user.practitioner_id,
            display_name: user.display_name,
            roles,
            permissions,
            session: Some(session.id),
            facility,
            second_factor_at: session.second_factor_at,
        });
        self.actors.insert(remembered, Arc::clone(&actor));
        Ok(actor)
    }

    /// The field policies of the tenant.
    pub async fn field_policies(&self, system: &OpFactory) -> Result<Arc<FieldPolicies>, Failure> {
        let tenant = system.tenant().id;
        if let Some(policies) = self.policies.get(&tenant) {
            return Ok(policies);
        }
        let policies = Arc::new(load_field_policies(system.read().db()).await?);
        self.policies.insert(tenant, Arc::clone(&policies));
        Ok(policies)
    }

    /// Forgets what is remembered of a tenant's sessions, for an ended session to end at once here.
    pub fn forget(&self, tenant: TenantId) {
        let _ = self.actors.invalidate_entries_if(move |(owner, ..), _| *owner == tenant);
        self.policies.invalidate(&tenant);
    }
}
