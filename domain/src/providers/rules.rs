//! What an identity provider has to be like.

use url::Url;

use praxis_platform::session::oidc::may_be_asked;

use crate::{ViolationCode, clinic::text, error::Violations};

/// Values of a list that goes into an address.
const MOST: usize = 20;

/// The issuer, exactly as the provider calls itself.
///
/// Tests have theirs on the same machine; a server that is not told to refuses to ask it.
pub(super) fn issuer(found: &mut Violations, value: &str) -> String {
    let issuer = text::line(found, &["issuer"], value, 500);
    let asked = Url::parse(&issuer).is_ok_and(|url| url.query().is_none() && may_be_asked(&url, true));
    if !issuer.is_empty() && !asked {
        let message = "The issuer has to be an https address of the internet, without query.";
        found.add(ViolationCode::Invalid, &["issuer"], message);
    }
    issuer
}

/// Words without spaces: scopes, or values of `acr`.
pub(super) fn words(found: &mut Violations, name: &str, values: &[String]) -> Vec<String> {
    let words = text::lines(found, name, values, MOST, 200);
    for (index, word) in words.iter().enumerate() {
        let plain = word.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        if !plain {
            found.add(ViolationCode::Invalid, &[name, &index.to_string()], "This is not one plain word.");
        }
    }
    words
}

/// The client secret: what it is made of is the provider's affair.
pub(super) fn secret(found: &mut Violations, value: &str) -> String {
    text::line(found, &["clientSecret"], value, 1_000)
}
