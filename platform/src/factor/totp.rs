//! Codes of authenticator apps: RFC 6238 with the parameters that every app understands
//! (SHA-1, six digits, thirty seconds).
//!
//! A code is known by its time step. Whoever takes one writes its step down, and never takes that
//! step or an earlier one again.

use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use praxis_entity::value::TotpSecret;
use url::Url;

use crate::vault::{VaultError, crypto};

const PERIOD: i64 = 30;
const DIGITS: usize = 6;
/// Clocks of telephones may be this many steps off.
const WINDOW: i64 = 1;

/// A new secret.
pub fn secret() -> Result<TotpSecret, VaultError> {
    Ok(TotpSecret(crypto::random()?))
}

/// The secret as a person types it into an app.
pub fn readable(secret: &TotpSecret) -> String {
    BASE32_NOPAD.encode(&secret.0)
}

/// The secret as an app scans it.
pub fn uri(secret: &TotpSecret, clinic: &str, email: &str) -> Option<String> {
    let mut uri = Url::parse("otpauth://totp/").ok()?;
    // A colon in the label parts issuer from account.
    let label = format!("{}:{email}", clinic.replace(':', " "));
    uri.set_path(&label);
    uri.query_pairs_mut().append_pair("secret", &readable(secret)).append_pair("issuer", clinic);
    // Some apps show a plus where the form encoding of a space was meant.
    Some(uri.as_str().replace('+', "%20"))
}

/// What a text is worth as a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The code of this step, which was not taken before.
    Fresh(i64),
    /// A code that was right, but was taken before or came after a newer one.
    Used,
    /// No code of this time.
    Wrong,
}

/// Reads a code: of this step or of one next to it, and of none up to `last`.
pub fn read_code(secret: &TotpSecret, text: &str, now: DateTime<Utc>, last: i64) -> Code {
    let current = now.timestamp().div_euclid(PERIOD);
    // Every candidate is looked at, so that the time taken tells nothing.
    (current - WINDOW..=current + WINDOW).fold(Code::Wrong, |found, step| {
        match (found, same(code(secret, step).as_bytes(), text.as_bytes())) {
            (Code::Wrong | Code::Used, true) if step > last => Code::Fresh(step),
            (Code::Wrong, true) => Code::Used,
            _ => found,
        }
    })
}

/// The code of a step.
pub fn code(secret: &TotpSecret, step: i64) -> String {
    let digest = crypto::mac_sha1(&secret.0, &step.to_be_bytes());
    let offset = usize::from(digest.last().copied().unwrap_or_default() & 15);
    let word = digest.get(offset..offset + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
    let number = (u32::from_be_bytes(word) & 0x7fff_ffff) % 10_u32.pow(DIGITS as u32);
    format!("{number:0DIGITS$}")
}

fn same(a: &[u8], b: &[u8]) -> bool {
    crypto::same(&crypto::sha256(a), &crypto::sha256(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        let secret = TotpSecret(*b"12345678901234567890");
        // Appendix B, the last six of its eight digits.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(&secret, seconds / PERIOD), expected);
            assert_eq!(read_code(&secret, expected, at(seconds), 0), Code::Fresh(seconds / PERIOD));
        }
    }

    #[test]
    fn an_app_reads_the_address() {
        let secret = TotpSecret(*b"12345678901234567890");
        assert_eq!(
            uri(&secret, "St. Mary: North & South", "ann+x@praxis.test").unwrap(),
            "otpauth://totp/St.%20Mary%20%20North%20&%20South:ann%20x@praxis.test\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=St.%20Mary%3A%20North%20%26%20South"
        );
    }

    proptest! {
        #[test]
        fn a_code_counts_within_a_step_and_once(key: [u8; 20], seconds in 60..4_000_000_000_i64, shift in -3_i64..=3) {
            let secret = TotpSecret(key);
            let now = seconds / PERIOD;
            let text = code(&secret, now + shift);
            match read_code(&secret, &text, at(seconds), 0) {
                Code::Fresh(step) => {
                    prop_assert!((step - now).abs() <= WINDOW);
                    prop_assert_eq!(code(&secret, step), &*text);
                    // Two steps may share a code; then the later one is still to be had.
                    let again = read_code(&secret, &text, at(seconds), step);
                    prop_assert!(again == Code::Used || matches!(again, Code::Fresh(later) if later > step));
                    prop_assert_eq!(read_code(&secret, &text, at(seconds), now + WINDOW), Code::Used);
                }
                other => prop_assert!(other == Code::Wrong && shift.abs() > WINDOW),
            }
        }

        #[test]
        fn no_other_text_is_a_code(key: [u8; 20], text in "[0-9 a]{0,9}") {
            let secret = TotpSecret(key);
            if let Code::Fresh(step) = read_code(&secret, &text, at(1_000_000), 0) {
                prop_assert_eq!(code(&secret, step), text);
            }
        }
    }
}
