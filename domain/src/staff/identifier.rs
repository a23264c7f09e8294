//! The numbers by which clinicians are known elsewhere: looking them up and adding them.

use std::collections::BTreeSet;

use praxis_entity::{ids::PractitionerId, practitioner_identifier};
use praxis_platform::{Op, Write};
use sea_orm::{
    ActiveValue::Set,
    EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use crate::Result;

/// Those of the identifiers that are stored, with their owners.
pub(super) async fn stored(
    op: &Op<Write>,
    given: &[(String, String)],
) -> Result<Vec<practitioner_identifier::Model>> {
    let (systems, values): (Vec<String>, Vec<String>) = given.iter().cloned().unzip();
    let pairs = Expr::cust_with_values(
        "(system, value) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
        [systems, values],
    );
    Ok(practitioner_identifier::Entity::find().filter(pairs).all(op.db()).await?)
}

/// Adds identifiers to a clinician: how many, or `None` when one of them belongs to somebody already.
pub(super) async fn add(
    op: &Op<Write>,
    owner: PractitionerId,
    identifiers: BTreeSet<&(String, String)>,
) -> Result<Option<usize>> {
    let rows = identifiers.iter().map(|(system, value)| practitioner_identifier::ActiveModel {
        system: Set(system.clone()),
        value: Set(value.clone()),
        practitioner_id: Set(owner),
    });
    let inserted = practitioner_identifier::Entity::insert_many(rows)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(op.db())
        .await?;
    Ok(Some(identifiers.len()).filter(|wanted| u64::try_from(*wanted).is_ok_and(|wanted| wanted == inserted)))
}
