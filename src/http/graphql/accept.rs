//! Which of the two GraphQL media types the caller prefers.

use axum::http::{HeaderMap, HeaderValue, header};

/// A media type answers are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`: the status tells whether the operation ran.
    GraphqlResponse,
    /// `application/json`, which older clients ask for.
    Json,
}

impl MediaType {
    /// The value of `Content-Type`.
    pub(super) const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }

    const fn essence(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json",
            Self::Json => "application/json",
        }
    }

    /// The better acceptable type, or none. Who has no preference gets `application/json`.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let mut ranges = Vec::new();
        for value in headers.get_all(header::ACCEPT) {
            ranges.extend(value.to_str().ok()?.split(',').filter_map(Range::parse));
        }
        if ranges.is_empty() {
            let silent = headers.get_all(header::ACCEPT).iter().all(HeaderValue::is_empty);
            return silent.then_some(Self::Json);
        }
        let new = Self::GraphqlResponse.preference(&ranges);
        let old = Self::Json.preference(&ranges);
        match (new.quality, old.quality) {
            (0, 0) => None,
            (new_quality, old_quality) if new_quality != old_quality => {
                Some(if new_quality > old_quality { Self::GraphqlResponse } else { Self::Json })
            }
            // Equally liked: the one that was named, and if both were, the one that says more.
            _ if new.precision > 1 && new.precision >= old.precision => Some(Self::GraphqlResponse),
            _ => Some(Self::Json),
        }
    }

    /// The most precise range that covers this type decides.
    fn preference(self, ranges: &[Range<'_>]) -> Preference {
        let covering = ranges.iter().filter_map(|range| {
            let precision = match range.essence {
                "*/*" => 0,
                "application/*" => 1,
                essence if essence.eq_ignore_ascii_case(self.essence()) => 2,
                _ => return None,
            };
            Some(Preference { precision, quality: range.quality })
        });
        covering.max().unwrap_or_default()
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    precision: u8,
    quality: u16,
}

struct Range<'a> {
    essence: &'a str,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    /// Ranges in another character set are passed over: there is no such answer.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().filter(|essence| !essence.is_empty())?;
        let mut quality = 1_000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = self::quality(value)?,
                "charset" if !is_utf8(value) => return None,
                _ => {}
            }
        }
        Some(Self { essence, quality })
    }
}

fn quality(text: &str) -> Option<u16> {
    let value: f32 = text.parse().ok().filter(|value| (0.0..=1.0).contains(value))?;
    // In 0..=1000, see the filter above.
    format!("{:.0}", value * 1_000.0).parse().ok()
}

/// Whether a `charset` parameter names the only character set of JSON.
pub(super) fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &[&str]) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, value.parse().expect("a header value"));
        }
        MediaType::negotiate(&headers)
    }

    #[test]
    fn the_preferred_type_wins() {
        use MediaType::{GraphqlResponse, Json};
        for (accept, expected) in [
            ("", Some(Json)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("application/json", Some(Json)),
            ("APPLICATION/JSON; charset=UTF-8", Some(Json)),
            ("application/graphql-response+json", Some(GraphqlResponse)),
            ("application/graphql-response+json, application/json", Some(GraphqlResponse)),
            ("application/json, application/graphql-response+json", Some(GraphqlResponse)),
            ("application/graphql-response+json;q=0.5, application/json", Some(Json)),
            ("application/graphql-response+json, */*", Some(GraphqlResponse)),
            ("application/json, */*", Some(Json)),
            ("application/json;q=0, */*", Some(GraphqlResponse)),
            ("text/html, application/xhtml+xml, */*;q=0.8", Some(Json)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;q=2", None),
            ("application/json;q=NaN", None),
            ("application/json; charset=utf-16", None),
            ("image/*", None),
        ] {
            assert_eq!(negotiated(&[accept]), expected, "{accept}");
        }
        assert_eq!(negotiated(&[]), Some(Json));
        assert_eq!(negotiated(&["text/html", "application/json"]), Some(Json));
    }
}
