//! What stands between a caller and the schema: which documents they may run, and how many.

use std::{net::IpAddr, sync::Arc, time::Duration};

use moka::sync::Cache;
use praxis_entity::{control::tenant::OperationMode, ids::TenantId, registered_operation};
use praxis_platform::{
    audit,
    clock::SystemClock,
    documents::DocumentStore,
    rates::{Bucket, Rate, Rates, Scope, network},
    tenancy::RateOverride,
};

use super::{Caller, GraphqlRequest, PraxisEngine, admit::Refusal, persisted};
use crate::{
    api::{persisted::DocumentId, prepared::Prepared},
    error::{ApiError, Code},
};

/// For how long it is remembered which operations are registered: retiring one takes effect within.
const REMEMBERED: Duration = Duration::from_secs(2);
/// Bytes of the registered documents that are remembered.
const REMEMBERED_BYTES: u64 = 16 * 1024 * 1024;

/// Which documents are taken and how fast, unless the clinic has rules of its own.
#[derive(Debug, Clone, Copy)]
pub struct GateSettings {
    /// Which operations are taken.
    pub mode: OperationMode,
    /// How fast a whole clinic may ask.
    pub tenant: Rate,
    /// How fast one person may ask.
    pub actor: Rate,
    /// How fast somebody may ask who has not signed in.
    pub stranger: Rate,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            mode: OperationMode::Apq,
            tenant: Rate { points: 400_000, restore: 20_000 },
            actor: Rate { points: 20_000, restore: 1_000 },
            stranger: Rate { points: 4_000, restore: 100 },
        }
    }
}

/// What a whole server shares to keep its callers within bounds.
pub struct Gate {
    /// Which documents are taken and how fast.
    pub settings: GateSettings,
    /// Who spent how much.
    pub rates: Rates,
    /// Documents that were sent before.
    pub documents: DocumentStore,
    registered: Cache<(TenantId, String), Option<Arc<registered_operation::Model>>>,
}

impl Default for Gate {
    fn default() -> Self {
        let rates = Rates::new(Arc::new(SystemClock), None);
        Self::new(GateSettings::default(), rates, DocumentStore::new(None))
    }
}

impl Gate {
    /// A gate with these settings.
    pub fn new(settings: GateSettings, rates: Rates, documents: DocumentStore) -> Self {
        let weight = |(_, id): &(TenantId, String), found: &Option<Arc<registered_operation::Model>>| {
            let body = found.as_ref().map_or(0, |found| found.body.len());
            u32::try_from(id.len() + body + 64).unwrap_or(u32::MAX)
        };
        let registered =
            Cache::builder().weigher(weight).max_capacity(REMEMBERED_BYTES).time_to_live(REMEMBERED).build();
        Self { settings, rates, documents, registered }
    }

    /// Which operations are taken of a caller: the strictest rule wins.
    pub(super) fn mode(&self, caller: &Caller) -> OperationMode {
        let client = caller.actor().client.as_ref().map(|_| OperationMode::Registered);
        let tenant = caller.tenant().operation_mode;
        [client, tenant].into_iter().flatten().fold(self.settings.mode, Ord::max)
    }

    /// What a caller pays from.
    pub(super) fn buckets(&self, caller: &Caller) -> Vec<Bucket> {
        let (tenant, actor) = (caller.tenant(), caller.actor());
        // One node of a cluster holds all buckets of a clinic.
        let bucket = |scope: Scope, name: &str, rate| Bucket {
            scope,
            key: format!("{{{}}}:{}:{name}", tenant.id, scope.name()),
            rate,
        };
        let Some(id) = actor.id() else {
            let address = caller.source_address().and_then(|address| address.parse::<IpAddr>().ok());
            let name = address.map(|address| network(address).to_string()).unwrap_or_default();
            return vec![bucket(Scope::Stranger, &name, self.settings.stranger)];
        };
        let whole = bucket(Scope::Tenant, "", own(tenant.rate, self.settings.tenant));
        let (scope, rate) = match &actor.client {
            Some(client) => (Scope::Client, client.rate),
            None => (Scope::Actor, own(tenant.actor_rate, self.settings.actor)),
        };
        vec![whole, bucket(scope, &id.simple().to_string(), rate)]
    }

