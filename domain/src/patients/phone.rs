//! Telephone numbers in the one form that the world shares: E.164.

use phonenumber::{Mode, PhoneNumber, country};

/// The country whose numbers are written without a code at a clinic with this locale, such as `en-GB`.
pub(super) fn region(locale: &str) -> Option<country::Id> {
    locale.split(['-', '_']).skip(1).find(|part| part.len() == 2)?.to_ascii_uppercase().parse().ok()
}

/// The number in E.164; `None` for what is no number, or can't be told without its country.
///
/// A number given with its country is taken at its word, because ranges open faster than tables
/// follow. One without must be valid in the region, because its country is a guess.
pub(super) fn e164(region: Option<country::Id>, text: &str) -> Option<String> {
    let text = text.trim();
    let international = text.starts_with('+');
    if (!international && region.is_none())
        || !text.chars().all(|c| c.is_ascii_digit() || " +-()./\u{a0}".contains(c))
    {
        return None;
    }
    let number = phonenumber::parse(region, text).ok()?;
    let form = written(&number);
    // A number of doubtful shape may be read in another way the next time.
    let stable = || phonenumber::parse(None, &form).is_ok_and(|again| written(&again) == form);
    let sized = (8..=16).contains(&form.len());
    (sized && (number.is_valid() || international && stable())).then_some(form)
}

fn written(number: &PhoneNumber) -> String {
    number.format().mode(Mode::E164).to_string()
}

/// The forms under which a number may have been kept: E.164, or as it was imported.
pub(super) fn forms(region: Option<country::Id>, text: &str) -> Vec<String> {
    e164(region, text).into_iter().chain([text.trim().to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn national_numbers_get_the_country_of_the_clinic() {
        let (us, gb) = (region("en-US"), region("en-GB"));
        assert_eq!(e164(us, "(202) 555-0143").as_deref(), Some("+12025550143"));
        assert_eq!(e164(gb, "020 7946 0000").as_deref(), Some("+442079460000"));
        assert_eq!(e164(us, "+44 20 7946 0000").as_deref(), Some("+442079460000"));
        assert_eq!(e164(region("de_DE"), "030/901820").as_deref(), Some("+4930901820"));
        assert_eq!(region("zh-Hant-TW"), Some(country::Id::TW));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "+", "12", "call me", "020 7946 0000 ext 3", "+4420794600001234567", "+1 2"] {
            assert_eq!(e164(region("en-GB"), text), None, "{text}");
        }
        assert_eq!(region("en"), None);
        assert_eq!(e164(None, "020 7946 0000"), None);
        assert_eq!(forms(None, " 555-0143 "), ["555-0143"]);
    }

    proptest! {
        #[test]
        fn the_form_is_its_own_form(text in "[+]?[0-9 ()-]{0,20}") {
            if let Some(form) = e164(region("en-US"), &text) {
                prop_assert_eq!(e164(None, &form), Some(form));
            }
        }
    }
}
