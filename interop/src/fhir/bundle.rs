//! The entries of a bundle, each as the text it came as.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A bundle of any kind: a transaction, a collection, a page of a search.
#[derive(Debug, Deserialize)]
pub(super) struct Bundle<'a> {
    #[serde(borrow, default)]
    pub(super) entry: Vec<Entry<'a>>,
}

/// One resource of a bundle.
#[derive(Debug, Deserialize)]
pub(super) struct Entry<'a> {
    #[serde(rename = "fullUrl")]
    pub(super) full_url: Option<String>,
    #[serde(borrow)]
    pub(super) resource: Option<&'a RawValue>,
    request: Option<Request>,
}

#[derive(Debug, Deserialize)]
struct Request {
    method: Option<String>,
}

impl Entry<'_> {
    /// True when the entry asks for something else than that its resource be there.
    pub(super) fn is_no_creation(&self) -> bool {
        let method = self.request.as_ref().and_then(|request| request.method.as_deref());
        !matches!(method, None | Some("POST" | "PUT"))
    }
}
