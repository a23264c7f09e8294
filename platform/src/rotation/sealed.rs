//! What is sealed under an older version of a data key, sealed anew under the newest.

use std::collections::HashMap;

use praxis_entity::sealed_columns::{SEALED, SealedTable};
use sqlx::{AssertSqlSafe, Row, postgres::PgConnection};
use uuid::Uuid;

use super::{Clinic, Fault, RotationError, batch, tenant_key};
use crate::vault::{DataKey, KeyWrapper, Place, TenantKey, WrappedKey};

/// Rows sealed anew in one transaction, and locked until its end.
const BATCH: i64 = 100;

/// What a run over the sealed columns did.
#[derive(Debug, Default)]
pub struct Resealed {
    /// Rows that were sealed anew.
    pub rows: usize,
    /// Values that could not be opened, and stay as they are.
    pub faults: Vec<Fault>,
}

/// A sealed row: what tells it apart, the id it was sealed for, whose it is, and its columns.
pub(super) struct SealedRow {
    pub(super) key: Uuid,
    pub(super) id: Uuid,
    pub(super) subject: Uuid,
    pub(super) values: Vec<Option<Vec<u8>>>,
}

/// How many rows have a value under an older version than their subject's newest.
pub async fn behind(home: &mut PgConnection, clinic: &Clinic) -> Result<usize, RotationError> {
    let mut rows = 0;
    let mut transaction = batch(home, clinic).await?;
    for table in SEALED {
        let sql = format!("SELECT count(*) FROM {} WHERE {}", source(table), is_behind(table));
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(clinic.id).fetch_one(&mut *transaction).await?;
        rows += usize::try_from(count).unwrap_or(0);
    }
    transaction.commit().await?;
    Ok(rows)
}

