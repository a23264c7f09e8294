//! E-mail addresses as logins: one form of each, and shaped like one.

use crate::{ViolationCode, clinic::text, error::Violations};

/// The address in lower case. What is wrong with it is added to the violations.
pub(super) fn checked(found: &mut Violations, path: &[&str], address: &str) -> String {
    let address = text::line(found, path, address, 254).to_lowercase();
    if !address.is_empty() && !is_email(&address) {
        found.add(ViolationCode::Invalid, path, "This is not an e-mail address.");
    }
    address
}

/// Whether the text has the shape of an address: whether mail arrives shows only a mail.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let clean = |part: &str| {
        !part
            .chars()
            .any(|letter| letter.is_whitespace() || letter.is_control() || "<>()[],;:\"\\@".contains(letter))
    };
    let dotted = |part: &str| part.split('.').all(|label| !label.is_empty());
    local.len() <= 64
        && clean(local)
        && clean(domain)
        && dotted(local)
        && dotted(domain)
        && domain.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for right in
            ["a@b.org", "ada.lovelace+clinic@mail.example.co.uk", "o'neil@praxis.test", "zoë@bücher.example"]
        {
            assert!(is_email(right), "{right}");
        }
        for wrong in [
            "",
            "a",
            "@b.org",
            "a@",
            "a@b",
            "a@b..org",
            ".a@b.org",
            "a b@c.org",
            "a@b@c.org",
            "A <a@b.org>",
            "a@b.org,c@d.org",
        ] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }
}
