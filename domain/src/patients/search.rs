//! What a person types to find a patient: a name, a number, an address, a birth date.

use std::collections::HashSet;

use praxis_entity::{ids::PatientId, patient, value::PartialDate};
use praxis_platform::{
    Failure, Op,
    access::{Permission, Table},
};
use sea_orm::{Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::{names, phone, token::Kind};
use crate::{
    PageRequest, Position, Slice,
    page::{MAX_PAGE, any_of},
};

/// More than this nobody looks through.
const CANDIDATES: usize = 1_000;
/// Names looked at when a birth date narrows them down.
const NARROWED: usize = 20_000;
const LONGEST: usize = 200;

/// Patients in the order in which they are shown, and which of them the filter lets through.
pub(super) struct Found {
    ranked: Vec<PatientId>,
    matching: HashSet<PatientId>,
}

/// What a text asks for.
#[derive(Debug, PartialEq, Eq)]
struct Terms<'a> {
    births: Vec<PartialDate>,
    rest: Rest<'a>,
}

#[derive(Debug, PartialEq, Eq)]
enum Rest<'a> {
    Nothing,
    Email(&'a str),
    Number(String),
    Name(String),
}

impl<'a> Terms<'a> {
    fn of(text: &'a str) -> Self {
        let birth = |word: &str| word.parse().ok().filter(|date| matches!(date, PartialDate::Day(_)));
        let births = text.split_whitespace().filter_map(birth).collect();
        let words: Vec<&str> = text.split_whitespace().filter(|word| birth(word).is_none()).collect();
        let rest = match words.as_slice() {
            [] => Rest::Nothing,
            [word] if word.contains('@') => Rest::Email(word),
            words if words.iter().any(|word| word.contains(|c: char| c.is_ascii_digit())) => {
                Rest::Number(words.join(" "))
            }
            words => Rest::Name(words.join(" ")),
        };
        Self { births, rest }
    }
}

/// Finds by what was typed, among the patients of the condition.
///
/// Names come by family and given name, anything else in the order of registration.
pub(super) async fn find<M>(op: &Op<M>, text: &str, condition: Condition) -> Result<Found, Failure> {
    if text.chars().count() > LONGEST {
        return Err(Failure::BadInput(format!("the search text is longer than {LONGEST} characters")));
    }
    let terms = Terms::of(text);
    let key = op.tenant_key().await?;
    let mut narrowed = condition;
    let readable = |field, permission| op.readable(field, permission, Table::Patient);
    if !terms.births.is_empty() {
        narrowed = narrowed.add(readable("Patient.birthDate", Permission::PATIENT_DEMOGRAPHICS_READ)?);
        for birth in &terms.births {
            narrowed = narrowed.add(Kind::BirthDate.condition(&key, &[birth.to_string()]));
        }
    }
    match terms.rest {
        Rest::Nothing if terms.births.is_empty() => {
            Ok(Found { ranked: Vec::new(), matching: HashSet::new() })
        }
        Rest::Nothing => exact(op, narrowed).await,
        Rest::Email(address) => {
            let narrowed = narrowed.add(readable("Patient.email", Permission::PATIENT_CONTACT_READ)?);
            exact(op, narrowed.add(Kind::Email.condition(&key, &[address]))).await
        }
        Rest::Number(number) => {
            // Without the right to one it may still be the other.
            let mut any = Condition::any().add(Expr::cust("false"));
            if let Ok(open) = readable("Patient.mrn", Permission::PATIENT_READ) {
                any = any.add(open.add(Kind::Mrn.condition(&key, &[&number])));
            }
            if let Ok(contact) = readable("Patient.phone", Permission::PATIENT_CONTACT_READ) {
                let forms = phone::forms(phone::region(&op.tenant().locale), &number);
                any = any.add(contact.add(Kind::Phone.condition(&key, &forms)));
            }
            exact(op, narrowed.add(any)).await
        }
        Rest::Name(name) => {
            let narrowed = narrowed.add(readable("Patient.name", Permission::PATIENT_NAME_READ)?);
            let limit = if terms.births.is_empty() { CANDIDATES } else { NARROWED };
            let ranked = names::search(op, &name, limit).await?;
            let named = any_of(patient::Column::Id, ranked.iter().map(|id| id.0).collect());
            let matching = ids(op, narrowed.add(named), limit).await?.into_iter().collect();
            Ok(Found { ranked, matching })
        }
    }
}

