//! Leaving for an identity provider and coming back: the authorization code flow with PKCE.

use std::sync::Arc;

use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use praxis_entity::{
    identity_provider,
    ids::{IdentityProviderId, SessionId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};

use super::{
    Intent, Providers,
    attempt::Attempt,
    http::NoAnswer,
    id_token::{Expected, SKEW, Unverified, Vouched},
    provider::Metadata,
    returned::{Returned, note_refusal},
};
use crate::{Failure, Op, OpFactory, Read};

/// Why it came to nothing. Each is one constant answer; what was wrong exactly is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The clinic knows no such provider.
    #[error("there is no such identity provider")]
    Unknown,
    /// The provider can't be asked, or answers nonsense.
    #[error("the identity provider does not answer as it should")]
    Away,
    /// This browser did not begin this sign-in, or too long ago, or finished it already.
    #[error("there is no such sign-in under way")]
    Stale,
    /// The person or the provider said no.
    #[error("the identity provider refused")]
    Denied,
    /// What the provider sent proves nothing.
    #[error("the identity provider's answer cannot be trusted")]
    Untrusted,
    /// The provider remembered somebody, and did not ask who is there now.
    #[error("the identity provider did not ask who is there")]
    Remembered,
    /// The provider vouches for somebody who is nobody here.
    #[error("nobody here is known by this identity")]
    Stranger,
    /// The identity, or this person at the provider, is taken.
    #[error("the identity belongs to somebody already")]
    Taken,
    /// The invitation that was to be accepted is of no use any more.
    #[error("the invitation can't be used")]
    Uninvited,
    /// The invitation is good, and the clinic has no seat left.
    #[error("the clinic has no seat left")]
    Full,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What can be told.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The rest.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<sea_orm::DbErr> for Error {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Failure(error.into())
    }
}

/// Where to send the browser, and what it has to carry.
pub struct Begun {
    /// The provider's page.
    pub url: String,
    /// For the cookie.
    pub sealed: String,
}

