//! Data keys of the sandbox's own, and under them a made-up value wherever the original has one.

use std::collections::HashMap;

use praxis_entity::sealed_columns::SealedTable;
use praxis_platform::{
    tenancy::SchemaName,
    vault::{DataKey, Place, TenantKey},
};
use sqlx::{AssertSqlSafe, Row, postgres::PgConnection};
use uuid::Uuid;

use super::made_up;
use crate::tenant::{LifeError, copy::qualified};

/// Rows that are sealed at a time.
const BATCH: i64 = 500;

/// The sandbox while it is made.
pub(super) struct Sandbox {
    pub id: Uuid,
    pub schema: SchemaName,
    pub key: TenantKey,
    /// The data keys of its patients, and their numbers.
    pub patients: HashMap<Uuid, (DataKey, u64)>,
}

impl Sandbox {
    /// Gives each patient a data key of their own.
    pub async fn give_keys(&mut self, transaction: &mut PgConnection) -> Result<(), LifeError> {
        let find = format!("SELECT id FROM {} ORDER BY id", qualified(self.schema.as_str(), "patient"));
        let ids: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(find)).fetch_all(&mut *transaction).await?;
        let insert = format!(
            "INSERT INTO {} (subject, version, wrapped, commitment)
             SELECT * FROM unnest($1::uuid[], $2::int[], $3::bytea[], $4::bytea[])",
            qualified(self.schema.as_str(), "phi_key")
        );
        let (mut versions, mut wrapped, mut commitments) = (Vec::new(), Vec::new(), Vec::new());
        for (number, subject) in (1..).zip(&ids) {
            let key = DataKey::generate(self.id, *subject, 1)?;
            let stored = self.key.wrap_data_key(&key)?;
            versions.push(1);
            wrapped.push(stored.bytes);
            commitments.push(stored.commitment.to_vec());
            self.patients.insert(*subject, (key, number));
        }
        sqlx::query(AssertSqlSafe(insert))
            .bind(&ids)
            .bind(versions)
            .bind(wrapped)
            .bind(commitments)
            .execute(transaction)
            .await?;
        Ok(())
    }

    /// Makes up the sealed values of a table, and says how many.
    pub async fn make_up(
        &self,
        transaction: &mut PgConnection,
        table: &SealedTable,
    ) -> Result<u64, LifeError> {
        let name = qualified(self.schema.as_str(), table.name);
        // Tables of the clinic itself have secrets in them, and are not carried.
        let subject = table.subject.ok_or(LifeError::Malformed("a table of no patient"))?;
        let columns: String = table.columns.iter().map(|(column, _)| format!(", {column}")).collect();
        let select = format!(
            "SELECT {key}, {row}, {subject}{columns} FROM {name} WHERE {key} > $1 ORDER BY {key} LIMIT {BATCH}",
            key = table.key,
            row = table.row
        );
        let (mut after, mut made) = (Uuid::nil(), 0);
        loop {
            let rows =
                sqlx::query(AssertSqlSafe(select.clone())).bind(after).fetch_all(&mut *transaction).await?;
            if rows.is_empty() {
                return Ok(made);
            }
            let mut keys = Vec::with_capacity(rows.len());
            let mut values: Vec<Vec<Option<Vec<u8>>>> = vec![Vec::new(); table.columns.len()];
            for row in &rows {
                let (key, id, subject): (Uuid, Uuid, Uuid) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                let (data, number) = self.patients.get(&subject).ok_or(LifeError::Malformed("patient"))?;
                let place = Place { tenant: self.id, table: table.bound, row: id, subject };
                for (at, ((column, _), values)) in table.columns.iter().zip(&mut values).enumerate() {
                    let was: Option<Vec<u8>> = row.try_get(3 + at)?;
                    let value = was
                        .map(|_| made_up::sealed(table.name, column, *number, data, &place))
                        .transpose()?;
                    made += u64::from(value.is_some());
                    values.push(value);
                }
                keys.push(key);
                after = key;
            }
            let mut query = sqlx::query(AssertSqlSafe(update(&name, table))).bind(keys);
            for values in values {
                query = query.bind(values);
            }
            query.execute(&mut *transaction).await?;
        }
    }
}

fn update(name: &str, table: &SealedTable) -> String {
    let (mut set, mut arrays, mut names) =
        (Vec::new(), vec!["$1::uuid[]".to_owned()], vec!["key".to_owned()]);
    for (at, (column, _)) in (2..).zip(table.columns) {
        set.push(format!("{column} = n.{column}"));
        arrays.push(format!("${at}::bytea[]"));
        names.push((*column).to_owned());
    }
    format!(
        "UPDATE {name} t SET {} FROM unnest({}) AS n ({}) WHERE t.{} = n.key",
        set.join(", "),
        arrays.join(", "),
        names.join(", "),
        table.key
    )
}
