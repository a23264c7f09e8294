//! What an identity provider publishes of itself: where it is asked, and its keys.

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use moka::{future, sync};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, http::StatusCode};
use serde::Deserialize;
use url::Url;

use super::{
    http::{NoAnswer, Outbound},
    id_token::Key,
};

/// For how long what a provider publishes is taken as it was.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// A token may name a new key at any time; nobody makes us ask for it more often than this.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);
const PROVIDERS: u64 = 1_000;

/// What a provider says of itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) jwks_uri: Url,
    #[serde(default)]
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(super) code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

struct Keys {
    keys: Vec<Key>,
    asked: Instant,
}

/// Why no client for identity providers can be made.
pub type OutboundError = reqwest::Error;

/// What is known of identity providers, and how they are asked.
pub struct Providers {
    pub(super) outbound: Outbound,
    metadata: future::Cache<String, Arc<Metadata>>,
    keys: sync::Cache<Url, Arc<Keys>>,
}

impl Providers {
    /// `loopback` lets providers be on this machine, by HTTP: for tests.
    pub fn new(loopback: bool) -> Result<Self, OutboundError> {
        Ok(Self {
            outbound: Outbound::new(loopback)?,
            metadata: future::Cache::builder().max_capacity(PROVIDERS).time_to_live(KEPT).build(),
            keys: sync::Cache::builder().max_capacity(PROVIDERS).time_to_live(KEPT).build(),
        })
    }

    /// What the provider says of itself. Everything it names has to be as safe to ask as the issuer.
    pub(super) async fn metadata(&self, issuer: &str) -> Result<Arc<Metadata>, Arc<NoAnswer>> {
        self.metadata.try_get_with_by_ref(issuer, self.discover(issuer)).await
    }

    async fn discover(&self, issuer: &str) -> Result<Arc<Metadata>, NoAnswer> {
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let address = Url::parse(&address).map_err(|error| NoAnswer::Malformed(error.to_string()))?;
        let metadata: Metadata = self.outbound.document(&address).await?;
        if metadata.issuer != issuer {
            return Err(NoAnswer::Malformed("the document is another issuer's".to_owned()));
        }
        let challenges = &metadata.code_challenge_methods_supported;
        if challenges.as_ref().is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
            return Err(NoAnswer::Malformed("the provider knows no PKCE".to_owned()));
        }
        let named = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        if !named.into_iter().all(|url| self.outbound.allows(url)) {
            return Err(NoAnswer::Forbidden);
        }
        Ok(Arc::new(metadata))
    }

    /// The key of a name; without a name, the provider's only key of the algorithm.
    pub(super) async fn key(
        &self,
        address: &Url,
        fits: impl Fn(&Key) -> bool,
    ) -> Result<Option<Key>, NoAnswer> {
        let only = |keys: &Keys| {
            let mut fitting = keys.keys.iter().filter(|key| fits(key));
            fitting.next().filter(|_| fitting.next().is_none()).cloned()
        };
        if let Some(known) = self.keys.get(address) {
            let found = only(&known);
            if found.is_some() || known.asked.elapsed() < ASK_AGAIN_AFTER {
                return Ok(found);
            }
        }
        let set: KeySet = self.outbound.document(address).await?;
        // A key of a kind that we do not know is somebody else's.
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        let known = Arc::new(Keys { keys, asked: Instant::now() });
        let found = only(&known);
        self.keys.insert(address.clone(), known);
        Ok(found)
    }
}

impl<'c> AsyncHttpClient<'c> for Providers {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, NoAnswer>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = self.outbound.send(request).await?;
            // What is neither success nor the client's mistake is no answer at all.
            if answer.status() >= StatusCode::INTERNAL_SERVER_ERROR {
                return Err(NoAnswer::Status(answer.status().as_u16()));
            }
            Ok(answer)
        })
    }
}
