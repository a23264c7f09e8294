//! The forms in which a text can stand where nobody should find it.

use std::collections::BTreeMap;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use ring::digest::{self, Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};

/// The forms of a text by name, without those too short to mean anything.
pub fn forms(text: &str) -> BTreeMap<String, Vec<u8>> {
    let mut forms = BTreeMap::new();
    for (name, variant) in variants(text) {
        let bytes = variant.as_bytes();
        let mut put = |form: &str, bytes: Vec<u8>| {
            forms.insert(format!("{form} ({name})"), bytes);
        };
        put("text", bytes.to_vec());
        put("UTF-16", variant.encode_utf16().flat_map(u16::to_le_bytes).collect());
        put("hexadecimal", HEXLOWER.encode(bytes).into());
        put("HEXADECIMAL", HEXUPPER.encode(bytes).into());
        put("reversed", bytes.iter().rev().copied().collect());
        put("in a URL", percent(bytes, "%20"));
        put("in a form", percent(bytes, "+"));
        for shift in 0..3 {
            put(&format!("base64 shifted by {shift}"), base64(bytes, shift, &BASE64_NOPAD));
            put(&format!("base64url shifted by {shift}"), base64(bytes, shift, &BASE64URL_NOPAD));
        }
        for (hash, algorithm) in HASHES {
            let digest = digest::digest(algorithm, bytes);
            put(&format!("{hash}, hexadecimal"), HEXLOWER.encode(digest.as_ref()).into());
            put(&format!("{hash}, base64"), BASE64.encode(digest.as_ref()).into());
            put(&format!("{hash}, bytes"), digest.as_ref().to_vec());
        }
    }
    forms.retain(|_, bytes| bytes.len() >= 6);
    forms
}

const HASHES: [(&str, &Algorithm); 3] =
    [("SHA-1", &SHA1_FOR_LEGACY_USE_ONLY), ("SHA-256", &SHA256), ("SHA-512", &SHA512)];

/// The text as somebody may have put it in order first.
fn variants(text: &str) -> Vec<(&'static str, String)> {
    let mut variants = vec![
        ("as it is", text.to_owned()),
        ("small", text.to_lowercase()),
        ("capital", text.to_uppercase()),
        ("without spaces", text.to_lowercase().split_whitespace().collect()),
    ];
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    // Fewer digits are found by chance in any hexadecimal dump.
    if digits.len() >= 9 {
        variants.push(("digits only", digits));
    }
    variants
}

/// The part of a base64 text that depends on `bytes` alone, if they begin at `shift` within a group.
fn base64(bytes: &[u8], shift: usize, encoding: &data_encoding::Encoding) -> Vec<u8> {
    let padded: Vec<u8> = std::iter::repeat_n(0, shift).chain(bytes.iter().copied()).collect();
    let whole = padded.len() / 3 * 4;
    let before = if shift == 0 { 0 } else { shift + 1 };
    encoding.encode(&padded).into_bytes().into_iter().take(whole).skip(before).collect()
}

fn percent(bytes: &[u8], space: &str) -> Vec<u8> {
    let escaped: String = bytes
        .iter()
        .map(|&byte| match byte {
            b' ' => space.to_owned(),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    escaped.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::forms;

    #[test]
    fn a_text_is_found_wherever_it_stands_in_a_base64_text() {
        let text = "Zqcanary";
        for prefix in ["", "x", "xy", "xyz"] {
            let hidden = data_encoding::BASE64.encode(format!("{prefix}{text} and more").as_bytes());
            let found = forms(text)
                .into_iter()
                .filter(|(name, _)| name.starts_with("base64 "))
                .any(|(_, form)| hidden.as_bytes().windows(form.len()).any(|window| window == form));
            assert!(found, "{hidden}");
        }
    }
}
