//! Who may be the same person: told by tokens alone, nothing is opened.

use praxis_entity::{ids::PatientId, patient};
use praxis_platform::{Failure, Op, access::Permission};
use sea_orm::{Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::token::{Kind, Tokens, of_kind};

/// More candidates help nobody.
const MOST: u64 = 20;

/// Those of whom the actor may know; and told by a national number only where the actor may read such numbers,
/// else trying would tell whose it is.
///
/// Patients with the same beginning of the surname and the same birth date, with the same national
/// number, or with the same telephone number or e-mail address and the same birth date.
pub(super) async fn likely_duplicates<M>(op: &Op<M>, tokens: &Tokens) -> Result<Vec<PatientId>, Failure> {
    let any = |kind| Expr::val(of_kind(tokens, kind));
    let numbers = match op.actor().may(Permission::PATIENT_IDENTIFIERS_READ) {
        true => any(Kind::NationalId),
        false => Expr::val(Vec::<Vec<u8>>::new()),
    };
    let same = Expr::cust_with_exprs(
        r#""patient"."id" IN (
            SELECT patient_id FROM patient_token
            WHERE (kind = 'DUPLICATE' AND token = ANY($1)) OR (kind = 'NATIONAL_ID' AND token = ANY($2))
            UNION ALL
            SELECT reached.patient_id FROM patient_token reached
            JOIN patient_token born ON born.patient_id = reached.patient_id AND born.kind = 'BIRTH_DATE' AND born.token = ANY($3)
            WHERE (reached.kind = 'PHONE' AND reached.token = ANY($4)) OR (reached.kind = 'EMAIL' AND reached.token = ANY($5)))"#,
        [any(Kind::Duplicate), numbers, any(Kind::BirthDate), any(Kind::Phone), any(Kind::Email)],
    );
    let ids = patient::Entity::find()
        .select_only()
        .column(patient::Column::Id)
        .filter(Condition::all().add(same).add(super::filter::in_use()).add(super::read::seen(op)))
        .order_by_asc(patient::Column::Id)
        .limit(MOST)
        .into_tuple()
        .all(op.db())
        .await?;
    Ok(ids)
}
