//! The National Provider Identifier of the United States: ten digits with a check digit.

/// The naming system of NPIs.
pub const NPI_SYSTEM: &str = "http://hl7.org/fhir/sid/us-npi";

/// True when the check digit is right: the Luhn sum over `80840` and the ten digits ends in 0.
pub fn is_npi(number: &str) -> bool {
    if number.len() != 10
        || !number.bytes().all(|byte| byte.is_ascii_digit())
        || !number.starts_with(['1', '2'])
    {
        return false;
    }
    // The prefix 80840 always adds 24.
    let sum: u32 = number.bytes().rev().enumerate().fold(24, |sum, (place, byte)| {
        let digit = u32::from(byte - b'0');
        let doubled = if place % 2 == 1 { digit * 2 } else { digit };
        sum + doubled / 10 + doubled % 10
    });
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_published_example_is_right() {
        // The example of the CMS check digit standard.
        assert!(is_npi("1234567893"));
        for wrong in
            ["1234567890", "123456789", "12345678933", "123456789x", "", "3234567891", "１２３４５６７８９３"]
        {
            assert!(!is_npi(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_found(body in 100_000_000u64..300_000_000, place in 0usize..10, by in 1u8..10) {
            let right: Vec<String> = (0..10).map(|check| format!("{body}{check}")).filter(|number| is_npi(number)).collect();
            prop_assert_eq!(right.len(), 1);
            let mut digits = right[0].clone().into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            prop_assert!(!is_npi(&String::from_utf8(digits).unwrap()));
        }
    }
}
