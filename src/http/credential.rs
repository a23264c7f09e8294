//! What a request carries to say who sends it: a bearer token or the session cookie, never both.

use axum::http::{HeaderMap, HeaderName, Method, header};
use praxis_platform::session::{Credential, SessionKind};

use super::refused::Refused;

/// The session cookie. The prefix binds it to this host, to the whole path and to TLS.
pub(super) const COOKIE: &str = "__Host-praxis";

/// A header that no web page of another origin can send without asking first.
const CSRF: HeaderName = HeaderName::from_static("praxis-csrf");

/// The credential, if there is one.
pub(super) fn of(method: &Method, headers: &HeaderMap) -> Result<Option<Credential>, Refused> {
    match (bearer(headers)?, cookie(headers, COOKIE)?) {
        (Some(_), Some(_)) => Err(Refused::bad("Send a bearer token or a session cookie, not both.")),
        (Some(token), None) => Ok(Some(Credential { token, kind: SessionKind::Bearer })),
        (None, Some(token)) => {
            // The browser adds the cookie to requests that other pages make; see the header above.
            if !method.is_safe() && !headers.contains_key(CSRF) {
                return Err(Refused::forbidden("With a session cookie the header Praxis-Csrf is needed."));
            }
            Ok(Some(Credential { token, kind: SessionKind::Cookie }))
        }
        (None, None) => Ok(None),
    }
}

/// The bearer token, if there is one.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refused::bad("The request carries several tokens."));
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(Refused::UNAUTHENTICATED);
    }
    Ok(Some(token.to_owned()))
}

/// The value of a cookie that may be there once.
pub(super) fn cookie(headers: &HeaderMap, wanted: &str) -> Result<Option<String>, Refused> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == wanted);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some((_, token)), None) => Ok(Some(token.to_owned())),
        (Some(_), Some(_)) => Err(Refused::bad("The request carries a cookie twice.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        method: Method,
        headers: &[(&'static str, &str)],
    ) -> Result<Option<(String, SessionKind)>, Refused> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect::<HeaderMap>();
        of(&method, &headers).map(|found| found.map(|credential| (credential.token, credential.kind)))
    }

    #[test]
    fn a_token_is_read_from_the_header() {
        let bearer = |text| read(Method::POST, &[("authorization", text)]);
        assert_eq!(read(Method::POST, &[]), Ok(None));
        assert_eq!(bearer("bearer abc"), Ok(Some(("abc".into(), SessionKind::Bearer))));
        for text in ["Basic abc", "Bearer", "Bearer ", "abc", ""] {
            assert_eq!(bearer(text), Err(Refused::UNAUTHENTICATED), "{text}");
        }
    }

    #[test]
    fn a_cookie_needs_a_header_for_anything_but_reading() {
        let cookie = ("cookie", "a=b; __Host-praxis=abc; c=d");
        let found = Ok(Some(("abc".to_owned(), SessionKind::Cookie)));
        assert_eq!(read(Method::GET, &[cookie]), found);
        assert!(read(Method::POST, &[cookie]).is_err());
        assert_eq!(read(Method::POST, &[cookie, ("praxis-csrf", "1")]), found);
        assert_eq!(read(Method::GET, &[("cookie", "__host-praxis=abc; x__Host-praxis=abc")]), Ok(None));
    }

    #[test]
    fn nobody_is_two_people() {
        let cookie = ("cookie", "__Host-praxis=abc");
        assert!(read(Method::GET, &[cookie, ("authorization", "Bearer abc")]).is_err());
        assert!(read(Method::GET, &[("cookie", "__Host-praxis=a; __Host-praxis=b")]).is_err());
        // `collect` keeps one value of a name, so two headers are appended by hand.
        let mut headers = HeaderMap::new();
        headers.append(header::AUTHORIZATION, "Bearer a".parse().unwrap());
        headers.append(header::AUTHORIZATION, "Bearer a".parse().unwrap());
        assert!(of(&Method::GET, &headers).is_err());
    }
}
