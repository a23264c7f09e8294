//! From a token to an actor, with a memory of one second.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use praxis_entity::{
    ids::{FacilityId, SessionId, TenantId},
    session,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{
    SessionKind, access_token,
    live::{Live, live_account},
};
use crate::{
    Failure, Op, OpFactory, Read,
    access::{
        Account, Actor, ActorKind, FieldPolicies, Grants, Override, Permission, PermissionSet,
        load_field_policies, load_overrides,
    },
    vault::IndexField,
};

/// Revocation has to take effect within two seconds. What is remembered was read at most this long ago.
const REMEMBERED: Duration = Duration::from_secs(1);
/// Writing down each use would make every read a write. A session may go idle early by this much.
const SEEN_STEP: TimeDelta = TimeDelta::seconds(30);

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

/// An actor as they were a moment ago.
#[derive(Clone)]
struct Known {
    actor: Arc<Actor>,
    /// When we began to ask the database, not when it answered.
    asked: Instant,
    /// When session or token are over by themselves.
    ends_at: DateTime<Utc>,
}

/// Turns credentials into actors.
pub struct Authenticator {
    actors: Cache<Remembered, Known>,
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
        if let Some(known) = self.actors.get(&remembered)
            && known.asked.elapsed() < REMEMBERED
            && known.ends_at > op.now()
        {
            return under_emergency(&op, known.actor).await;
        }
        let asked = Instant::now();
        let found = find(&op, credential, &remembered.1).await?;
        let (Live { session, user, .. }, account, ends_at) = found.ok_or(Failure::Unauthenticated)?;
        self.policies.insert(op.tenant().id, Arc::new(account.policies));
        let mut grants = Grants::of(account.held, facility)
            .ok_or_else(|| Failure::BadInput("you are not a member of this facility".to_owned()))?;
        // Asked each time: a role may have begun to ask for it while the session was open.
        let awaits_second_factor = session.second_factor_at.is_none() && grants.second_factor_required;
        if awaits_second_factor {
            grants.list.clear();
        }
        note_use(&op, &session).await?;
        let actor = Arc::new(Actor {
            kind: ActorKind::User,
            user: Some(user.id),
            practitioner: user.practitioner_id,
            display_name: user.display_name,
            permissions: grants.permissions(),
            roles: grants.roles,
            grants: grants.list,
            overrides: Vec::new(),
            view_as: None,
            session: Some(session.id),
            facility,
            second_factor_at: session.second_factor_at,
            client: None,
            awaits_second_factor,
        });
        // Once the factor was shown, nobody should have to wait for this memory to fade.
        if !awaits_second_factor {
            self.actors.insert(remembered, Known { actor: Arc::clone(&actor), asked, ends_at });
        }
        Ok(opened_to(actor, account.overrides, op.now()))
    }

    /// The actor of a connection that goes on, with the emergency access that is open to them now. That the rest is
    /// as it was, whoever serves the connection [watches](fn@super::watch).
    pub async fn again(&self, system: &OpFactory, actor: &Arc<Actor>) -> Result<Arc<Actor>, Failure> {
        if actor.view_as.is_some() {
            return Ok(Arc::clone(actor));
        }
        let held = actor.grants.iter().fold(PermissionSet::NONE, |all, grant| all.union(grant.permissions));
        let without = Actor { permissions: held, overrides: Vec::new(), ..(**actor).clone() };
        under_emergency(&system.read(), Arc::new(without)).await
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

/// The actor with what is open to them in an emergency. It is never remembered: what was declared counts at once.
async fn under_emergency(op: &Op<Read>, actor: Arc<Actor>) -> Result<Arc<Actor>, Failure> {
    let Some(user) = actor.user.filter(|_| actor.may(Permission::BREAK_GLASS_USE)) else { return Ok(actor) };
    Ok(opened_to(actor, load_overrides(op.db(), user, op.now()).await?, op.now()))
}

fn opened_to(actor: Arc<Actor>, mut overrides: Vec<Override>, now: DateTime<Utc>) -> Arc<Actor> {
    overrides.retain(|over| over.expires_at > now);
    let nothing = overrides.is_empty() || !actor.may(Permission::BREAK_GLASS_USE);
    if nothing { actor } else { Arc::new(actor.with_overrides(overrides)) }
}

/// The session of a credential, what its holder is judged by, and when it or its token is over if nobody uses it.
async fn find(
    op: &Op<Read>,
    credential: &Credential,
    token_hash: &[u8],
) -> Result<Option<(Live, Account, DateTime<Utc>)>, Failure> {
    let (found, token_end) = match credential.kind {
        SessionKind::Cookie => {
            (session::Entity::find().filter(session::Column::TokenHash.eq(token_hash)), None)
        }
        SessionKind::Bearer => {
            let named = access_token::verify(op, &credential.token).await?;
            let found =
                session::Entity::find_by_id(named.session).filter(session::Column::UserId.eq(named.user));
            (found, Some(named.expires_at))
        }
    };
    let found = found.filter(session::Column::Kind.eq(credential.kind.code()));
    Ok(live_account(op, found).await?.map(|(live, account)| {
        let ends_at = token_end.map_or(live.ends_at(), |end| end.min(live.ends_at()));
        (live, account, ends_at)
    }))
}

/// Writes down that the session is used, now and then.
async fn note_use(op: &Op<Read>, session: &session::Model) -> Result<(), Failure> {
    if session.last_seen_at + SEEN_STEP > op.now() { Ok(()) } else { touch(op, session.id).await }
}

/// Writes down that a session is used, unless that was done a moment ago.
pub async fn touch(op: &Op<Read>, session: SessionId) -> Result<(), Failure> {
    session::Entity::update_many()
        .col_expr(session::Column::LastSeenAt, Expr::value(op.now()))
        .filter(session::Column::Id.eq(session))
        .filter(session::Column::LastSeenAt.lte(op.now() - SEEN_STEP))
        .exec(op.db())
        .await?;
    Ok(())
}
