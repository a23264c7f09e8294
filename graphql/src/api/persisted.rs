//! Which document a request asks for: its text, its hash, or the id under which it was registered.

use data_encoding::HEXLOWER;
use praxis_entity::control::tenant::OperationMode;
use praxis_platform::vault::crypto;
use serde_json::Value as Json;

use super::{GraphqlRequest, admit::Refusal};
use crate::error::Code;

/// The longest id of a document.
const MAX_ID: usize = 200;

/// How a request names a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DocumentId {
    /// By the SHA-256 of its text, in hexadecimal.
    Hash(String),
    /// By an id that only its registration explains.
    Name(String),
}

impl DocumentId {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Hash(id) | Self::Name(id) => id,
        }
    }

    /// How the request names a document besides its text, if it does.
    pub(super) fn of(request: &GraphqlRequest) -> Result<Option<Self>, Refusal> {
        let bad = |message: &str| Refusal::new(Code::BadUserInput, message);
        let hash = match request.extensions.get("persistedQuery") {
            None | Some(Json::Null) => None,
            Some(extension) => {
                if extension.get("version").and_then(Json::as_u64) != Some(1) {
                    return Err(bad("extensions.persistedQuery.version has to be 1."));
                }
                let hash = extension.get("sha256Hash").and_then(Json::as_str).and_then(sha256);
                Some(hash.ok_or_else(|| bad("extensions.persistedQuery.sha256Hash is not a SHA-256."))?)
            }
        };
        match (hash, request.document_id.as_deref()) {
            (Some(_), Some(_)) => Err(bad("Send documentId or extensions.persistedQuery, not both.")),
            (Some(hash), None) => Ok(Some(Self::Hash(hash))),
            (None, None) => Ok(None),
            (None, Some(id))
                if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(|b| b.is_ascii_graphic()) =>
            {
                Err(bad("documentId is not the id of a document."))
            }
            // As the GraphQL-over-HTTP draft writes hashes; a bare one is one as well.
            (None, Some(id)) => Ok(Some(match sha256(id.strip_prefix("sha256:").unwrap_or(id)) {
                Some(hash) => Self::Hash(hash),
                None => Self::Name(id.to_owned()),
            })),
        }
    }

    /// Refuses a text that has another hash than it is said to have.
    pub(super) fn check_text(&self, text: &str) -> Result<(), Refusal> {
        match self {
            Self::Hash(hash) if *hash != HEXLOWER.encode(&crypto::sha256(text.as_bytes())) => {
                Err(Refusal::new(Code::BadUserInput, "The hash is not that of the query."))
            }
            _ => Ok(()),
        }
    }

    /// Why a document that nobody knows is not found, as clients of the protocol want it said.
    pub(super) fn unknown(&self, mode: OperationMode) -> Refusal {
        match (self, mode) {
            (Self::Hash(_), OperationMode::Open) => {
                Refusal::new(Code::PersistedQueryNotSupported, "PersistedQueryNotSupported")
            }
            _ => Refusal::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound"),
        }
    }
}

/// A text is not taken where only registered operations are.
pub(super) fn registered_only() -> Refusal {
    Refusal::new(Code::PersistedQueryOnly, "Only registered operations are accepted here.")
}

fn sha256(text: &str) -> Option<String> {
    let hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| text.to_ascii_lowercase())
}

/// Whether a document may be kept outside of this process: it holds no literal value and no comment,
/// so nothing that somebody wrote about a patient. Values belong into variables.
pub(super) fn may_be_kept(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if matches!(first, b'"' | b'#') {
            return false;
        }
        if !is_word(first) {
            rest = tail;
            continue;
        }
        let end = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        // A page size is no secret; a birth year or a record number might be one.
        if first.is_ascii_digit() && word.len() > 3 {
            return false;
        }
        rest = after;
    }
    true
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(extensions: Json, document_id: Option<&str>) -> Result<Option<DocumentId>, Code> {
        let Json::Object(extensions) = extensions else { unreachable!("an object") };
        let document_id = document_id.map(str::to_owned);
        DocumentId::of(&GraphqlRequest { extensions, document_id, ..GraphqlRequest::default() })
            .map_err(|refusal| refusal.code())
    }

    #[test]
    fn a_document_is_named_in_one_way() {
        let hash = "AB".repeat(32);
        let persisted = |version: u32, hash: &str| json!({ "persistedQuery": { "version": version, "sha256Hash": hash } });
        let lower = DocumentId::Hash(hash.to_lowercase());
        assert_eq!(named(json!({}), None), Ok(None));
        assert_eq!(named(persisted(1, &hash), None), Ok(Some(lower.clone())));
        assert_eq!(named(json!({}), Some(&hash)), Ok(Some(lower.clone())));
        assert_eq!(named(json!({}), Some(&format!("sha256:{hash}"))), Ok(Some(lower)));
        assert_eq!(named(json!({}), Some("5d41402a")), Ok(Some(DocumentId::Name("5d41402a".into()))));
        for (extensions, id) in [
            (persisted(2, &hash), None),
            (persisted(1, "x"), None),
            (persisted(1, &"A".repeat(100_000)), None),
            (json!({ "persistedQuery": "x" }), None),
            (json!({ "persistedQuery": { "version": 1 } }), None),
            (persisted(1, &hash), Some("a")),
            (json!({}), Some("")),
            (json!({}), Some("a b")),
        ] {
            assert_eq!(named(extensions.clone(), id), Err(Code::BadUserInput), "{extensions} {id:?}");
        }
    }

    #[test]
    fn only_documents_without_values_are_kept() {
        for text in [
            "query P($n: Int = 25) { patients(first: $n) { nodes { id } } }",
            "{ a(first: 100, sort: ASC) }",
            "query K123456 { __typename }",
        ] {
            assert!(may_be_kept(text), "{text}");
        }
        for text in [
            "{ patients(search: \"oca\") { id } }",
            "{ a # O'Callaghan\n }",
            "{ a(mrn: 8128755690) }",
            "{ a(born: \"1964\") }",
            "{ a(x: -1964) }",
        ] {
            assert!(!may_be_kept(text), "{text}");
        }
    }
}