async fn exact<M>(op: &Op<M>, condition: Condition) -> Result<Found, Failure> {
    let ranked = ids(op, condition, CANDIDATES).await?;
    let matching = ranked.iter().copied().collect();
    Ok(Found { ranked, matching })
}

async fn ids<M>(op: &Op<M>, condition: Condition, limit: usize) -> Result<Vec<PatientId>, Failure> {
    let ids = patient::Entity::find()
        .select_only()
        .column(patient::Column::Id)
        .filter(condition)
        .order_by_asc(patient::Column::Id)
        .limit(limit as u64)
        .into_tuple()
        .all(op.db())
        .await?;
    Ok(ids)
}

impl Found {
    /// How many match.
    pub(super) fn len(&self) -> usize {
        self.matching.len()
    }

    /// One page of them.
    pub(super) fn page(&self, page: &PageRequest) -> Result<Slice<PatientId>, Failure> {
        let place = |position: &Position| {
            // A patient who was renamed meanwhile has another place.
            let place = self.ranked.iter().position(|id| id.0 == position.id);
            place.ok_or_else(|| Failure::BadInput("the cursor is not of this search; start again".to_owned()))
        };
        let after = page.after.as_ref().map(place).transpose()?.map_or(0, |place| place + 1);
        let before = page.before.as_ref().map(place).transpose()?.unwrap_or(self.ranked.len());
        let wanted = self.ranked.get(after..before).unwrap_or_default();
        let wanted = wanted.iter().copied().filter(|id| self.matching.contains(id));
        let size = Ord::min(page.size, MAX_PAGE) as usize + 1;
        let rows =
            if page.backward { wanted.rev().take(size).collect() } else { wanted.take(size).collect() };
        Ok(Slice::cut(rows, page))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> PatientId {
        PatientId(Uuid::from_u128(n))
    }

    fn at(n: u128) -> Position {
        Position { key: None, id: Uuid::from_u128(n) }
    }

    #[test]
    fn a_text_says_what_it_is() {
        let birth = "1980-05-02".parse().unwrap();
        let terms = |births: &[PartialDate], rest| Terms { births: births.to_vec(), rest };
        assert_eq!(Terms::of("  Ana  Núñez "), terms(&[], Rest::Name("Ana Núñez".into())));
        assert_eq!(Terms::of("a@b.example"), terms(&[], Rest::Email("a@b.example")));
        assert_eq!(Terms::of("M0000012"), terms(&[], Rest::Number("M0000012".into())));
        assert_eq!(Terms::of("+44 20 7946 0000"), terms(&[], Rest::Number("+44 20 7946 0000".into())));
        assert_eq!(Terms::of("1980-05-02"), terms(&[birth], Rest::Nothing));
        assert_eq!(Terms::of("smith 1980-05-02"), terms(&[birth], Rest::Name("smith".into())));
        assert_eq!(Terms::of("1980"), terms(&[], Rest::Number("1980".into())));
    }

    #[test]
    fn a_cursor_of_another_search_is_refused() {
        let found = Found { ranked: vec![id(1)], matching: HashSet::new() };
        let page = PageRequest { after: Some(at(9)), ..PageRequest::first(5) };
        assert!(matches!(found.page(&page), Err(Failure::BadInput(_))));
    }

    proptest! {
        #[test]
        fn pages_put_together_are_the_list(
            ranked in proptest::sample::subsequence((0..30).collect::<Vec<u128>>(), 0..30).prop_shuffle(),
            odd in any::<bool>(),
            size in 1_u32..7,
            backward in any::<bool>(),
        ) {
            let ranked: Vec<PatientId> = ranked.into_iter().map(id).collect();
            let matching: HashSet<PatientId> = ranked.iter().copied().filter(|id| !odd || id.0.as_u128() % 2 == 1).collect();
            let expected: Vec<PatientId> = ranked.iter().copied().filter(|id| matching.contains(id)).collect();
            let found = Found { ranked, matching };
            let (mut seen, mut page) = (Vec::new(), PageRequest { size, backward, after: None, before: None });
            loop {
                let slice = found.page(&page).unwrap();
                let edge = if backward { slice.rows.first() } else { slice.rows.last() }.copied();
                if backward { seen.splice(0..0, slice.rows); } else { seen.extend(slice.rows); }
                let more = if backward { slice.has_previous } else { slice.has_next };
                if !more { break; }
                let edge = edge.map(|id| at(id.0.as_u128()));
                if backward { page.before = edge; } else { page.after = edge; }
            }
            prop_assert_eq!(seen, expected);
        }
    }
}
