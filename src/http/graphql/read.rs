//! Reads an operation out of a request, refusing whatever is not exactly one operation.

use axum::{
    body::{Body, to_bytes},
    extract::Query,
    http::{HeaderMap, Method, Request, StatusCode, Uri, header},
    response::Response,
};
use praxis_graphql::{api::GraphqlRequest, error::Code};
use serde_json::{Map, Value};

use super::{
    accept::{self, MediaType},
    answer,
};

/// The largest body and the longest query string that are read.
pub const MAX_SIZE: usize = 256 * 1024;

/// A request that is not GraphQL over HTTP.
#[derive(Debug)]
pub(in crate::http) struct Malformed {
    status: StatusCode,
    code: Code,
    message: &'static str,
}

impl Malformed {
    const fn new(message: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: Code::BadUserInput, message }
    }

    const fn unsupported(message: &'static str) -> Self {
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, code: Code::BadUserInput, message }
    }

    const TOO_LARGE: Self = Self {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: Code::RequestTooLarge,
        message: "A request may have 256 KiB.",
    };

    pub(super) fn response(self, media_type: MediaType, id: &str) -> Response {
        answer::refusal_as(media_type, self.status, self.code, self.message, id)
    }
}

/// The operation in the URL of a GET or the body of a POST.
pub(super) async fn read(request: Request<Body>, id: &str) -> Result<GraphqlRequest, Malformed> {
    let mut operation = if *request.method() == Method::POST {
        require_json(request.headers())?;
        let announced = request.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > MAX_SIZE) {
            return Err(Malformed::TOO_LARGE);
        }
        body(&to_bytes(request.into_body(), MAX_SIZE).await.map_err(|error| unreadable(&error))?)?
    } else {
        GraphqlRequest { read_only: true, ..url(request.uri())? }
    };
    let named = operation.document_id.is_some() || operation.extensions.contains_key("persistedQuery");
    if operation.query.is_none() && !named {
        return Err(Malformed::new("The request has no query."));
    }
    id.clone_into(&mut operation.request_id);
    Ok(operation)
}

/// A registered operation whose id stands in the path, with variables in the query string.
pub(super) fn named(document: String, uri: &Uri, id: &str) -> Result<GraphqlRequest, Malformed> {
    let url = url(uri)?;
    if url.query.is_some() || url.document_id.is_some() || !url.extensions.is_empty() {
        return Err(Malformed::new("The path names the operation; nothing else may."));
    }
    let request_id = id.to_owned();
    Ok(GraphqlRequest { document_id: Some(document), read_only: true, by_path: true, request_id, ..url })
}

/// Only JSON: a form or plain text can be sent by any web page without asking (CSRF).
fn require_json(headers: &HeaderMap) -> Result<(), Malformed> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return Err(Malformed::unsupported("The body has to be application/json."));
    };
    let mut parts = content_type.to_str().unwrap_or_default().split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(Malformed::unsupported("The body has to be application/json."));
    }
    let foreign = parts.filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("charset") && !accept::is_utf8(value.trim().trim_matches('"'))
    });
    if foreign {
        return Err(Malformed::unsupported("The body has to be UTF-8."));
    }
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            Err(Malformed::unsupported("The body may not be compressed."))
        }
        _ => Ok(()),
    }
}

fn unreadable(error: &axum::Error) -> Malformed {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string() == "length limit exceeded" {
            return Malformed::TOO_LARGE;
        }
        cause = error.source();
    }
    Malformed::new("The body could not be read.")
}

fn body(bytes: &[u8]) -> Result<GraphqlRequest, Malformed> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => operation_of(fields),
        Ok(Value::Array(_)) => Err(Malformed::new("Send one operation at a time.")),
        Ok(_) => Err(Malformed::new("The body has to be a JSON object.")),
        Err(_) => Err(Malformed::new("The body is not JSON.")),
    }
}

