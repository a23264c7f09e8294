//! The blind index of patients: which tokens a record has, and the condition to be found by one.

use std::collections::BTreeSet;

use praxis_entity::{
    ids::PatientId,
    patient, patient_token,
    value::{ContactSystem, PartialDate},
};
use praxis_platform::{
    Failure, Op, Write, error,
    vault::{IndexField, TenantKey},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait},
};

use super::record::Record;
use crate::{Error, Violation, ViolationCode};

/// By what a patient can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Mrn,
    NationalId,
    Identifier,
    Email,
    Phone,
    BirthDate,
    Duplicate,
}

impl Kind {
    fn stored(self) -> &'static str {
        match self {
            Self::Mrn => "MRN",
            Self::NationalId => "NATIONAL_ID",
            Self::Identifier => "IDENTIFIER",
            Self::Email => "EMAIL",
            Self::Phone => "PHONE",
            Self::BirthDate => "BIRTH_DATE",
            Self::Duplicate => "DUPLICATE",
        }
    }

    fn field(self) -> IndexField {
        match self {
            Self::Mrn => IndexField::Mrn,
            Self::NationalId => IndexField::NationalId,
            Self::Identifier => IndexField::Identifier,
            Self::Email => IndexField::Email,
            Self::Phone => IndexField::Phone,
            Self::BirthDate => IndexField::BirthDate,
            Self::Duplicate => IndexField::Duplicate,
        }
    }

    /// The token of a value; `None` when nothing is left of the value.
    pub(super) fn token(self, key: &TenantKey, value: &str) -> Option<Vec<u8>> {
        key.token(self.field(), value).map(|token| token.to_vec())
    }

    /// The condition that a patient has one of the values.
    pub(super) fn condition(self, key: &TenantKey, values: &[impl AsRef<str>]) -> Expr {
        let tokens: Vec<Vec<u8>> =
            values.iter().filter_map(|value| self.token(key, value.as_ref())).collect();
        Expr::cust_with_exprs(
            "$1 IN (SELECT patient_id FROM patient_token WHERE kind = $2 AND token = ANY($3))",
            [Expr::col((patient::Entity, patient::Column::Id)), Expr::val(self.stored()), Expr::val(tokens)],
        )
    }
}

/// Tokens, each with its kind.
pub(super) type Tokens = BTreeSet<(Kind, Vec<u8>)>;

/// The tokens of a kind.
pub(super) fn of_kind(tokens: &Tokens, kind: Kind) -> Vec<Vec<u8>> {
    tokens.iter().filter(|(of, _)| *of == kind).map(|(_, token)| token.clone()).collect()
}

/// What is compared to tell likely duplicates: a surname and the birth date.
fn duplicate_form(surname: &str, birth_date: PartialDate) -> String {
    format!("{surname}|{birth_date}")
}

/// Every token of a record.
pub(super) fn tokens_of(key: &TenantKey, record: &Record) -> Tokens {
    let born = record.identity.birth_date;
    let mut values = vec![(Kind::Mrn, record.number.mrn.clone()), (Kind::BirthDate, born.to_string())];
    values.extend(
        record.identity.names.iter().map(|name| (Kind::Duplicate, duplicate_form(&name.family, born))),
    );
    values.extend(record.contact.points.iter().filter_map(|point| match point.system {
        ContactSystem::Phone => Some((Kind::Phone, point.value.clone())),
        ContactSystem::Email => Some((Kind::Email, point.value.clone())),
        ContactSystem::Other => None,
    }));
    values.extend(record.identifiers.national_id.iter().map(|number| (Kind::NationalId, number.clone())));
    values.extend(
        record
            .identifiers
            .others
            .iter()
            .map(|other| (Kind::Identifier, format!("{}|{}", other.system, other.value))),
    );
    values.into_iter().filter_map(|(kind, value)| Some((kind, kind.token(key, &value)?))).collect()
}

/// Stores the tokens of a new patient.
pub(super) async fn insert_tokens(op: &Op<Write>, patient: PatientId, tokens: Tokens) -> Result<(), Error> {
    let rows = tokens.into_iter().map(|(kind, token)| patient_token::ActiveModel {
        patient_id: Set(patient),
        kind: Set(kind.stored().to_owned()),
        token: Set(token),
    });
    patient_token::Entity::insert_many(rows).exec_without_returning(op.db()).await.map_err(clash)?;
    Ok(())
}

/// Stores the tokens of a patient in place of those that were there.
pub(super) async fn replace_tokens(op: &Op<Write>, patient: PatientId, tokens: Tokens) -> Result<(), Error> {
    patient_token::Entity::delete_many()
        .filter(patient_token::Column::PatientId.eq(patient))
        .exec(op.db())
        .await?;
    insert_tokens(op, patient, tokens).await
}

/// Whether a patient has the token.
pub(super) async fn is_taken(op: &Op<Write>, kind: Kind, token: Vec<u8>) -> Result<bool, Failure> {
    let found = patient_token::Entity::find()
        .filter(patient_token::Column::Kind.eq(kind.stored()).and(patient_token::Column::Token.eq(token)))
        .one(op.db())
        .await?;
    Ok(found.is_some())
}

/// A number that belongs to somebody else.
fn clash(error: DbErr) -> Error {
    let (path, message) = match error::constraint(&error).as_deref() {
        Some("patient_mrn_unique") => ("mrn", "This record number is in use."),
        Some("patient_national_id_unique") => ("nationalId", "Another patient has this national number."),
        Some("patient_identifier_unique") => ("identifiers", "Another patient has one of these identifiers."),
        _ => return error.into(),
    };
    Violation::at(ViolationCode::AlreadyExists, &[path], message).into()
}
