//! Who may be the same person: told by tokens alone, nothing is opened.

use std::collections::BTreeSet;

use praxis_entity::{ids::PatientId, patient};
use praxis_platform::{
    Failure, Op,
    access::{Permission as P, Table},
};
use sea_orm::{Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::token::{Kind, Tokens, of_kind};

/// More candidates help nobody.
const MOST: usize = 20;

/// The same beginning of the surname and the same birth date.
const NAMED: &str = "SELECT patient_id FROM patient_token WHERE kind = 'DUPLICATE' AND token = ANY($1)";
/// The same national number.
const NUMBERED: &str = "SELECT patient_id FROM patient_token WHERE kind = 'NATIONAL_ID' AND token = ANY($1)";
/// The same telephone number, or the same e-mail address, and the same birth date.
const CALLED: &str = "SELECT reached.patient_id FROM patient_token reached \
    JOIN patient_token born ON born.patient_id = reached.patient_id AND born.kind = 'BIRTH_DATE' AND born.token = ANY($2) \
    WHERE reached.kind = 'PHONE' AND reached.token = ANY($1)";
const MAILED: &str = "SELECT reached.patient_id FROM patient_token reached \
    JOIN patient_token born ON born.patient_id = reached.patient_id AND born.kind = 'BIRTH_DATE' AND born.token = ANY($2) \
    WHERE reached.kind = 'EMAIL' AND reached.token = ANY($1)";

/// Those of whom the actor may know. By a number or an address they are told only where the actor may read it, the
/// clinic's own policies included: else trying would tell whose it is.
pub(super) async fn likely_duplicates<M>(op: &Op<M>, tokens: &Tokens) -> Result<Vec<PatientId>, Failure> {
    let readable = |field, permission| op.readable(field, permission, Table::Patient).ok();
    let ways = [
        (NAMED, Kind::Duplicate, Some(Condition::all())),
        (NUMBERED, Kind::NationalId, readable("Patient.nationalId", P::PATIENT_IDENTIFIERS_READ)),
        (CALLED, Kind::Phone, readable("Patient.phone", P::PATIENT_CONTACT_READ)),
        (MAILED, Kind::Email, readable("Patient.email", P::PATIENT_CONTACT_READ)),
    ];
    let born = of_kind(tokens, Kind::BirthDate);
    let mut found = BTreeSet::new();
    for (holders, kind, readable) in ways {
        let (shown, Some(readable)) = (of_kind(tokens, kind), readable) else { continue };
        if shown.is_empty() {
            continue;
        }
        let values = [Expr::val(shown), Expr::val(born.clone())];
        let same = Expr::cust_with_exprs(format!(r#""patient"."id" IN ({holders})"#), values);
        let told = readable.add(same).add(super::filter::in_use()).add(super::read::seen(op));
        let ids = patient::Entity::find().select_only().column(patient::Column::Id).filter(told);
        let ids: Vec<PatientId> =
            ids.order_by_asc(patient::Column::Id).limit(MOST as u64).into_tuple().all(op.db()).await?;
        found.extend(ids.into_iter().map(|id| id.0));
    }
    Ok(found.into_iter().map(PatientId).take(MOST).collect())
}
