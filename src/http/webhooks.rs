//! Calls of those who carry messages: what became of one, and what somebody answered.
//!
//! A call counts only when it is signed by whoever has the account's secret, over the address that we gave out. It is
//! answered alike whether it told something new or not; each counts once.

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};
use praxis_domain::{
    Error,
    notifications::{self, Answer, Report},
};
use praxis_entity::ids::NotificationId;
use praxis_graphql::error::Code;
use praxis_platform::{
    Failure,
    access::Actor,
    sms::{SmsProvider, is_start, is_stop},
    tenancy::Tenant,
};
use url::form_urlencoded;

use super::{gateway::Edge, hygiene::RequestId, refused::Refused};

/// More than any call takes.
const MAX_BODY: usize = 16 * 1024;
const SIGNATURE: &str = "x-twilio-signature";

const UNSIGNED: Refused = Refused::forbidden("The call is not signed by whom it has to be.");
const NOBODY: Refused = Refused::new(StatusCode::NOT_FOUND, Code::NotFound, "There is nothing here.");

/// The routes under `/webhooks`.
pub fn router(edge: Arc<Edge>) -> Router {
    Router::new()
        .route("/webhooks/twilio/inbound", post(inbound))
        .route("/webhooks/twilio/{notice}/{attempt}", post(status))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(edge)
}

/// The parameters of a call, signed for.
struct Signed(Vec<(String, String)>);

impl Signed {
    fn read(edge: &Edge, tenant: &Tenant, parts: &Parts, body: &[u8]) -> Result<Self, Refused> {
        let Some(SmsProvider::Twilio(twilio)) = &edge.sms else { return Err(NOBODY) };
        let parameters: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
        // As we gave it out, whatever a proxy made of it.
        let origin = edge.links.of(&edge.directory.host_of(tenant));
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
        let signature = single(&parts.headers).unwrap_or_default();
        if !twilio.has_signed(&format!("{origin}{path}"), &parameters, signature) {
            return Err(UNSIGNED);
        }
        Ok(Self(parameters))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn single(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(SIGNATURE).iter();
    let first = given.next()?.to_str().ok()?;
    given.next().is_none().then_some(first)
}

/// What became of a message.
async fn status(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    Path((notice, attempt)): Path<(String, String)>,
    parts: Parts,
    body: Bytes,
) -> Response {
    let told = async {
        let call = Signed::read(&edge, &tenant, &parts, &body)?;
        let notice: NotificationId = notice.parse().map_err(|_| NOBODY)?;
        let attempt: i32 = attempt.parse().map_err(|_| NOBODY)?;
        let (Some(message), Some(status)) = (call.get("MessageSid"), call.get("MessageStatus")) else {
            return Err(Refused::bad("The call has to name the message and its status."));
        };
        let report = Report {
            provider: "twilio",
            message: code(message)?,
            notice,
            attempt,
            status: code(status)?,
            error: call.get("ErrorCode").filter(|code| !code.is_empty()).map(code).transpose()?,
            to: call.get("To").map(str::to_owned),
        };
        let op = edge.factory(&tenant, Arc::new(Actor::system()), edge.request_info(&parts));
        let op = op.write_always().await?;
        match notifications::report(&op, report).await {
            Ok(true) => op.commit().await?,
            Ok(false) => op.rollback().await?,
            Err(error) => return Err(failed(error)),
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    told.await.unwrap_or_else(|refused: Refused| refused.response(&id))
}

/// What somebody answered. Twilio itself confirms STOP and START, so nothing is said back.
async fn inbound(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Bytes,
) -> Response {
    let told = async {
        let call = Signed::read(&edge, &tenant, &parts, &body)?;
        let (Some(message), Some(from)) = (call.get("MessageSid"), call.get("From")) else {
            return Err(Refused::bad("The call has to name the message and its sender."));
        };
        let text = call.get("Body").unwrap_or_default();
        let said = match call.get("OptOutType") {
            Some("STOP") => Some(Answer::Stop),
            Some("START") => Some(Answer::Start),
            _ if is_stop(text) => Some(Answer::Stop),
            _ if is_start(text) => Some(Answer::Start),
            _ => None,
        };
        if let Some(said) = said {
            let message = code(message)?;
            let op = edge.factory(&tenant, Arc::new(Actor::system()), edge.request_info(&parts));
            let op = op.write_always().await?;
            match notifications::answer(&op, "twilio", &message, from, said).await {
                Ok(true) => op.commit().await?,
                Ok(false) => op.rollback().await?,
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(([(header::CONTENT_TYPE, "text/xml")], "<Response/>").into_response())
    };
    told.await.unwrap_or_else(|refused: Refused| refused.response(&id))
}

/// A code as Twilio has them: nothing else gets into the database.
fn code(text: &str) -> Result<String, Refused> {
    let fine = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if fine { Ok(text.to_owned()) } else { Err(Refused::bad("The call holds something else than codes.")) }
}

fn failed(error: Error) -> Refused {
    match error {
        Error::Failure(failure) => failure.into(),
        violated @ Error::Violated(_) => Failure::Internal(violated.to_string()).into(),
    }
}
