//! Renewing a session, ending it, and asking whose it is.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use praxis_platform::{
    access::Actor,
    session::{self, SignedIn},
    tenancy::Tenant,
};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{answer, malformed};
use crate::http::{
    gateway::{self, Edge},
    hygiene::RequestId,
    refused::Refused,
};

const EXPECTED: &str = "The body has to be JSON with refreshToken.";
/// Ours have 43 characters.
const MAX_TOKEN: usize = 128;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refresh {
    refresh_token: String,
}

type Body = Result<Json<Refresh>, JsonRejection>;

/// New tokens for a refresh token. An `Idempotency-Key` names the attempt, for a retry to be told from a theft.
pub(super) async fn refresh(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body,
) -> Response {
    match edge.refresh(&tenant, &parts, body).await {
        Ok(signed_in) => answer::opened(&signed_in),
        Err(refused) => refused.response(&id),
    }
}

/// Ends the session; without one there is nothing to end.
pub(super) async fn logout(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
) -> Response {
    match edge.sign_out(&tenant, &parts).await {
        Ok(()) | Err(Refused::UNAUTHENTICATED) => {
            (StatusCode::NO_CONTENT, [answer::no_cookie()]).into_response()
        }
        Err(refused) => refused.response(&id),
    }
}

/// Who the session belongs to.
pub(super) async fn whoami(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
) -> Response {
    match edge.actor(&parts, &tenant).await.and_then(|actor| actor.ok_or(Refused::UNAUTHENTICATED)) {
        Ok(actor) => Json(json!({
            "displayName": actor.display_name,
            "roles": actor.roles,
            "tenant": tenant.display_name,
            "tenantSlug": tenant.slug,
            "secondFactorRequired": actor.awaits_second_factor,
        }))
        .into_response(),
        Err(refused) => refused.response(&id),
    }
}

impl Edge {
    async fn refresh(&self, tenant: &Arc<Tenant>, parts: &Parts, body: Body) -> Result<SignedIn, Refused> {
        let Json(Refresh { refresh_token }) = body.map_err(|rejection| malformed(&rejection, EXPECTED))?;
        let token = Zeroizing::new(refresh_token);
        if token.len() > MAX_TOKEN {
            return Err(Refused::bad(EXPECTED));
        }
        let attempt = gateway::idempotency_key(&parts.headers)?;
        let system = self.factory(tenant, Arc::new(Actor::system()), self.request_info(parts));
        Ok(session::refresh(&system, &token, attempt.as_deref()).await?)
    }

    async fn sign_out(&self, tenant: &Arc<Tenant>, parts: &Parts) -> Result<(), Refused> {
        let Some(actor) = self.actor(parts, tenant).await? else { return Ok(()) };
        session::logout(&self.factory(tenant, actor, self.request_info(parts))).await?;
        Ok(())
    }
}