/// The operation of a JSON object.
pub(in crate::http) fn operation_of(mut fields: Map<String, Value>) -> Result<GraphqlRequest, Malformed> {
    Ok(GraphqlRequest {
        query: text(fields.remove("query"), "query has to be a string.")?,
        operation_name: text(fields.remove("operationName"), "operationName has to be a string.")?,
        variables: object(fields.remove("variables"), "variables has to be an object.")?,
        extensions: object(fields.remove("extensions"), "extensions has to be an object.")?,
        document_id: text(fields.remove("documentId"), "documentId has to be a string.")?,
        ..GraphqlRequest::default()
    })
}

fn text(value: Option<Value>, message: &'static str) -> Result<Option<String>, Malformed> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Malformed::new(message)),
    }
}

fn object(value: Option<Value>, message: &'static str) -> Result<Map<String, Value>, Malformed> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(Malformed::new(message)),
    }
}

fn url(uri: &Uri) -> Result<GraphqlRequest, Malformed> {
    if uri.query().is_some_and(|query| query.len() > MAX_SIZE) {
        return Err(Malformed::TOO_LARGE);
    }
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Malformed::new("The query string could not be read."))?;
    let mut parameters = Map::new();
    for (name, value) in pairs {
        if parameters.insert(name, Value::String(value)).is_some() {
            return Err(Malformed::new("A parameter may be given once."));
        }
    }
    let mut json = |name: &str, message| match text(parameters.remove(name), message)? {
        Some(text) if !text.is_empty() => {
            object(Some(serde_json::from_str(&text).map_err(|_| Malformed::new(message))?), message)
        }
        _ => Ok(Map::new()),
    };
    let variables = json("variables", "variables has to be a JSON object.")?;
    let extensions = json("extensions", "extensions has to be a JSON object.")?;
    let mut plain = |name: &str| text(parameters.remove(name), "A parameter is text.");
    let (query, operation_name, document_id) =
        (plain("query")?, plain("operationName")?, plain("documentId")?);
    Ok(GraphqlRequest { query, operation_name, document_id, variables, extensions, ..Default::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_operation() {
        let read = body(br#"{"query":"{a}","variables":{"x":1},"operationName":null}"#);
        let read = read.expect("an operation");
        assert_eq!(read.query.as_deref(), Some("{a}"));
        assert_eq!(read.variables.get("x"), Some(&Value::from(1)));
        let deep = [b"{\"variables\":".as_slice(), &b"[".repeat(100_000)].concat();
        for bad in [
            b"".as_slice(),
            b"[]",
            b"[{\"query\":\"{a}\"}]",
            b"1",
            b"{",
            b"{\"query\":1}",
            b"{\"query\":\"{a}\",\"variables\":[]}",
            b"{\"query\":\"{a}\",\"extensions\":\"x\"}",
            b"{\"query\":\"\xff\"}",
            &deep,
        ] {
            let refused = body(bad).expect_err("not an operation");
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn a_url_is_one_operation() {
        let read = url(&Uri::from_static("/graphql?query=%7Ba%7D&variables=%7B%22x%22:1%7D&other=1"));
        let read = read.expect("an operation");
        assert_eq!(read.query.as_deref(), Some("{a}"));
        assert_eq!(read.variables.get("x"), Some(&Value::from(1)));
        for bad in ["/?query=a&query=b", "/?query=a&variables=1", "/?query=a&extensions=%7B"] {
            assert!(url(&Uri::from_static(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_json_is_read() {
        let judged = |content_type: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in content_type {
                headers.append(header::CONTENT_TYPE, value.parse().expect("a header value"));
            }
            require_json(&headers).map_err(|refused| refused.status.as_u16())
        };
        assert_eq!(judged(&["application/json"]), Ok(()));
        assert_eq!(judged(&["Application/JSON; Charset=\"UTF-8\""]), Ok(()));
        for bad in [
            [].as_slice(),
            &["text/plain"],
            &["application/json; charset=latin1"],
            &["application/jsonp"],
            &["application/x-www-form-urlencoded"],
            &["application/json", "text/plain"],
        ] {
            assert_eq!(judged(bad), Err(415), "{bad:?}");
        }
    }
}
