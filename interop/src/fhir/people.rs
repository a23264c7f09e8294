//! Who a patient from outside is: somebody new, or a person known here by a number.

use std::collections::{HashMap, HashSet};

use praxis_domain::{Error, ViolationCode, patients};
use praxis_entity::{
    ids::PatientId,
    patient::{self, PatientStatus},
    patient_token,
    value::{HumanName, Identity, PartialDate},
};
use praxis_platform::{
    Failure, Op, Write,
    vault::{IndexField, TenantKey},
};
use sea_orm::{EntityTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use super::{map::Person, source::Invalid};

const ANOTHER: &str = "is a number of a patient with another name and birth date";

/// What became of a patient.
pub(super) enum Taken {
    New(PatientId),
    /// Known by a number; the record here stays as it is.
    Known(PatientId),
}

/// Finds a patient by the numbers that belong to one person only, or takes them in.
///
/// A record number is given by the source's clinic. It is taken over where it is free; where it is
/// not, the patient gets one of this clinic and keeps the other among the identifiers.
pub(super) async fn take_in(
    op: &Op<Write>,
    key: &TenantKey,
    mut person: Person,
) -> Result<Result<Taken, Invalid>, Failure> {
    let wrong = |path: &str, reason| Ok(Err(Invalid::at(path, reason)));
    let holders = holders(op, key, &person).await?;
    let owners: HashSet<PatientId> =
        holders.iter().filter(|(kind, _)| kind != "MRN").map(|(_, id)| *id).collect();
    if owners.len() > 1 {
        return wrong("Patient.identifier", "are numbers of different patients");
    }
    if let Some(owner) = owners.into_iter().next() {
        return Ok(match same(op, owner, &person.new.names, person.new.birth_date).await? {
            Standing::Same => Ok(Taken::Known(owner)),
            Standing::Other => Err(Invalid::at("Patient.identifier", ANOTHER)),
            Standing::Closed => Err(Invalid::at("Patient.identifier", "is a number of a closed record")),
        });
    }
    if holders.iter().any(|(kind, _)| kind == "MRN") {
        give_own_number(&mut person);
    }
    let mut imported = patients::import(op, person.new.clone()).await;
    if person.new.mrn.is_some() && is_about_the_number(&imported) {
        give_own_number(&mut person);
        imported = patients::import(op, person.new).await;
    }
    match imported {
        Ok(patient) => Ok(Ok(Taken::New(patient.id))),
        Err(error) => violation("Patient", error).map(Err),
    }
}

/// The first rule that was broken, as a place in the resource.
pub(super) fn violation(kind: &str, error: Error) -> Result<Invalid, Failure> {
    match error {
        Error::Failure(failure) => Err(failure),
        Error::Violated(violations) => {
            let path = violations.first().map(|first| first.path.join(".")).unwrap_or_default();
            let reason = match violations.first().map(|first| first.code) {
                Some(ViolationCode::Required) => "is missing or empty",
                Some(ViolationCode::TooLong) => "is too long",
                Some(ViolationCode::OutOfRange) => "lies outside of what makes sense",
                Some(ViolationCode::AlreadyExists) => "belongs to another record",
                Some(ViolationCode::NotFound) => "does not exist",
                Some(ViolationCode::Locked) => "belongs to a closed record",
                _ => "is not well-formed",
            };
            Ok(Invalid::at(format!("{kind}.{path}").trim_end_matches('.'), reason))
        }
    }
}

/// How a record here relates to somebody from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Same,
    /// Neither a family name nor the birth date agree.
    Other,
    /// Merged or erased.
    Closed,
}

/// Whether a record may be the same person: people marry, and dates are put right, but not both at once.
pub(super) async fn same(
    op: &Op<Write>,
    id: PatientId,
    names: &[HumanName],
    birth_date: PartialDate,
) -> Result<Standing, Failure> {
    let Some(row) = patient::Entity::find_by_id(id).one(op.db()).await? else { return Ok(Standing::Closed) };
    if matches!(row.status, PatientStatus::Merged | PatientStatus::Erased) {
        return Ok(Standing::Closed);
    }
    let key = op.data_key(id.0).await?;
    let known: Identity = op.open_unseen(&key, &op.place("patient", id.0, id.0), &row.identity).await?;
    let families = |names: &[HumanName]| -> HashSet<String> {
        names
            .iter()
            .map(|name| name.family.trim().to_lowercase())
            .filter(|family| !family.is_empty())
            .collect()
    };
    let agree = known.birth_date == birth_date || !families(&known.names).is_disjoint(&families(names));
    Ok(if agree { Standing::Same } else { Standing::Other })
}

/// The statuses of patients.
pub(super) async fn statuses(
    op: &Op<Write>,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, PatientStatus>, Failure> {
    use sea_orm::QuerySelect;
    let rows: Vec<(PatientId, PatientStatus)> = patient::Entity::find()
        .select_only()
        .columns([patient::Column::Id, patient::Column::Status])
        .filter(praxis_domain::page::any_of(patient::Column::Id, ids))
        .into_tuple()
        .all(op.db())
        .await?;
    Ok(rows.into_iter().map(|(id, status)| (id.0, status)).collect())
}

/// Who holds one of the person's numbers, with the kind of number.
async fn holders(
    op: &Op<Write>,
    key: &TenantKey,
    person: &Person,
) -> Result<Vec<(String, PatientId)>, Failure> {
    let identifiers = &person.new.identifiers;
    let others = identifiers.others.iter().chain(&person.record_number);
    let numbers = others
        .map(|other| ("IDENTIFIER", IndexField::Identifier, format!("{}|{}", other.system, other.value)))
        .chain(identifiers.national_id.iter().map(|id| ("NATIONAL_ID", IndexField::NationalId, id.clone())))
        .chain(person.new.mrn.iter().map(|mrn| ("MRN", IndexField::Mrn, mrn.clone())));
    let (kinds, tokens): (Vec<String>, Vec<Vec<u8>>) = numbers
        .filter_map(|(kind, field, value)| Some((kind.to_owned(), key.token(field, &value)?.to_vec())))
        .unzip();
    let pairs = Expr::cust_with_values(
        "(kind, token) IN (SELECT * FROM unnest($1::text[], $2::bytea[]))",
        [sea_orm::Value::from(kinds), sea_orm::Value::from(tokens)],
    );
    let rows = patient_token::Entity::find().filter(pairs).all(op.db()).await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.patient_id)).collect())
}

fn give_own_number(person: &mut Person) {
    person.new.mrn = None;
    person.new.identifiers.others.extend(person.record_number.take());
}

/// True when a number that nobody holds can't be a record number here, by its shape.
fn is_about_the_number<T>(result: &Result<T, Error>) -> bool {
    let Err(Error::Violated(violations)) = result else { return false };
    let about = |violation: &praxis_domain::Violation| {
        violation.path.first().is_some_and(|first| first == "mrn")
            && violation.code != ViolationCode::AlreadyExists
    };
    !violations.is_empty() && violations.iter().all(about)
}
