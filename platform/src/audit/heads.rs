//! How far this server saw each clinic's log sealed, so that it signs no history that differs from it.
//!
//! What the database says can be changed by its superuser; what a server remembers can't. So a log that
//! was taken back to an older checkpoint, to be sealed again without an entry, is not signed by any
//! server that saw it. A server that starts knows nothing: what a restart forgets, a witness keeps
//! (`praxis audit watch`).

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use praxis_entity::ids::TenantId;

use super::{
    seal::BEFORE_ALL,
    tree::{Edge, Hash},
};

/// The end of a log: the tree up to it, and the hash of its last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The tree.
    pub edge: Edge,
    /// SHA-256 of the last line.
    pub line: Hash,
}

impl Default for Head {
    fn default() -> Self {
        Self { edge: Edge::default(), line: BEFORE_ALL }
    }
}

/// The ends of the logs, as they were last seen.
#[derive(Debug, Default)]
pub struct Heads(Mutex<HashMap<TenantId, Head>>);

impl Heads {
    fn heads(&self) -> MutexGuard<'_, HashMap<TenantId, Head>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a log ended when it was seen last.
    pub fn of(&self, tenant: TenantId) -> Option<Head> {
        self.heads().get(&tenant).cloned()
    }

    /// Remembers where a log ends: it only grows.
    pub fn remember(&self, tenant: TenantId, head: &Head) {
        let mut heads = self.heads();
        if heads.get(&tenant).map_or(0, |known| known.edge.size()) < head.edge.size() {
            heads.insert(tenant, head.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::audit::tree::leaf_hash;

    fn head(entries: u8) -> Head {
        let mut head = Head::default();
        for entry in 0..entries {
            head.edge.push(leaf_hash(&[entry]), |_, _| ());
        }
        head
    }

    #[test]
    fn what_was_seen_is_never_given_up_for_less() {
        let (heads, tenant) = (Heads::default(), TenantId(Uuid::nil()));
        heads.remember(tenant, &Head::default());
        assert_eq!(heads.of(tenant), None);
        heads.remember(tenant, &head(3));
        heads.remember(tenant, &head(2));
        assert_eq!(heads.of(tenant), Some(head(3)));
        heads.remember(tenant, &head(4));
        assert_eq!(heads.of(tenant), Some(head(4)));
    }
}
