//! Where operations come from: what a server shares, who asks, and the only way to an [`Op`].

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, OnceLock, atomic::AtomicBool},
};

use sea_orm::TransactionTrait;
use uuid::Uuid;

use super::{Inner, Op, Read, Write};
use crate::{
    Failure,
    access::{Actor, ActorKind, FieldPolicies},
    audit::{Backlog, Disclosures, GroupCommit, Waiting},
    bell::Bell,
    clock::SharedClock,
    keyring::Keyring,
    names::NameIndexes,
    tenancy::{Pool, Standing, StatementClass, Tenant, TenantDb},
    vault::crypto,
};

/// Where a request came from and what for.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    /// Request id, as the client sees it.
    pub id: Option<Uuid>,
    /// Address it came from.
    pub source_address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// The host it was sent to, with its port: what passkeys are bound to.
    pub authority: Option<String>,
    /// Hash of the operation's text, once it is known.
    pub operation_hash: Arc<OnceLock<String>>,
    /// Name of the operation, once it is known; of a nameless one, the fields it asks for.
    pub operation_name: Arc<OnceLock<String>>,
    /// Purpose of use, HL7 v3: TREAT unless said otherwise.
    pub purpose: &'static str,
}

impl Default for RequestInfo {
    fn default() -> Self {
        Self {
            id: None,
            source_address: None,
            user_agent: None,
            authority: None,
            operation_hash: Arc::default(),
            operation_name: Arc::default(),
            purpose: "TREAT",
        }
    }
}

/// Who asks, when and from where: what every audit entry says.
pub struct Origin {
    /// Who.
    pub actor: Arc<Actor>,
    /// Where from.
    pub request: RequestInfo,
    /// When, and new ids.
    pub clock: SharedClock,
}

impl Origin {
    /// Who waits for what is done. A request, also one by which the system signs somebody in, was sent to a host.
    fn class(&self) -> StatementClass {
        match self.actor.kind {
            _ if self.request.authority.is_some() => StatementClass::Interactive,
            ActorKind::Operator => StatementClass::Operator,
            _ => StatementClass::Background,
        }
    }
}

/// What all operations of a server share.
pub struct Platform {
    /// Connections.
    pub pool: Pool,
    /// Keys at hand.
    pub keyring: Keyring,
    /// Time and ids.
    pub clock: SharedClock,
    /// Name search.
    pub names: NameIndexes,
    /// Which clinics have entries to be sealed.
    pub backlog: Backlog,
    /// Writes down what readings leave in clinics' logs.
    pub readings: Arc<GroupCommit>,
    /// Tells of what was committed here.
    pub bell: Bell,
}

/// Makes operations for one actor at one tenant.
#[derive(Clone)]
pub struct OpFactory {
    platform: Arc<Platform>,
    tenant: Arc<Tenant>,
    origin: Arc<Origin>,
    policies: Arc<FieldPolicies>,
    writable: bool,
}

impl OpFactory {
    /// A factory for the actor at the tenant. `writable` is false when the directory is stale.
    pub fn new(
        platform: Arc<Platform>,
        tenant: Arc<Tenant>,
        actor: Arc<Actor>,
        request: RequestInfo,
        writable: bool,
    ) -> Self {
        let origin = Arc::new(Origin { actor, request, clock: Arc::clone(&platform.clock) });
        Self { platform, tenant, origin, policies: Arc::default(), writable }
    }

    /// The same under what the clinic asks for before fields are read.
    #[must_use]
    pub fn under(self, policies: Arc<FieldPolicies>) -> Self {
        Self { policies, ..self }
    }

    /// The same request, made by this actor.
    #[must_use]
    pub fn acting_as(&self, actor: Arc<Actor>) -> Self {
        let Origin { request, clock, .. } = &*self.origin;
        let origin = Arc::new(Origin { actor, request: request.clone(), clock: Arc::clone(clock) });
        Self { origin, ..self.clone() }
    }

    /// The tenant.
    pub fn tenant(&self) -> &Arc<Tenant> {
        &self.tenant
    }

    /// The actor.
    pub fn actor(&self) -> &Arc<Actor> {
        &self.origin.actor
    }

    /// Where the request came from.
    pub fn request(&self) -> &RequestInfo {
        &self.origin.request
    }

    /// Says which operation all of this belongs to; every audit entry names it.
    pub fn note_operation(&self, text: &str) {
        let hash = || data_encoding::HEXLOWER.encode(&crypto::sha256(text.as_bytes()));
        self.origin.request.operation_hash.get_or_init(hash);
    }

    /// Names the operation, if it has no name yet.
    pub fn name_operation(&self, name: impl FnOnce() -> String) {
        self.origin.request.operation_name.get_or_init(name);
    }

    /// Counts an attempt of somebody who is not known.
    pub fn count_stranger(&self, action: &'static str) {
        self.platform.backlog.count_stranger(self.tenant.id, action);
    }

    /// Counts attempts again that could not be written down.
    pub fn give_back(&self, waiting: &Waiting) {
        self.platform.backlog.give_back(self.tenant.id, &waiting.strangers);
    }

    /// An operation that reads.
    pub fn read(&self) -> Op<Read> {
        Op(Arc::new(self.inner()), PhantomData)
    }

    /// An operation that writes: begins its transaction.
    pub async fn write(&self) -> Result<Op<Write>, Failure> {
        if self.origin.actor.view_as.is_some() {
            return Err(Failure::ViewOnly);
        }
        if self.tenant.standing() != Standing::Served || !self.writable {
            return Err(Failure::TenantLocked);
        }
        self.write_always().await
    }

    /// A write that a lock does not stop: sign-in, sign-out, audit.
    #[expect(clippy::disallowed_methods, reason = "the one place where a tenant's transaction begins")]
    pub async fn write_always(&self) -> Result<Op<Write>, Failure> {
        let mut inner = self.inner();
        inner.transaction = Mutex::new(Some(inner.db.begin().await?));
        Ok(Op(Arc::new(inner), PhantomData))
    }

    fn inner(&self) -> Inner {
        Inner {
            db: TenantDb::new(self.platform.pool.clone(), Arc::clone(&self.tenant), self.origin.class()),
            transaction: Mutex::new(None),
            platform: Arc::clone(&self.platform),
            tenant: Arc::clone(&self.tenant),
            origin: Arc::clone(&self.origin),
            policies: Arc::clone(&self.policies),
            disclosures: Disclosures::default(),
            entries: Mutex::new(Vec::new()),
            wakes: Mutex::default(),
            announced: AtomicBool::new(false),
            standings: Mutex::default(),
        }
    }
}
