//! Going to an identity provider and coming back, for browsers: to sign in, to link an identity to
//! one's account, to accept an invitation.
//!
//! What happens in between is [`oidc`]'s. Here are the cookie that binds it to the browser that
//! began it, and the places a browser may be sent to: the provider, and paths of this host.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::JsonRejection, rejection::QueryRejection},
    http::{HeaderName, StatusCode, header, request::Parts},
    response::{AppendHeaders, IntoResponse, Response},
};
use praxis_domain::{identity, providers as domain};
use praxis_entity::ids::IdentityProviderId;
use praxis_graphql::error::Code;
use praxis_platform::{
    OpFactory,
    session::{
        SignIn,
        oidc::{self, Begun, Callback, Intent, Refusal},
    },
    tenancy::Tenant,
};
use serde::Deserialize;
use serde_json::json;

use url::form_urlencoded;

use super::{
    answer,
    call::{Body, Call, read},
    malformed, page,
};
use crate::http::{credential, gateway::Edge, hygiene::RequestId, refused::Refused};

/// Carries the sign-in under way. `Lax`, because the way back begins at the provider.
const COOKIE: &str = "__Host-praxis-sign-in";
const CALLBACK: &str = "/auth/oidc/callback";
/// Longer paths are nobody's.
const MAX_PATH: usize = 1_024;
const EXPECTED: &str = "The body has to be JSON with provider, and returnTo if need be.";
const INVITED: &str = "The body has to be JSON with provider and token, and returnTo if need be.";

/// Where to, and from where.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start {
    provider: String,
    return_to: Option<String>,
}

/// An invitation that is to be accepted, and where.
#[derive(Deserialize)]
pub(super) struct Invited {
    token: String,
    #[serde(flatten)]
    start: Start,
}

/// The providers that people may sign in at.
pub(super) async fn providers(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
) -> Response {
    match oidc::offered(&edge.as_system(&tenant, edge.request_info(&parts))).await {
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
        let system = edge.as_system(&tenant, edge.request_info(&parts));
        edge.begin(&system, &parts, &start, Intent::SignIn).await
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
        let factory = edge.factory(&tenant, actor, edge.request_info(&parts));
        let intent = Intent::link(&factory.read())?;
        edge.begin(&factory, &parts, &start, intent).await
    };
    match begun.await {
        Ok(begun) => leave(&begun),
        Err(refused) => refused.response(&id),
    }
}

/// Begins to accept an invitation with an identity at a provider, instead of with a password.
pub(super) async fn join(call: Call, body: Body<Invited>) -> Response {
    call.answer(async |call: Call| {
        let Invited { token, start } = read(body, INVITED)?;
        let system = call.system();
        let intent = identity::accept_elsewhere(&system, &token).await?;
        Ok(leave(&call.edge.begin(&system, &call.parts, &start, intent).await?))
    })
    .await
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
        Ok(Finished { outcome: Some(SignIn::Opened(signed_in)), return_to }) => {
            let headers = [answer::cookie(&signed_in), (header::LOCATION, return_to)];
            (StatusCode::SEE_OTHER, AppendHeaders(headers)).into_response()
        }
        Ok(Finished { outcome: Some(SignIn::SecondFactor(asked)), return_to }) => {
            // Behind `#`, where no server sees it: the page shows the factor and goes on.
            let next =
                form_urlencoded::Serializer::new(String::new()).append_pair("next", &return_to).finish();
            let page = format!("/sign-in?{next}#challenge={}", asked.challenge.text());
            (StatusCode::SEE_OTHER, [(header::LOCATION, page)]).into_response()
        }
        Ok(Finished { outcome: None, return_to }) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, return_to)]).into_response()
        }
        Err(refused) => page::refused(refused, &parts.headers, &id),
    };
    // Whatever came of it, it is over.
    (AppendHeaders([forget()]), response).into_response()
}

/// To what it came: a sign-in, or an identity that was linked.
struct Finished {
    outcome: Option<SignIn>,
    return_to: String,
}

impl Edge {
    async fn begin(
        &self,
        factory: &OpFactory,
        parts: &Parts,
        start: &Start,
        intent: Intent,
    ) -> Result<Begun, Refused> {
        let provider: IdentityProviderId = start.provider.parse().map_err(|_| refused(Refusal::Unknown))?;
        let return_to = start.return_to.as_deref().unwrap_or("/");
        if !is_own_path(return_to) {
            return Err(Refused::bad("returnTo has to be a path of this host."));
        }
        let redirect_uri = redirect_uri(parts)?;
        oidc::begin(factory, &self.identity_providers, provider, &redirect_uri, return_to, intent)
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
        let actor = self.actor(parts, tenant).await.unwrap_or_default();
        let session = actor.as_ref().and_then(|actor| actor.session);
        let system = self.as_system(tenant, self.request_info(parts));
        let returned = oidc::come_back(&system, &self.identity_providers, session, &sealed, callback);
        let returned = returned.await.map_err(told)?;
        let outcome = match returned.intent() {
            Intent::SignIn => {
                let sign_in = returned.settle(&system, async |op| returned.sign_in(op).await);
                Some(sign_in.await.map_err(told)?)
            }
            Intent::Link { .. } => {
                let actor = actor.ok_or(Refused::UNAUTHENTICATED)?;
                let factory = self.factory(tenant, actor, self.request_info(parts));
                domain::link(&factory, &returned).await.map_err(told)?;
                None
            }
            Intent::Join { .. } => Some(identity::accept_returned(&system, &returned).await.map_err(told)?),
        };
        Ok(Finished { outcome, return_to: returned.return_to().to_owned() })
    }
}

/// Tells a page where to send the browser.
fn leave(begun: &Begun) -> Response {
    ([carry(begun)], Json(json!({ "url": begun.url }))).into_response()
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
        Refusal::Stale => Refused::bad("This is not under way in this browser; begin again."),
        Refusal::Denied => Refused::forbidden("The identity provider did not sign you in."),
        Refusal::Untrusted => Refused::new(
            StatusCode::UNAUTHORIZED,
            Code::Unauthenticated,
            "The identity provider's answer cannot be trusted.",
        ),
        Refusal::Remembered => Refused::forbidden(
            "The identity provider did not ask who is there; sign out at the provider, and begin again.",
        ),
        Refusal::Stranger => Refused::forbidden(
            "Nobody here is known by this identity; sign in another way and link it to your account first.",
        ),
        Refusal::Taken => Refused::forbidden("This identity cannot be linked to your account."),
        Refusal::Uninvited => Refused::bad("This link can't be used any more. Ask for a new one."),
        Refusal::Full => Refused::bad("The clinic has no seat left. Ask whoever invited you, and come back."),
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