/// Seals every row that is behind anew. Rows that somebody is changing are left for the next time.
pub async fn reseal(
    control: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    wrapper: &dyn KeyWrapper,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<Resealed, RotationError> {
    let key = tenant_key(control, clinic, wrapper).await?;
    let mut done = Resealed::default();
    for table in SEALED {
        let mut after = Uuid::nil();
        while let Some(last) = reseal_batch(home, clinic, &key, table, after, &mut done, progress).await? {
            after = last;
        }
    }
    Ok(done)
}

/// Returns the last row of the batch; nothing when there is none left.
async fn reseal_batch(
    home: &mut PgConnection,
    clinic: &Clinic,
    key: &TenantKey,
    table: &SealedTable,
    after: Uuid,
    done: &mut Resealed,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<Option<Uuid>, RotationError> {
    let mut transaction = batch(home, clinic).await?;
    let sql = format!(
        "{} AND {} ORDER BY t.{} LIMIT {BATCH} FOR NO KEY UPDATE OF t SKIP LOCKED",
        select(table),
        is_behind(table),
        table.key
    );
    let rows = rows(&mut transaction, clinic, table, &sql, after).await?;
    let Some(last) = rows.last().map(|row| row.key) else { return Ok(None) };
    let keys = data_keys(&mut transaction, key, &rows).await?;
    let mut ids = Vec::with_capacity(rows.len());
    let mut columns: Vec<Vec<Option<Vec<u8>>>> = vec![Vec::new(); table.columns.len()];
    for row in &rows {
        let anew = reseal_row(clinic, table, row, keys.get(&row.subject), &mut done.faults);
        if anew.iter().any(Option::is_some) {
            ids.push(row.key);
            for (column, value) in columns.iter_mut().zip(anew) {
                column.push(value);
            }
        }
    }
    let sql = update(table);
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(&ids);
    for column in columns {
        query = query.bind(column);
    }
    query.execute(&mut *transaction).await?;
    transaction.commit().await?;
    done.rows += ids.len();
    progress(ids.len());
    Ok(Some(last))
}

fn reseal_row(
    clinic: &Clinic,
    table: &SealedTable,
    row: &SealedRow,
    key: Option<&DataKey>,
    faults: &mut Vec<Fault>,
) -> Vec<Option<Vec<u8>>> {
    let place = Place { tenant: clinic.id, table: table.bound, row: row.id, subject: row.subject };
    let one = |((column, class), value): (&(&'static str, &'static str), &Option<Vec<u8>>)| match key?.reseal(
        &place,
        class,
        value.as_ref()?,
    ) {
        Ok(anew) => anew,
        Err(error) => {
            faults.push(Fault::value(table, column, row.id, &error));
            None
        }
    };
    table.columns.iter().zip(&row.values).map(one).collect()
}

/// The rows behind `after` of a statement made by [`select`].
pub(super) async fn rows(
    connection: &mut PgConnection,
    clinic: &Clinic,
    table: &SealedTable,
    sql: &str,
    after: Uuid,
) -> Result<Vec<SealedRow>, RotationError> {
    let found =
        sqlx::query(AssertSqlSafe(sql.to_owned())).bind(clinic.id).bind(after).fetch_all(connection).await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in found {
        let values = (3..3 + table.columns.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?;
        rows.push(SealedRow { key: row.try_get(0)?, id: row.try_get(1)?, subject: row.try_get(2)?, values });
    }
    Ok(rows)
}

/// The data keys of the rows' subjects, each in all its versions.
pub(super) async fn data_keys(
    connection: &mut PgConnection,
    key: &TenantKey,
    rows: &[SealedRow],
) -> Result<HashMap<Uuid, DataKey>, RotationError> {
    let subjects: Vec<Uuid> = rows.iter().map(|row| row.subject).collect();
    let found: Vec<(Uuid, i32, Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT subject, version, wrapped, commitment FROM phi_key WHERE subject = ANY($1)")
            .bind(subjects)
            .fetch_all(connection)
            .await?;
    let mut stored: HashMap<Uuid, Vec<WrappedKey>> = HashMap::new();
    for (subject, version, bytes, commitment) in found {
        let malformed = || RotationError::Malformed { table: "phi_key", row: subject };
        let wrapped = WrappedKey::stored(version, bytes, &commitment).ok_or_else(malformed)?;
        stored.entry(subject).or_default().push(wrapped);
    }
    // A key that can't be unwrapped is named by `verify`; here its rows stay as they are.
    let keys = stored
        .into_iter()
        .filter_map(|(subject, versions)| Some((subject, key.unwrap_data_keys(subject, &versions).ok()?)));
    Ok(keys.collect())
}

/// The rows of a table behind `$2`; `$1` is the clinic, whose own data have no other subject.
pub(super) fn select(table: &SealedTable) -> String {
    let columns: String = table.columns.iter().map(|(column, _)| format!(", t.{column}")).collect();
    format!(
        "SELECT t.{key}, t.{row}, {subject}{columns} FROM {source} WHERE t.{key} > $2{bound}",
        key = table.key,
        row = table.row,
        bound = of_kind(table),
        subject = subject(table),
        source = source(table),
    )
}

/// A table, and beside each row the head that its ciphertexts have under the newest version.
fn source(table: &SealedTable) -> String {
    format!(
        "{} t, LATERAL (SELECT int4send(max(k.version)) AS head FROM phi_key k WHERE k.subject = {}) newest",
        table.name,
        subject(table)
    )
}

fn subject(table: &SealedTable) -> String {
    table.subject.map_or_else(|| "$1".to_owned(), |column| format!("coalesce(t.{column}, $1)"))
}

fn is_behind(table: &SealedTable) -> String {
    let one = |(column, _): &(&str, &str)| format!("substring(t.{column} from 5 for 4) <> newest.head");
    format!("({}){}", table.columns.iter().map(one).collect::<Vec<_>>().join(" OR "), of_kind(table))
}

/// A table that keeps the rows of others says of which each is.
fn of_kind(table: &SealedTable) -> String {
    if table.bound == table.name { String::new() } else { format!(" AND t.kind = '{}'", table.bound) }
}

fn update(table: &SealedTable) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(column, _)| *column).collect();
    let sets: Vec<String> =
        names.iter().map(|column| format!("{column} = coalesce(n.{column}, t.{column})")).collect();
    let arrays: String = (0..names.len()).map(|at| format!(", ${}::bytea[]", at + 2)).collect();
    format!(
        "UPDATE {} t SET {} FROM unnest($1::uuid[]{arrays}) AS n (row_id, {}) WHERE t.{} = n.row_id",
        table.name,
        sets.join(", "),
        names.join(", "),
        table.key
    )
}