/// What came back with the browser.
#[derive(Debug, Default, Deserialize)]
pub struct Callback {
    /// Repeats what we sent.
    pub state: Option<String>,
    /// What is exchanged for tokens.
    pub code: Option<String>,
    /// Who answered (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct IdToken {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

type Client = oauth2::Client<
    BasicErrorResponse,
    StandardTokenResponse<IdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The providers that people may sign in at: id and name, by name.
pub async fn offered(system: &OpFactory) -> Result<Vec<(IdentityProviderId, String)>, Failure> {
    let op = system.read();
    let offered = identity_provider::Entity::find()
        .filter(identity_provider::Column::Active.eq(true))
        .order_by_asc(identity_provider::Column::Name)
        .all(op.db())
        .await?;
    Ok(offered.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Begins what somebody goes to the provider for.
pub async fn begin(
    factory: &OpFactory,
    providers: &Providers,
    provider: IdentityProviderId,
    redirect_uri: &str,
    return_to: &str,
    intent: Intent,
) -> Result<Begun, Error> {
    let op = factory.read();
    let row = active(&op, provider).await?;
    op.release().await;
    let metadata = metadata(&op, providers, &row).await?;
    let attempt = Attempt::new(&op, provider, redirect_uri, return_to, intent)?;
    let client = client(&row, None, &metadata, redirect_uri)?;
    let verifier = PkceCodeVerifier::new(attempt.verifier.clone());
    let state = CsrfToken::new(attempt.state.clone());
    let mut request = client
        .authorize_url(|| state)
        .add_scope(Scope::new("openid".to_owned()))
        .add_scopes(row.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .add_extra_param("nonce", attempt.nonce.clone());
    if !row.multi_factor_acr.is_empty() {
        request = request.add_extra_param("acr_values", row.multi_factor_acr.join(" "));
    }
    if attempt.intent.binds() {
        request = request.add_extra_param("max_age", "0");
    }
    let (url, _) = request.url();
    Ok(Begun { url: url.into(), sealed: attempt.seal(&op).await? })
}

/// Takes back who left, with whom the provider vouches for. `session` is the one that the browser has, if it has one.
pub async fn come_back(
    system: &OpFactory,
    providers: &Providers,
    session: Option<SessionId>,
    sealed: &str,
    callback: &Callback,
) -> Result<Returned, Error> {
    let op = system.read();
    let state = callback.state.as_deref().ok_or(Refusal::Stale)?;
    let attempt = Attempt::open(&op, sealed, state).await?.ok_or(Refusal::Stale)?;
    if let Intent::Link { session: began, .. } = attempt.intent
        && session != Some(began)
    {
        return Err(Refusal::Stale.into());
    }
    match vouch(&op, providers, &attempt, callback).await {
        Ok((provider, vouched)) => Ok(Returned { attempt, provider, vouched }),
        Err(error) => Err(note_refusal(&op, &attempt.intent, error).await?),
    }
}

/// For whom the provider vouches, judged by what it sent along with the browser and what it answers itself.
async fn vouch(
    op: &Op<Read>,
    providers: &Providers,
    attempt: &Attempt,
    callback: &Callback,
) -> Result<(identity_provider::Model, Vouched), Error> {
    let row = active(op, attempt.provider).await?;
    let secret = client_secret(op, &row).await?;
    op.release().await;
    let metadata = metadata(op, providers, &row).await?;
    match &callback.iss {
        Some(issuer) if *issuer != row.issuer => return Err(Refusal::Untrusted.into()),
        None if metadata.authorization_response_iss_parameter_supported => {
            return Err(Refusal::Untrusted.into());
        }
        _ => {}
    }
    let (None, Some(code)) = (&callback.error, &callback.code) else { return Err(Refusal::Denied.into()) };
    let vouched = exchange(op, providers, &row, secret, &metadata, attempt, code).await?;
    // One that does not say when it asked is believed: `max_age` was asked for, and not all providers tell.
    if attempt.intent.binds() && vouched.at.is_some_and(|at| at + SKEW < attempt.began_at()) {
        return Err(Refusal::Remembered.into());
    }
    Ok((row, vouched))
}

/// Exchanges the code for an ID token, and judges it.
async fn exchange(
    op: &Op<Read>,
    providers: &Providers,
    row: &identity_provider::Model,
    secret: Option<String>,
    metadata: &Metadata,
    attempt: &Attempt,
    code: &str,
) -> Result<Vouched, Error> {
    let client = client(row, secret, metadata, &attempt.redirect_uri)?;
    let answer = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()))
        .request_async(providers)
        .await
        .map_err(|error| match error {
            oauth2::RequestTokenError::ServerResponse(_) => Refusal::Untrusted,
            oauth2::RequestTokenError::Request(error) => away(op, &error),
            _ => Refusal::Away,
        })?;
    let token = answer.extra_fields().id_token.as_deref().ok_or(Refusal::Untrusted)?;
    let unverified = Unverified::parse(token).ok_or(Refusal::Untrusted)?;
    let key = providers
        .key(&metadata.jwks_uri, |key| key.fits(&unverified.header))
        .await
        .map_err(|error| away(op, &error))?
        .ok_or(Refusal::Untrusted)?;
    let expected = Expected {
        issuer: &row.issuer,
        client_id: &row.client_id,
        nonce: &attempt.nonce,
        multi_factor_acr: &row.multi_factor_acr,
        now: op.now(),
    };
    unverified.verify(&key, &expected).map_err(|reason| {
        tracing::warn!(tenant = %op.tenant().id, provider = %row.id, reason, "an ID token was refused");
        Refusal::Untrusted.into()
    })
}

fn client(
    row: &identity_provider::Model,
    secret: Option<String>,
    metadata: &Metadata,
    redirect_uri: &str,
) -> Result<Client, Error> {
    let redirect = RedirectUrl::new(redirect_uri.to_owned())
        .map_err(|error| Failure::Internal(format!("redirect: {error}")))?;
    let client = oauth2::Client::new(ClientId::new(row.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
        .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()))
        .set_redirect_uri(redirect);
    let methods = &metadata.token_endpoint_auth_methods_supported;
    // Where a provider says nothing, the standard says Basic.
    let basic =
        methods.as_ref().is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
    Ok(match secret {
        Some(secret) => client
            .set_auth_type(if basic { AuthType::BasicAuth } else { AuthType::RequestBody })
            .set_client_secret(ClientSecret::new(secret)),
        None => client.set_auth_type(AuthType::RequestBody),
    })
}

/// The provider, if people may sign in there.
async fn active<Mode>(
    op: &Op<Mode>,
    provider: IdentityProviderId,
) -> Result<identity_provider::Model, Error> {
    let row = identity_provider::Entity::find_by_id(provider).one(op.db()).await?;
    Ok(row.filter(|row| row.active).ok_or(Refusal::Unknown)?)
}

async fn client_secret(op: &Op<Read>, row: &identity_provider::Model) -> Result<Option<String>, Error> {
    let Some(sealed) = &row.client_secret else { return Ok(None) };
    let subject = op.tenant().uuid();
    let key = op.data_key(subject).await?;
    Ok(Some(op.open_unseen(&key, &op.place("identity_provider", row.id.0, subject), sealed).await?.0))
}

async fn metadata(
    op: &Op<Read>,
    providers: &Providers,
    row: &identity_provider::Model,
) -> Result<Arc<Metadata>, Error> {
    providers.metadata(&row.issuer).await.map_err(|error| away(op, &error).into())
}

fn away(op: &Op<Read>, error: &NoAnswer) -> Refusal {
    tracing::warn!(tenant = %op.tenant().id, %error, "an identity provider did not answer as it should");
    Refusal::Away
}
