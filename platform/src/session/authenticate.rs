//! From a token to an actor.
//!
//! Who was found is remembered together with the clinic's [mark](AccessMark), which is another one after each change of what
//! people may do. So what is remembered is not believed: it is compared with the mark before anything is told or changed, by
//! whoever uses it ([`Recalled`]) or here ([`Authenticator::actor`]).

use std::{sync::Arc, time::Duration};

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
        AccessMark, Account, Actor, ActorKind, FieldPolicies, Grants, Override, Permission, PermissionSet,
        load_field_policies, load_overrides,
    },
    vault::IndexField,
};

/// How long an actor is remembered at the most. It bounds the memory, not what is believed.
const REMEMBERED: Duration = Duration::from_secs(30);
/// How long field policies are believed where no mark is compared: for programs, and on connections that go on.
const POLICIES_REMEMBERED: Duration = Duration::from_secs(1);
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

/// An actor as they were under a mark: good for nothing before the mark was compared.
#[derive(Clone)]
pub struct Recalled {
    /// Who.
    pub actor: Arc<Actor>,
    /// What the clinic asks for before fields are read.
    pub policies: Arc<FieldPolicies>,
    /// Under which both hold.
    pub mark: AccessMark,
}

#[derive(Clone)]
struct Known {
    recalled: Recalled,
    /// When session or token are over by themselves, or the session's use has to be written down.
    until: DateTime<Utc>,
}

/// Turns credentials into actors.
pub struct Authenticator {
    actors: Cache<Remembered, Known>,
    policies: Cache<TenantId, Arc<FieldPolicies>>,
}

impl Default for Authenticator {
    fn default() -> Self {
        Self {
            actors: Cache::builder().max_capacity(100_000).time_to_live(REMEMBERED).build(),
            policies: Cache::builder().max_capacity(10_000).time_to_live(POLICIES_REMEMBERED).build(),
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
        if let Some(recalled) = self.recall(system, credential, facility).await?
            && recalled.mark.holds_at(system.read().db()).await?
        {
            return Ok(recalled.actor);
        }
        Ok(self.afresh(system, credential, facility).await?.actor)
    }

    /// The actor of a credential as remembered, without a look at the database. Whoever takes it compares the mark.
    pub async fn recall(
        &self,
        system: &OpFactory,
        credential: &Credential,
        facility: Option<FacilityId>,
    ) -> Result<Option<Recalled>, Failure> {
        let op = system.read();
        let known = self.actors.get(&key(&op, credential, facility).await?);
        Ok(known.filter(|known| known.until > op.now()).map(|known| known.recalled))
    }

    /// The actor of a credential as the database has it now.
    pub async fn afresh(
        &self,
        system: &OpFactory,
        credential: &Credential,
        facility: Option<FacilityId>,
    ) -> Result<Recalled, Failure> {
        let op = system.read();
        let remembered = key(&op, credential, facility).await?;
        let (Live { session, user, .. }, account, ends_at) =
            find(&op, credential, &remembered.1).await?.ok_or(Failure::Unauthenticated)?;
        let mut grants = Grants::of(account.held, facility)
            .ok_or_else(|| Failure::BadInput("you are not a member of this facility".to_owned()))?;
        // Asked each time: a role may have begun to ask for it while the session was open.
        let awaits_second_factor = session.second_factor_at.is_none() && grants.second_factor_required;
        if awaits_second_factor {
            grants.list.clear();
        }
        let seen = note_use(&op, &session).await?;
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
        let actor = opened_to(actor, account.overrides, op.now());
        let recalled = Recalled { actor, policies: Arc::new(account.policies), mark: account.mark };
        // The database's own clock ends an emergency as well as ours, so as long as one is open it is asked each time.
        if recalled.actor.overrides.is_empty() {
            let known = Known { recalled: recalled.clone(), until: ends_at.min(seen + SEEN_STEP) };
            self.actors.insert(remembered, known);
        }
        Ok(recalled)
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
}

/// Under what an actor is remembered.
async fn key(
    op: &Op<Read>,
    credential: &Credential,
    facility: Option<FacilityId>,
) -> Result<Remembered, Failure> {
    let token = op.token(IndexField::Session, &credential.token).await?.ok_or(Failure::Unauthenticated)?;
    Ok((op.tenant().id, token, credential.kind, facility))
}

/// The actor with what is open to them in an emergency.
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

/// Writes down that the session is used, now and then; when that was done last.
async fn note_use(op: &Op<Read>, session: &session::Model) -> Result<DateTime<Utc>, Failure> {
    if session.last_seen_at + SEEN_STEP > op.now() {
        return Ok(session.last_seen_at);
    }
    touch(op, session.id).await?;
    Ok(op.now())
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
