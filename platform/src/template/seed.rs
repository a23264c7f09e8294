//! One item of a template, ready to be stored: its key, the hash of its content and the id of its row.

use std::ops::Deref;

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// What can be seeded from a template.
pub trait Item: Serialize {
    /// Name of the kind, part of the row id: never changed after release.
    const KIND: &'static str;

    /// What tells this item from the others of its kind.
    fn key(&self) -> String;
}

/// An item with the hash of its content; dereferences to the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed<T> {
    item: T,
    content_hash: String,
}

impl<T: Item> Seed<T> {
    pub(super) fn new(item: T) -> Result<Self, serde_json::Error> {
        let mut canonical = String::new();
        write_canonical(&serde_json::to_value(&item)?, &mut canonical);
        let content_hash = HEXLOWER.encode(digest(&SHA256, canonical.as_bytes()).as_ref());
        Ok(Self { item, content_hash })
    }

    /// What tells this item from the others of its kind.
    pub fn key(&self) -> String {
        self.item.key()
    }

    /// SHA-256 of the canonical JSON of the item, in hexadecimal.
    pub fn content_hash(&self) -> &str {
        &self.content_hash
    }

    /// Id of the row this item is stored in for a tenant: UUID version 5 of `kind:key` in the namespace of the tenant.
    pub fn row_id(&self, tenant_id: Uuid) -> Uuid {
        Uuid::new_v5(&tenant_id, format!("{}:{}", T::KIND, self.item.key()).as_bytes())
    }

    /// The item itself.
    pub fn into_item(self) -> T {
        self.item
    }
}

impl<T> Deref for Seed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

/// Writes JSON without white space and with sorted keys, so that equal content has equal bytes however maps are kept.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (i, (name, member)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_canonical(member, out);
            }
            out.push('}');
        }
        Value::Array(elements) => {
            out.push('[');
            for (i, element) in elements.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_canonical(element, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_json_does_not_depend_on_the_order_of_members() {
        let mut out = String::new();
        write_canonical(&serde_json::json!({"b": [1, {"z": null, "y": "ä\n\""}], "a": true}), &mut out);
        assert_eq!(out, r#"{"a":true,"b":[1,{"y":"ä\n\"","z":null}]}"#);
    }
}
