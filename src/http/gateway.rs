//! Which clinic a request is for, and who sends it.
//!
//! The host alone decides the clinic. A header may repeat it and never override it; there is no
//! default. Hosts that lead nowhere all get the same answer, from memory. A request without
//! credential goes on as nobody; one with a credential that is not valid *here* stops.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    body::Body,
    extract::{ConnectInfo, State},
    http::{Extensions, HeaderMap, HeaderName, Request, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::Response,
};
use praxis_entity::{control::tenant::TenantState, ids::FacilityId};
use praxis_graphql::{Afresh, Caller, Recalled, RedactionMode, error::Code};
use praxis_platform::{
    OpFactory, Platform, RequestInfo,
    access::{Actor, Permission, load_role},
    audit::Entry,
    client::{self, ClientAuthenticator},
    mail::Links,
    session::{Authenticator, Credential, SessionKind, oidc::Providers},
    sms::SmsProvider,
    tenancy::{Directory, Freshness, Host, Resolution, Standing, Tenant},
};

use super::{credential, hygiene::RequestId, refused::Refused, throttle::Throttle};

/// Headers that may repeat the clinic of the host, by slug or id.
static TENANT: [HeaderName; 2] =
    [HeaderName::from_static("praxis-tenant"), HeaderName::from_static("x-tenant-id")];
/// Headers that name the branch the caller acts for.
static FACILITY: [HeaderName; 2] =
    [HeaderName::from_static("praxis-facility"), HeaderName::from_static("x-facility-id")];
const REDACTION: HeaderName = HeaderName::from_static("praxis-redaction");
/// Header that names the role through whose eyes the caller looks.
const VIEW_AS: HeaderName = HeaderName::from_static("praxis-view-as");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What of a client's name for itself is kept.
const LONGEST_USER_AGENT: usize = 200;

const UNKNOWN: Refused =
    Refused::new(StatusCode::NOT_FOUND, Code::TenantNotFound, "No clinic answers to this host name.");
const SUSPENDED: Refused =
    Refused::new(StatusCode::FORBIDDEN, Code::TenantSuspended, "The clinic's access is suspended.");
const MIGRATING: Refused = Refused::new(
    StatusCode::SERVICE_UNAVAILABLE,
    Code::TenantMigrating,
    "The clinic's data is being migrated.",
)
.later(5);
const NO_EYES: Refused = Refused::forbidden("Only whoever manages roles views as one.");
const NO_ROLE: Refused = Refused::bad("Praxis-View-As names a role that there is not.");
const MISMATCH: Refused = Refused::forbidden("The request names another clinic than its host does.");

/// What the public port works with.
pub struct Edge {
    /// What all operations share.
    pub platform: Arc<Platform>,
    /// Which clinics there are.
    pub directory: Arc<Directory>,
    /// From tokens to actors.
    pub authenticator: Authenticator,
    /// From tokens to programs.
    pub clients: ClientAuthenticator,
    /// Failed sign-ins.
    pub throttle: Throttle,
    /// Links that were asked for.
    pub links_asked: Throttle,
    /// Where people sign in instead of here.
    pub identity_providers: Providers,
    /// Who carries text messages, and calls us back.
    pub sms: Option<SmsProvider>,
    /// Where links to clinics lead.
    pub links: Links,
    /// Where a trusted proxy puts the client's address.
    pub client_address_header: Option<HeaderName>,
}

/// Lets requests pass that are for a clinic which is served, and puts the `Arc<Tenant>` into them.
pub async fn admit(State(edge): State<Arc<Edge>>, mut request: Request<Body>, next: Next) -> Response {
    let tenant = host(&request).and_then(|host| match edge.directory.resolve(&host) {
        Resolution::Tenant(tenant) => Some(tenant),
        Resolution::Unknown => None,
    });
    let verdict = tenant.ok_or(UNKNOWN).and_then(|tenant| {
        repeats(&tenant, request.headers())?;
        served(&tenant)?;
        Ok(tenant)
    });
    match verdict {
        Ok(tenant) => {
            request.extensions_mut().insert(tenant);
            next.run(request).await
        }
        Err(refused) => refused.response(&request_id(request.extensions())),
    }
}

/// Finds out who sends a request, and puts the [`Caller`] into it.
pub async fn identify(State(edge): State<Arc<Edge>>, request: Request<Body>, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match edge.caller(&parts).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(refused) => refused.response(&request_id(&parts.extensions)),
    }
}

/// Who sends a request.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) tenant: Arc<Tenant>,
    pub(super) actor: Arc<Actor>,
    pub(super) info: RequestInfo,
    redaction: RedactionMode,
}

impl Edge {
    /// Who sends a request; `None` when it carries no credential.
    pub(super) async fn actor(
        &self,
        parts: &Parts,
        tenant: &Arc<Tenant>,
    ) -> Result<Option<Arc<Actor>>, Refused> {
        let facility = facility(&parts.headers)?;
        let Some(credential) = credential::of(&parts.method, &parts.headers)? else { return Ok(None) };
        let system = self.factory(tenant, Arc::new(Actor::system()), self.request_info(parts));
        if !is_session(&credential) {
            if facility.is_some() {
                return Err(Refused::forbidden("A program acts for no branch."));
            }
            return Ok(Some(self.clients.actor(&system, &credential.token).await?));
        }
        Ok(Some(self.authenticator.actor(&system, &credential, facility).await?))
    }

