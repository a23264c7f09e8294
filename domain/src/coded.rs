//! Codes that are found without being read: tokens of what was recorded, and the filter by them.

use praxis_entity::value::{CodeableConcept, Coding};
use praxis_platform::vault::{IndexField, TenantKey};
use sea_orm::{ColumnTrait, sea_query::Expr};

/// The tokens of every code of the concepts, sorted, each once.
pub(crate) fn code_tokens<'a>(
    key: &TenantKey,
    concepts: impl IntoIterator<Item = &'a CodeableConcept>,
) -> Vec<Vec<u8>> {
    let forms = concepts.into_iter().flat_map(|concept| &concept.codings).map(Coding::search_form);
    tokens(key, forms)
}

/// The condition that a row carries one of the codes, each given as `system|code`.
pub(crate) fn carries<C: ColumnTrait>(key: &TenantKey, column: C, codes: Option<&[String]>) -> Option<Expr> {
    let codes = Expr::val(tokens(key, codes?));
    Some(Expr::cust_with_exprs("$1 && $2", [Expr::col(column.as_column_ref()), codes]))
}

fn tokens(key: &TenantKey, forms: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<Vec<u8>> {
    let mut tokens: Vec<Vec<u8>> = forms
        .into_iter()
        .filter_map(|form| key.token(IndexField::Code, form.as_ref()))
        .map(|token| token.to_vec())
        .collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn concept(codes: &[(&str, &str)]) -> CodeableConcept {
        let codings = codes
            .iter()
            .map(|(system, code)| Coding {
                system: (*system).to_owned(),
                code: (*code).to_owned(),
                display: None,
                version: None,
            })
            .collect();
        CodeableConcept { text: None, codings }
    }

    #[test]
    fn every_code_counts_once_and_its_system_matters() {
        let key = TenantKey::generate(Uuid::from_u128(1), 1).unwrap();
        let pressure = concept(&[("http://loinc.org", "85354-9"), ("http://snomed.info/sct", "75367002")]);
        let systolic = concept(&[("http://loinc.org", "8480-6")]);
        let all = code_tokens(&key, [&pressure, &systolic, &pressure]);
        assert_eq!(all.len(), 3);
        assert!(tokens(&key, ["http://loinc.org|8480-6"]).iter().all(|token| all.contains(token)));
        assert!(tokens(&key, ["http://snomed.info/sct|8480-6"]).iter().all(|token| !all.contains(token)));
        assert!(code_tokens(&key, [&CodeableConcept::default()]).is_empty());
    }
}