    /// The document that a request asks for, ready to run.
    pub(super) async fn document(
        &self,
        engine: &PraxisEngine,
        caller: &Caller,
        request: &mut GraphqlRequest,
    ) -> Result<Arc<Prepared>, Refusal> {
        let (mode, text) = (self.mode(caller), request.query.take());
        let Some(id) = DocumentId::of(request)? else {
            let text = text.ok_or_else(|| Refusal::new(Code::BadUserInput, "The request has no query."))?;
            caller.note_operation(&text);
            if mode == OperationMode::Registered {
                return Err(persisted::registered_only());
            }
            return engine.prepare(&text, caller.is_known()).await;
        };
        if let Some(text) = &text {
            id.check_text(text)?;
        }
        if let Some(found) = self.registered(caller, &id).await? {
            caller.note_operation(&found.body);
            self.may_call(caller, &found, request).await?;
            return engine.prepare(&found.body, true).await;
        }
        if request.by_path {
            return Err(Refusal::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound"));
        }
        let tenant = caller.tenant().id;
        match (text, mode) {
            (Some(text), OperationMode::Registered) => {
                caller.note_operation(&text);
                Err(persisted::registered_only())
            }
            (Some(text), mode) => {
                caller.note_operation(&text);
                let prepared = engine.prepare(&text, caller.is_known()).await?;
                // Strangers fill nothing, and what does not run is not kept.
                if let (DocumentId::Hash(hash), OperationMode::Apq, true) = (&id, mode, caller.is_known())
                    && persisted::may_be_kept(&text)
                {
                    self.documents.put(tenant, hash, &text).await;
                }
                Ok(prepared)
            }
            (None, OperationMode::Apq) => match self.documents.get(tenant, id.as_str()).await {
                Some(text) => {
                    caller.note_operation(&text);
                    engine.prepare(&text, true).await
                }
                None => Err(id.unknown(mode)),
            },
            (None, mode) => Err(id.unknown(mode)),
        }
    }

    async fn registered(
        &self,
        caller: &Caller,
        id: &DocumentId,
    ) -> Result<Option<Arc<registered_operation::Model>>, Refusal> {
        let key = (caller.tenant().id, id.as_str().to_owned());
        if let Some(remembered) = self.registered.get(&key) {
            return Ok(remembered);
        }
        let op = caller.reading();
        let found = praxis_domain::operations::find(op, id.as_str()).await.map_err(ApiError::from)?;
        // What comes next may wait, and holds no connection meanwhile.
        op.rest().await;
        let found = found.map(Arc::new);
        self.registered.insert(key, found.clone());
        Ok(found)
    }

    async fn may_call(
        &self,
        caller: &Caller,
        found: &registered_operation::Model,
        request: &GraphqlRequest,
    ) -> Result<(), Refusal> {
        if request.by_path && !found.by_get {
            return Err(Refusal::by_get("This operation has to be sent by POST."));
        }
        let allowed = |client: &Arc<praxis_platform::access::ClientGrant>| {
            client.operations.contains(&found.document_id)
        };
        if caller.actor().client.as_ref().is_none_or(allowed) {
            return Ok(());
        }
        let attempt = audit::Entry::done("operation.call").on("RegisteredOperation", found.id.0, 1);
        caller.reading().record(attempt.ended(audit::Outcome::Denied)).await.map_err(ApiError::from)?;
        Err(Refusal::new(Code::Forbidden, "This program may not call this operation."))
    }
}

fn own(clinic: RateOverride, setting: Rate) -> Rate {
    Rate {
        points: clinic.points.unwrap_or(setting.points),
        restore: clinic.restore.unwrap_or(setting.restore),
    }
}