    async fn caller(self: &Arc<Self>, parts: &Parts) -> Result<Caller, Refused> {
        let key = idempotency_key(&parts.headers)?;
        let plain = !parts.headers.contains_key(VIEW_AS);
        if let Some(credential) =
            credential::of(&parts.method, &parts.headers)?.filter(|it| plain && is_session(it))
        {
            return self.in_session(parts, credential, key).await;
        }
        let Known { tenant, actor, info, redaction } = self.known(parts).await?;
        // Nobody sees nothing, whatever the clinic's policies say: no need to ask the database.
        let policies = match actor.is_known() {
            true => self.authenticator.field_policies(&self.as_system(&tenant, info.clone())).await?,
            false => Arc::default(),
        };
        Ok(Caller::new(self.factory(&tenant, actor, info), policies, redaction, key))
    }

    /// Somebody in a session: as remembered, for whoever runs the operation to compare, or as found now.
    async fn in_session(
        self: &Arc<Self>,
        parts: &Parts,
        credential: Credential,
        key: Option<String>,
    ) -> Result<Caller, Refused> {
        let tenant = Arc::clone(parts.extensions.get::<Arc<Tenant>>().ok_or(UNKNOWN)?);
        let (redaction, facility) = (redaction(&parts.headers)?, facility(&parts.headers)?);
        let info = self.request_info(parts);
        let system = self.as_system(&tenant, info.clone());
        let (found, recalled) = match self.authenticator.recall(&system, &credential, facility).await? {
            Some(found) => {
                let afresh = self.afresh(system, credential, facility, request_id(&parts.extensions));
                let recalled = Recalled::under(found.mark, afresh);
                (found, Some(recalled))
            }
            None => (self.authenticator.afresh(&system, &credential, facility).await?, None),
        };
        let factory = self.factory(&tenant, found.actor, info);
        Ok(Caller::remembered(factory, found.policies, redaction, key, recalled))
    }

    fn afresh(
        self: &Arc<Self>,
        system: OpFactory,
        credential: Credential,
        facility: Option<FacilityId>,
        id: Arc<str>,
    ) -> Afresh {
        let asked = Arc::new((Arc::clone(self), system, credential, id));
        Box::new(move || {
            let asked = Arc::clone(&asked);
            Box::pin(async move {
                let (edge, system, credential, id) = &*asked;
                let found = edge.authenticator.afresh(system, credential, facility).await;
                let found = found.map_err(|failure| Refused::from(failure).outcome(id))?;
                Ok((found.actor, found.policies))
            })
        })
    }

    /// Who sends a request, and how they want to be answered.
    pub(super) async fn known(&self, parts: &Parts) -> Result<Known, Refused> {
        // Only routes behind `admit` ask.
        let tenant = Arc::clone(parts.extensions.get::<Arc<Tenant>>().ok_or(UNKNOWN)?);
        let redaction = redaction(&parts.headers)?;
        let info = self.request_info(parts);
        let actor = match self.actor(parts, &tenant).await? {
            Some(actor) => {
                match single(&parts.headers, &[VIEW_AS], "Praxis-View-As has to be the code of one role.")? {
                    Some(role) => self.view_as(&tenant, &actor, role, &info).await?,
                    None => actor,
                }
            }
            None => Arc::new(Actor::anonymous()),
        };
        Ok(Known { tenant, actor, info, redaction })
    }

    /// A caller on a connection that goes on: whoever began it, at the clinic as it is now, under its policies and
    /// with the emergency access of now.
    pub(super) async fn caller_again(&self, known: &Known) -> Result<Caller, Refused> {
        let tenant = self.directory.by_id(known.tenant.id).ok_or(UNKNOWN)?;
        served(&tenant)?;
        // Each operation has a name of its own in the log.
        let info = RequestInfo {
            operation_hash: Arc::default(),
            operation_name: Arc::default(),
            ..known.info.clone()
        };
        let system = self.as_system(&tenant, info.clone());
        let policies = self.authenticator.field_policies(&system).await?;
        let actor = self.authenticator.again(&system, &known.actor).await?;
        Ok(Caller::new(self.factory(&tenant, actor, info), policies, known.redaction, None))
    }

    /// Operations of the system at a clinic.
    pub(super) fn as_system(&self, tenant: &Arc<Tenant>, info: RequestInfo) -> OpFactory {
        self.factory(tenant, Arc::new(Actor::system()), info)
    }

