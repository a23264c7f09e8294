//! Many rows at once: new ones with few statements and one audit entry, those that are read under their patients.

use std::{collections::HashMap, hash::Hash};

use praxis_entity::{ids::PatientId, place::ByPlace};
use praxis_platform::{audit::Entry, error, tenancy::TenantDb};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryTrait, Select};

use crate::{Error, Violation};

/// Rows per statement: the protocol takes 65,535 values, and no table here has more than 20 columns.
const CHUNK: usize = 1_000;

/// Inserts the rows, each given with its id, and returns them as stored.
pub(crate) async fn insert_all<E, A, K>(
    db: &TenantDb,
    new: Vec<(K, A)>,
    id: impl Fn(&E::Model) -> K,
) -> Result<Vec<E::Model>, DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = E> + Send,
    K: Copy + Eq + Hash,
{
    let order: Vec<K> = new.iter().map(|(id, _)| *id).collect();
    let mut rows = new.into_iter().map(|(_, row)| row);
    let mut stored = HashMap::with_capacity(order.len());
    loop {
        let chunk: Vec<A> = rows.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        let chunk = E::insert_many(chunk).exec_with_returning(db).await?;
        stored.extend(chunk.into_iter().map(|row| (id(&row), row)));
    }
    Ok(order.iter().filter_map(|id| stored.remove(id)).collect())
}

/// The rows of a query, each read by the place of its columns: for those of which an answer needs many.
pub(crate) async fn all<E: EntityTrait<Model: ByPlace>>(
    db: &TenantDb,
    found: Select<E>,
) -> Result<Vec<E::Model>, DbErr> {
    db.query_all(&found.into_query()).await?.iter().map(|row| E::Model::at(row, 0)).collect()
}

/// Rows under the patients they belong to, in the order given; a patient without any has none.
pub(crate) fn under<M>(
    patients: &[PatientId],
    rows: Vec<M>,
    patient: impl Fn(&M) -> PatientId,
) -> HashMap<PatientId, Vec<M>> {
    let mut of: HashMap<_, Vec<_>> = patients.iter().map(|id| (*id, Vec::new())).collect();
    for row in rows {
        of.entry(patient(&row)).or_default().push(row);
    }
    of
}

/// One entry for rows of many patients.
pub(crate) fn entry_of(action: &'static str, patients: &[PatientId]) -> Entry {
    let mut patients: Vec<_> = patients.iter().map(|id| id.0).collect();
    patients.sort_unstable();
    patients.dedup();
    Entry { patients, ..Entry::done(action) }
}

/// What the database refused, by the name of the constraint that did.
pub(crate) fn refused(error: DbErr, explain: impl Fn(&str) -> Option<Violation>) -> Error {
    match error::constraint(&error).as_deref().and_then(explain) {
        Some(violation) => violation.into(),
        None => error.into(),
    }
}
