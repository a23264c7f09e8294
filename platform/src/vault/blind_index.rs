//! Blind indexes: keyed tokens by which equal values are found without being read.
//!
//! Each field of each tenant has its own key, so equality shows within one
//! field of one tenant and nowhere else.

use unicode_normalization::UnicodeNormalization;

use super::crypto::{self, KEY_LEN};
use super::fold::fold;
use super::key::TenantKey;

/// A field that can be looked up by a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IndexField {
    /// Medical record number.
    Mrn,
    /// National number of a person.
    NationalId,
    /// Any other identifier, as `system|value`.
    Identifier,
    /// E-mail address.
    Email,
    /// Phone number.
    Phone,
    /// Birth date, as `YYYY-MM-DD`.
    BirthDate,
    /// Likely duplicates, as `surname|YYYY-MM-DD`.
    Duplicate,
    /// Clinical code, as `system|code`.
    Code,
    /// Key of a row in the system it was imported from.
    ImportSource,
    /// Session token.
    Session,
    /// Refresh token.
    RefreshToken,
    /// The refresh token that follows another: a secret, not an index.
    RefreshSuccessor,
    /// Key or input of a mutation that may be retried.
    Idempotency,
    /// Secret of a mailed link, or of the device that asked for one.
    MailedLink,
    /// Secret of a program.
    ClientSecret,
    /// What proves that a program's token was given out here.
    ClientToken,
    /// Recovery code, as `user|code`.
    RecoveryCode,
    /// Challenge that was answered.
    Challenge,
    /// What a rule was asked about: says whether it was the same.
    RuleFacts,
    /// Secret in the address of a calendar.
    CalendarFeed,
    /// Where a device is rung up.
    PushAddress,
}

impl IndexField {
    // Part of the key: a changed label makes stored tokens useless.
    fn label(self) -> &'static str {
        match self {
            Self::Mrn => "mrn",
            Self::NationalId => "national_id",
            Self::Identifier => "identifier",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::BirthDate => "birth_date",
            Self::Duplicate => "duplicate",
            Self::Code => "code",
            Self::ImportSource => "import_source",
            Self::Session => "session",
            Self::RefreshToken => "refresh_token",
            Self::RefreshSuccessor => "refresh_successor",
            Self::Idempotency => "idempotency",
            Self::MailedLink => "mailed_link",
            Self::ClientSecret => "client_secret",
            Self::ClientToken => "client_token",
            Self::RecoveryCode => "recovery_code",
            Self::Challenge => "challenge",
            Self::RuleFacts => "rule_facts",
            Self::CalendarFeed => "calendar_feed",
            Self::PushAddress => "push_address",
        }
    }

    /// The one form of the values that count as equal.
    fn normalise(self, value: &str) -> String {
        match self {
            Self::Mrn | Self::NationalId => letters_and_digits(value),
            Self::Identifier => match value.split_once('|') {
                Some((system, value)) => joined(system.trim(), &letters_and_digits(value)),
                None => letters_and_digits(value),
            },
            Self::Email => value.trim().nfkc().flat_map(char::to_lowercase).collect(),
            Self::Phone => phone(value),
            Self::BirthDate => value.trim().to_owned(),
            Self::Duplicate => match value.rsplit_once('|') {
                Some((surname, birth)) => joined(&surname_prefix(surname), birth.trim()),
                None => String::new(),
            },
            Self::Code
            | Self::ImportSource
            | Self::Session
            | Self::RefreshToken
            | Self::RefreshSuccessor
            | Self::Idempotency
            | Self::MailedLink
            | Self::ClientSecret
            | Self::ClientToken
            | Self::RecoveryCode
            | Self::Challenge
            | Self::RuleFacts
            | Self::CalendarFeed
            | Self::PushAddress => value.to_owned(),
        }
    }
}

impl TenantKey {
    /// The token of a value, or nothing if no letter or digit is left of it.
    ///
    /// Without that, all empty values would count as equal.
    pub fn token(&self, field: IndexField, value: &str) -> Option<[u8; KEY_LEN]> {
        let normal = field.normalise(value);
        if normal.is_empty() {
            return None;
        }
        let key = crypto::derive(self.index.as_ref(), field.label().as_bytes());
        Some(crypto::mac(key.as_ref(), &[normal.as_bytes()]))
    }
}

fn letters_and_digits(value: &str) -> String {
    value.nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn phone(value: &str) -> String {
    let plain: String = value.nfkc().collect();
    let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
    let international = plain.trim_start().starts_with('+') && !digits.is_empty();
    if international { format!("+{digits}") } else { digits }
}

fn surname_prefix(surname: &str) -> String {
    fold(surname).chars().filter(|c| c.is_alphanumeric()).take(3).collect()
}

/// Both parts, or nothing if one is missing.
fn joined(left: &str, right: &str) -> String {
    if left.is_empty() || right.is_empty() { String::new() } else { format!("{left}|{right}") }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::Uuid;

    use super::IndexField::*;
    use super::*;

    fn key() -> TenantKey {
        TenantKey::generate(Uuid::from_u128(1), 1).unwrap()
    }

    #[test]
    fn normal_forms() {
        let cases = [
            (Mrn, " ab-12/3 ", "AB123"),
            (NationalId, "１２３ x", "123X"),
            (Identifier, "urn:oid:1.2 | ab-1", "urn:oid:1.2|AB1"),
            (Email, " Ann@Example.ORG ", "ann@example.org"),
            (Phone, " +49 (30) 12-34", "+49301234"),
            (Phone, "030/1234", "0301234"),
            (BirthDate, " 1980-02-03 ", "1980-02-03"),
            (Duplicate, "Müller-Łuk|1980-02-03", "mul|1980-02-03"),
            (Duplicate, "O'Brien|1980-02-03", "obr|1980-02-03"),
            (Duplicate, "Li|1980-02-03", "li|1980-02-03"),
            (Code, "http://loinc.org|4548-4", "http://loinc.org|4548-4"),
            (Session, "aB ", "aB "),
        ];
        for (field, value, normal) in cases {
            assert_eq!(field.normalise(value), normal, "{field:?} {value}");
        }
    }

    #[test]
    fn empty_values_have_no_token() {
        let cases = [
            (Mrn, " - "),
            (Phone, "+"),
            (Email, " "),
            (Duplicate, "|1980-02-03"),
            (Duplicate, "Li|"),
            (Identifier, "a|-"),
        ];
        for (field, value) in cases {
            assert_eq!(key().token(field, value), None, "{field:?} {value}");
        }
    }

    #[test]
    fn tokens_are_equal_for_equal_values_and_apart_otherwise() {
        let key = key();
        assert_eq!(key.token(Email, "A@b.c"), key.token(Email, " a@B.c"));
        assert_ne!(key.token(Email, "a@b.c"), key.token(Email, "a@b.d"));
        assert_ne!(key.token(Email, "a@b.c"), self::key().token(Email, "a@b.c"));
    }

    #[test]
    fn one_value_has_another_token_in_each_field() {
        let key = key();
        let fields =
            [Mrn, NationalId, Identifier, Email, Phone, BirthDate, Duplicate, Code, ImportSource, Session];
        let tokens: HashSet<_> = fields.iter().map(|field| key.token(*field, "1|1")).collect();
        assert_eq!(tokens.len(), fields.len());
        assert!(!tokens.contains(&None));
    }
}
