//! Signing in at an identity provider, for browsers: away with a redirect, and back with one.
//!
//! What happens in between is [`oidc`]'s. Here are the cookie that binds a sign-in to the browser
//! that began it, and the places a browser may be sent to: the provider, and paths of this host.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::JsonRejection, rejection::QueryRejection},
    http::{HeaderName, StatusCode, header, request::Parts},
    response::{AppendHeaders, IntoResponse, Response},
};
use praxis_entity::ids::IdentityProviderId;
use praxis_graphql::error::Code;
use praxis_platform::{
    access::Actor,
    session::{
        SignIn,
        oidc::{self, Begun, Callback, Finished, Refusal},
    },
    tenancy::Tenant,
};
use serde::Deserialize;
use serde_json::json;

use url::form_urlencoded;

use super::{answer, malformed};
use crate::http::{credential, gateway::Edge, hygiene::RequestId, refused::Refused};

/// Carries the sign-in under way. `Lax`, because the way back begins at the provider.
const COOKIE: &str = "__Host-praxis-sign-in";
const CALLBACK: &str = "/auth/oidc/callback";
/// Longer paths are nobody's.
const MAX_PATH: usize = 1_024;
const EXPECTED: &str = "The body has to be JSON with provider, and returnTo if need be.";

/// Where to, and from where.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start {
    provider: String,
    return_to: Option<String>,
}

/// The providers that people may sign in at.
pub(super) async fn providers(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
) -> Response {
    let system = edge.factory(&tenant, Arc::new(Actor::system()), edge.request_info(&parts));
    match oidc::offered(&system).await {
        Ok(offered) => {
            let offered: Vec<_> =
                offered.into_iter().map(|(id, name)| json!({ "id": id.to_string(), "name": name })).collect();
            Json(json!({ "providers": offered })).into_response()
        }
        Err(failure) => Refused::from(failure).response(&id),
    }
}

/// Sends the browser to the provider.
pub(super) async fn start(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    start: Result<Query<Start>, QueryRejection>,
    parts: Parts,
) -> Response {
    let begun = async {
        let Query(start) = start.map_err(|_| Refused::bad("The address has to name the provider."))?;
        edge.begin(&tenant, &parts, &start, Arc::new(Actor::system())).await
    };
    match begun.await {
        Ok(begun) => (StatusCode::SEE_OTHER, [carry(&begun), (header::LOCATION, begun.url)]).into_response(),
        Err(refused) => refused.response(&id),
    }
}

/// Begins to link the signed-in person's account to an identity; needs a fresh second factor.
pub(super) async fn link(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Result<Json<Start>, JsonRejection>,
) -> Response {
    let begun = async {
        let actor = edge.actor(&parts, &tenant).await?.ok_or(Refused::UNAUTHENTICATED)?;
        let Json(start) = body.map_err(|rejection| malformed(&rejection, EXPECTED))?;
        edge.begin(&tenant, &parts, &start, actor).await
    };
    match begun.await {
        Ok(begun) => ([carry(&begun)], Json(json!({ "url": begun.url }))).into_response(),
        Err(refused) => refused.response(&id),
    }
}

/// Where the provider sends the browser back to.
pub(super) async fn callback(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    callback: Result<Query<Callback>, QueryRejection>,
    parts: Parts,
) -> Response {
    let finished = async {
        let Query(callback) = callback.map_err(|_| Refused::bad("The provider's answer is malformed."))?;
        edge.finish(&tenant, &parts, &callback).await
    };
    let response = match finished.await {
        Ok(Finished::SignedIn { outcome: SignIn::Opened(signed_in), return_to }) => {
            let headers = [answer::cookie(&signed_in), (header::LOCATION, return_to)];
            (StatusCode::SEE_OTHER, AppendHeaders(headers)).into_response()
        }
        Ok(Finished::SignedIn { outcome: SignIn::SecondFactor(asked), return_to }) => {
            // Behind `#`, where no server sees it: the page shows the factor and goes on.
            let next =
                form_urlencoded::Serializer::new(String::new()).append_pair("next", &return_to).finish();
            let page = format!("/sign-in?{next}#challenge={}", asked.challenge.text());
            (StatusCode::SEE_OTHER, [(header::LOCATION, page)]).into_response()
        }
        Ok(Finished::Linked { return_to }) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, return_to)]).into_response()
        }
        Err(refused) => refused.response(&id),
    };
    // Whatever came of it, this sign-in is over.
    (AppendHeaders([forget()]), response).into_response()
}