    /// The caller as a holder of a role would be, to look and not to touch. That somebody looks is written down.
    async fn view_as(
        &self,
        tenant: &Arc<Tenant>,
        actor: &Actor,
        role: &str,
        info: &RequestInfo,
    ) -> Result<Arc<Actor>, Refused> {
        actor.require_everywhere(Permission::ROLE_MANAGE).map_err(|_| NO_EYES)?;
        let system = self.factory(tenant, Arc::new(Actor::system()), info.clone());
        let grants = load_role(system.read().db(), role).await?;
        let viewing = Arc::new(actor.viewing_as(role, &grants.ok_or(NO_ROLE)?));
        let op = self.factory(tenant, Arc::clone(&viewing), info.clone()).read();
        op.record(Entry::done("view-as")).await?;
        Ok(viewing)
    }

    /// Operations of an actor at a clinic.
    pub(super) fn factory(&self, tenant: &Arc<Tenant>, actor: Arc<Actor>, info: RequestInfo) -> OpFactory {
        let writable = self.directory.freshness() == Freshness::Fresh;
        OpFactory::new(Arc::clone(&self.platform), Arc::clone(tenant), actor, info, writable)
    }

    pub(super) fn request_info(&self, parts: &Parts) -> RequestInfo {
        RequestInfo {
            id: request_id(&parts.extensions).parse().ok(),
            source_address: self.client_address(parts).map(|address| address.to_string()),
            user_agent: user_agent(&parts.headers),
            authority: authority(&parts.uri, &parts.headers).map(str::to_owned),
            ..RequestInfo::default()
        }
    }

    /// The address a request came from, as far as it can be believed.
    pub(super) fn client_address(&self, parts: &Parts) -> Option<IpAddr> {
        client_address(self.client_address_header.as_ref(), &parts.headers, &parts.extensions)
    }
}

/// Whether a credential is a person's, and not a program's.
fn is_session(credential: &Credential) -> bool {
    credential.kind == SessionKind::Cookie || !client::is_token(&credential.token)
}

/// The address a request came from: what a trusted proxy says, if there is one, and else the socket's.
pub(super) fn client_address(
    header: Option<&HeaderName>,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Option<IpAddr> {
    match header {
        // The last entry is the one that the proxy itself added.
        Some(name) => {
            let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
            value.rsplit(',').next()?.trim().parse().ok()
        }
        None => extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip()),
    }
}

fn request_id(extensions: &Extensions) -> Arc<str> {
    extensions.get::<RequestId>().map_or_else(|| "".into(), |RequestId(id)| Arc::clone(id))
}

/// The hygiene layer has seen to it that there is one host, or two equal ones.
fn host(request: &Request<Body>) -> Option<Host> {
    Host::parse(authority(request.uri(), request.headers())?)
}

pub(super) fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(header::HOST)?.to_str().ok(),
    }
}

fn repeats(tenant: &Tenant, headers: &HeaderMap) -> Result<(), Refused> {
    let stated = TENANT.iter().flat_map(|name| headers.get_all(name));
    for value in stated {
        let same = value.to_str().is_ok_and(|text| text == tenant.slug || text == tenant.id.to_string());
        if !same {
            return Err(MISMATCH);
        }
    }
    Ok(())
}

fn served(tenant: &Tenant) -> Result<(), Refused> {
    if Standing::of(tenant.state) == Standing::Refused {
        return Err(match tenant.state {
            TenantState::Suspended => SUSPENDED,
            // Not yet or no longer a clinic: the same as none.
            _ => UNKNOWN,
        });
    }
    if tenant.fits_this_build() { Ok(()) } else { Err(MIGRATING) }
}

/// What the client calls itself, as far as it is worth keeping.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    let stated = headers.get(header::USER_AGENT)?.to_str().ok()?.trim();
    (!stated.is_empty()).then(|| stated.chars().take(LONGEST_USER_AGENT).collect())
}

/// The one value of a header that may be sent once.
fn single<'a>(
    headers: &'a HeaderMap,
    names: &[HeaderName],
    twice: &'static str,
) -> Result<Option<&'a str>, Refused> {
    let mut values = names.iter().flat_map(|name| headers.get_all(name));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Refused::bad(twice)),
        (Some(_), Some(_)) => Err(Refused::bad(twice)),
    }
}

fn facility(headers: &HeaderMap) -> Result<Option<FacilityId>, Refused> {
    let message = "Praxis-Facility has to be the id of one facility.";
    let stated = single(headers, &FACILITY, message)?;
    stated.map(|text| text.parse().map_err(|_| Refused::bad(message))).transpose()
}

fn redaction(headers: &HeaderMap) -> Result<RedactionMode, Refused> {
    let message = "Praxis-Redaction has to be silent or error.";
    match single(headers, &[REDACTION], message)? {
        None | Some("silent") => Ok(RedactionMode::Silent),
        Some("error") => Ok(RedactionMode::Error),
        Some(_) => Err(Refused::bad(message)),
    }
}

/// What the client calls the attempt, for a retry to be known.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let message = "Idempotency-Key has to be one text of 1 to 255 characters.";
    match single(headers, &[IDEMPOTENCY_KEY], message)? {
        None => Ok(None),
        Some(key) if (1..=255).contains(&key.len()) => Ok(Some(key.to_owned())),
        Some(_) => Err(Refused::bad(message)),
    }
}

#[cfg(test)]
mod tests;
