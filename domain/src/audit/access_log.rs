//! Who opened or changed a patient's chart, as the patient may ask.

use std::collections::HashMap;

use praxis_entity::{
    audit_entry,
    ids::{AuditEntryId, PatientId, UserId},
    user_account,
};
use praxis_platform::{
    Op, Read,
    access::Permission,
    audit::proof::{self, Proof},
};
use sea_orm::{
    ConnectionTrait, EntityName, EntityTrait, FromQueryResult, IdenStatic, Iterable, QueryFilter, Statement,
};
use uuid::Uuid;

use crate::{
    PageRequest, Result, Slice,
    page::{MAX_PAGE, any_of},
};

/// A page of each patient's access log, the newest entry first, in one statement.
pub async fn access_log_of(
    op: &Op<Read>,
    patients: &[PatientId],
    page: &PageRequest,
) -> Result<HashMap<PatientId, Slice<audit_entry::Model>>> {
    op.require(Permission::ACCESS_LOG_READ)?;
    let columns: Vec<_> =
        audit_entry::Column::iter().map(|column| format!("r.{}", column.as_str())).collect();
    let direction = if page.backward { "ASC" } else { "DESC" };
    // Without the offset the planner walks the whole log in order, until it has a page of entries.
    let sql = format!(
        "SELECT p.id AS parent_id, {columns} FROM unnest($1::uuid[]) AS p (id) CROSS JOIN LATERAL \
         (SELECT * FROM (SELECT * FROM {table} WHERE patients @> ARRAY[p.id] OFFSET 0) e \
         WHERE ($2::uuid IS NULL OR e.id < $2) AND ($3::uuid IS NULL OR e.id > $3) ORDER BY e.id {direction} LIMIT $4) r",
        columns = columns.join(", "),
        table = audit_entry::Entity.table_name(),
    );
    let ids: Vec<Uuid> = patients.iter().map(|patient| patient.0).collect();
    let values = [
        ids.into(),
        page.after.map(|position| position.id).into(),
        page.before.map(|position| position.id).into(),
        i64::from(Ord::min(page.size, MAX_PAGE) + 1).into(),
    ];
    let statement = Statement::from_sql_and_values(op.db().get_database_backend(), sql, values);
    let mut found: HashMap<PatientId, Vec<_>> = HashMap::with_capacity(patients.len());
    for row in op.db().query_all_raw(statement).await? {
        let patient = PatientId(row.try_get("", "parent_id")?);
        found.entry(patient).or_default().push(audit_entry::Model::from_query_result(&row, "")?);
    }
    Ok(patients
        .iter()
        .map(|patient| (*patient, Slice::cut(found.remove(patient).unwrap_or_default(), page)))
        .collect())
}

/// How many entries each patient's access log has, at most `max`.
pub async fn count_access_log_of(
    op: &Op<Read>,
    patients: &[PatientId],
    max: u64,
) -> Result<HashMap<PatientId, i64>> {
    op.require(Permission::ACCESS_LOG_READ)?;
    // Sorted, all of a patient's entries are asked for: for the first few alone the planner reads the whole log.
    let sql = "SELECT p.id AS parent_id, r.n FROM unnest($1::uuid[]) AS p (id) CROSS JOIN LATERAL \
               (SELECT count(*) AS n FROM (SELECT FROM (SELECT id FROM audit_entry WHERE patients @> ARRAY[p.id] OFFSET 0) e \
               ORDER BY e.id LIMIT $2) c) r";
    let ids: Vec<Uuid> = patients.iter().map(|patient| patient.0).collect();
    let values = [ids.into(), max.cast_signed().into()];
    let statement = Statement::from_sql_and_values(op.db().get_database_backend(), sql, values);
    let rows = op.db().query_all_raw(statement).await?;
    let counted =
        rows.iter().map(|row| Ok((PatientId(row.try_get("", "parent_id")?), row.try_get("", "n")?)));
    Ok(counted.collect::<std::result::Result<_, sea_orm::DbErr>>()?)
}

/// Proofs that entries are in the log. What may be seen of an entry was decided where it was found.
pub async fn proofs_of(op: &Op<Read>, entries: &[AuditEntryId]) -> Result<HashMap<AuditEntryId, Proof>> {
    Ok(proof::prove(op.db(), entries).await?)
}

/// The names of users, as they are now. Who may read the log may read who it speaks of.
pub async fn actor_names(op: &Op<Read>, actors: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let users = user_account::Entity::find().filter(any_of(user_account::Column::Id, actors.to_vec()));
    let named = |user: user_account::Model| {
        let UserId(id) = user.id;
        (id, user.display_name)
    };
    Ok(users.all(op.db()).await?.into_iter().map(named).collect())
}