impl Edge {
    /// The system begins a sign-in; a person begins to link an identity to their account.
    async fn begin(
        &self,
        tenant: &Arc<Tenant>,
        parts: &Parts,
        start: &Start,
        actor: Arc<Actor>,
    ) -> Result<Begun, Refused> {
        let provider: IdentityProviderId = start.provider.parse().map_err(|_| refused(Refusal::Unknown))?;
        let return_to = start.return_to.as_deref().unwrap_or("/");
        if !is_own_path(return_to) {
            return Err(Refused::bad("returnTo has to be a path of this host."));
        }
        let redirect_uri = redirect_uri(parts)?;
        let factory = self.factory(tenant, actor, self.request_info(parts));
        oidc::begin(&factory, &self.identity_providers, provider, &redirect_uri, return_to)
            .await
            .map_err(told)
    }

    async fn finish(
        &self,
        tenant: &Arc<Tenant>,
        parts: &Parts,
        callback: &Callback,
    ) -> Result<Finished, Refused> {
        let sealed = credential::cookie(&parts.headers, COOKIE)?.ok_or(refused(Refusal::Stale))?;
        // Somebody whose session is over may still sign in.
        let signed_in = self.actor(parts, tenant).await.unwrap_or_default().and_then(|actor| actor.user);
        let system = self.factory(tenant, Arc::new(Actor::system()), self.request_info(parts));
        oidc::finish(&system, &self.identity_providers, signed_in, &sealed, callback).await.map_err(told)
    }
}

fn carry(begun: &Begun) -> (HeaderName, String) {
    let age = oidc::LIFETIME.num_seconds();
    let cookie = format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age}", begun.sealed);
    (header::SET_COOKIE, cookie)
}

fn forget() -> (HeaderName, String) {
    (header::SET_COOKIE, format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
}

/// Where the provider sends people back to: this host, as the browser knows it.
fn redirect_uri(parts: &Parts) -> Result<String, Refused> {
    // The gateway has found a clinic by this host.
    let host = parts.uri.authority().map(|authority| authority.as_str());
    let host = host.or_else(|| parts.headers.get(header::HOST)?.to_str().ok());
    let host = host.ok_or(Refused::bad("The request names no host."))?;
    // Browsers take `localhost` for safe without TLS, and so does the cookie.
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = name == "localhost" || name.ends_with(".localhost");
    Ok(format!("{}://{host}{CALLBACK}", if local { "http" } else { "https" }))
}

/// Whether a browser that is sent there stays at this host.
fn is_own_path(path: &str) -> bool {
    path.len() <= MAX_PATH
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

fn told(error: oidc::Error) -> Refused {
    match error {
        oidc::Error::Refused(refusal) => refused(refusal),
        oidc::Error::Failure(failure) => failure.into(),
    }
}

const fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Unknown => {
            Refused::new(StatusCode::NOT_FOUND, Code::NotFound, "There is no such identity provider.")
        }
        Refusal::Away => Refused::new(
            StatusCode::BAD_GATEWAY,
            Code::UpstreamUnavailable,
            "The identity provider does not answer as it should.",
        ),
        Refusal::Stale => Refused::bad("This sign-in is not under way in this browser; begin again."),
        Refusal::Denied => Refused::forbidden("The identity provider did not sign you in."),
        Refusal::Untrusted => Refused::new(
            StatusCode::UNAUTHORIZED,
            Code::Unauthenticated,
            "The identity provider's answer cannot be trusted.",
        ),
        Refusal::Stranger => Refused::forbidden(
            "Nobody here is known by this identity; sign in another way and link it to your account first.",
        ),
        Refusal::Taken => Refused::forbidden("This identity cannot be linked to your account."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_to_paths_of_this_host_only() {
        for own in ["/", "/explorer", "/a/b?c=d&e=%2F%2Fevil.example#f", "/a//b", "/:@"] {
            assert!(is_own_path(own), "{own}");
        }
        for other in [
            "",
            "explorer",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n",
            "/a b",
            "/é",
            "https://evil.example",
            "javascript:alert(1)",
            " /",
            "/\u{0}",
            "@evil.example",
        ] {
            assert!(!is_own_path(other), "{other:?}");
        }
        assert!(!is_own_path(&format!("/{}", "a".repeat(MAX_PATH))));
    }

    #[test]
    fn the_way_back_is_by_tls_except_to_this_very_machine() {
        let uri = |host: &str| {
            let request = axum::http::Request::get("/auth/oidc/start").header("host", host).body(()).unwrap();
            redirect_uri(&request.into_parts().0).unwrap()
        };
        assert_eq!(uri("a.example.org"), "https://a.example.org/auth/oidc/callback");
        assert_eq!(uri("a.example.org:8443"), "https://a.example.org:8443/auth/oidc/callback");
        assert_eq!(uri("a.localhost:8080"), "http://a.localhost:8080/auth/oidc/callback");
        assert_eq!(uri("localhost.example.org"), "https://localhost.example.org/auth/oidc/callback");
    }
}
