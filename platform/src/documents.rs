//! Documents that clients sent once and name by their hash from then on, for each clinic.
//!
//! A cache and nothing more: what is forgotten is sent again. It is bounded for each clinic in number
//! and in bytes, here and in Redis, and the oldest in use goes first. Only documents without literal
//! values are kept: what was written into one could be about a patient.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use moka::sync::Cache;
use praxis_entity::ids::TenantId;
use redis::Script;

use crate::redis::Redis;

/// Documents of one clinic.
pub const MAX_DOCUMENTS: usize = 1_000;
/// Bytes of the documents of one clinic.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Clinics whose documents this server holds.
const CLINICS: u64 = 1_000;
/// What nobody asked for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Default)]
struct Kept {
    documents: HashMap<String, (Arc<str>, u64)>,
    bytes: usize,
    /// Counts uses, to tell which is the oldest.
    uses: u64,
}

/// Documents by clinic and hash.
pub struct DocumentStore {
    local: Cache<TenantId, Arc<Mutex<Kept>>>,
    redis: Option<Redis>,
    get: Script,
    put: Script,
}

impl DocumentStore {
    /// Keeps documents here, and in Redis when there is one.
    pub fn new(redis: Option<Redis>) -> Self {
        Self {
            local: Cache::builder().max_capacity(CLINICS).time_to_idle(FORGOTTEN).build(),
            redis,
            get: Script::new(include_str!("documents/get.lua")),
            put: Script::new(include_str!("documents/put.lua")),
        }
    }

    /// The document with this SHA-256, in hexadecimal.
    pub async fn get(&self, tenant: TenantId, hash: &str) -> Option<Arc<str>> {
        if let Some(found) = self.kept(tenant).lock().unwrap_or_else(PoisonError::into_inner).find(hash) {
            return Some(found);
        }
        let mut call = self.get.key(keys(tenant).as_slice());
        call.arg(hash);
        let redis = self.redis.as_ref()?;
        let found: Option<String> =
            redis.ask(async |connection| call.invoke_async(connection).await).await.flatten();
        let found: Arc<str> = found?.into();
        self.keep(tenant, hash, &found);
        Some(found)
    }

    /// Keeps a document. The caller has compared the hash with the text.
    pub async fn put(&self, tenant: TenantId, hash: &str, text: &str) {
        self.keep(tenant, hash, &text.into());
        if let Some(redis) = &self.redis {
            let mut call = self.put.key(keys(tenant).as_slice());
            call.arg(hash).arg(text).arg(MAX_DOCUMENTS).arg(MAX_BYTES).arg(FORGOTTEN.as_secs());
            redis.ask::<()>(async |connection| call.invoke_async(connection).await).await;
        }
    }

    /// How many documents this server holds of a clinic, and how many bytes they have.
    pub fn held(&self, tenant: TenantId) -> (usize, usize) {
        let kept = self.kept(tenant);
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        (kept.documents.len(), kept.bytes)
    }

    fn keep(&self, tenant: TenantId, hash: &str, text: &Arc<str>) {
        self.kept(tenant).lock().unwrap_or_else(PoisonError::into_inner).add(hash, text);
    }

    fn kept(&self, tenant: TenantId) -> Arc<Mutex<Kept>> {
        self.local.get_with(tenant, Arc::default)
    }
}

/// The texts, when each was last used, and how many bytes they are; on one node of a cluster.
fn keys(tenant: TenantId) -> [String; 3] {
    ["text", "used", "bytes"].map(|part| format!("praxis:document:{{{tenant}}}:{part}"))
}

impl Kept {
    fn find(&mut self, hash: &str) -> Option<Arc<str>> {
        self.uses += 1;
        let (text, used) = self.documents.get_mut(hash)?;
        *used = self.uses;
        Some(Arc::clone(text))
    }

    fn add(&mut self, hash: &str, text: &Arc<str>) {
        if text.len() > MAX_BYTES || self.find(hash).is_some() {
            return;
        }
        while self.documents.len() >= MAX_DOCUMENTS || self.bytes + text.len() > MAX_BYTES {
            let oldest = self.documents.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(hash, _)| hash.clone()) else { return };
            if let Some((text, _)) = self.documents.remove(&oldest) {
                self.bytes -= text.len();
            }
        }
        self.bytes += text.len();
        self.documents.insert(hash.to_owned(), (Arc::clone(text), self.uses));
    }
}

#[cfg(test)]
mod tests {
    use praxis_entity::ids::TypedId;
    use uuid::Uuid;

    use super::*;

    fn tenant(n: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn the_oldest_in_use_goes_first_and_nobody_fills_the_memory() {
        let store = DocumentStore::new(None);
        for n in 0..MAX_DOCUMENTS {
            store.put(tenant(1), &n.to_string(), "{ a }").await;
        }
        assert!(store.get(tenant(1), "0").await.is_some());
        store.put(tenant(1), "new", "{ b }").await;
        assert!(store.get(tenant(1), "0").await.is_some());
        assert!(store.get(tenant(1), "1").await.is_none());
        assert_eq!(store.get(tenant(1), "new").await.as_deref(), Some("{ b }"));
        assert_eq!(store.held(tenant(1)), (MAX_DOCUMENTS, MAX_DOCUMENTS * 5));
        let large = "x".repeat(MAX_BYTES / 4);
        for n in 0..20 {
            store.put(tenant(1), &format!("large-{n}"), &large).await;
        }
        assert!(store.held(tenant(1)).1 <= MAX_BYTES);
        store.put(tenant(1), "huge", &"x".repeat(MAX_BYTES + 1)).await;
        assert!(store.get(tenant(1), "huge").await.is_none());
        // Another clinic's documents are its own.
        assert!(store.get(tenant(2), "new").await.is_none());
    }
}
