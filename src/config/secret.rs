//! A text that is wiped when dropped and never printed by accident.

use std::fmt;

use zeroize::Zeroizing;

/// A secret of the configuration.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// The address of a database without anything that could be a password.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "(hidden)".to_owned() };
    // A password may be in front of the last `@`, and among the parameters.
    let (login, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let user = login.split(':').next().unwrap_or_default();
    let place = place.split('?').next().unwrap_or_default();
    let at = if login.is_empty() { "" } else { "@" };
    let hidden = if login.contains(':') { ":***" } else { "" };
    format!("{scheme}://{user}{hidden}{at}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_an_address_shows_its_password() {
        for (url, shown) in [
            ("postgres://ann:s3cret@db:5432/praxis", "postgres://ann:***@db:5432/praxis"),
            ("postgres://ann:s3cr@t@db/praxis", "postgres://ann:***@db/praxis"),
            ("postgres://ann@db/praxis?password=s3cret", "postgres://ann@db/praxis"),
            ("postgres:///praxis?host=/run&password=s3cret", "postgres:///praxis"),
            ("s3cret", "(hidden)"),
        ] {
            assert_eq!(without_password(url), shown);
        }
        assert_eq!(format!("{:?}", Secret::new("s3cret".into())), "(hidden)");
    }
}
