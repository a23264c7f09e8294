//! Every column that could be sealed is known to the rotation.

use std::collections::BTreeSet;

use anyhow::Result;
use praxis_entity::sealed_columns::{NOT_SEALED, SEALED};

use crate::support::installation::TestInstallation;

#[tokio::test]
async fn no_column_of_bytes_is_forgotten() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenant = installation.provision("northside").await?;
    let mut admin = installation.admin().await?;
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT c.table_name::text, c.column_name::text, c.udt_name::text FROM information_schema.columns c
         JOIN information_schema.tables t USING (table_schema, table_name)
         WHERE c.table_schema = $1 AND t.table_type = 'BASE TABLE'",
    )
    .bind(tenant.schema.as_str())
    .fetch_all(&mut admin)
    .await?;
    let there: BTreeSet<(&str, &str)> = columns
        .iter()
        .filter(|(.., kind)| kind == "bytea" || kind == "_bytea")
        .map(|(table, column, _)| (table.as_str(), column.as_str()))
        .collect();
    let sealed: BTreeSet<(&str, &str)> = SEALED
        .iter()
        .flat_map(|table| table.columns.iter().map(|(column, _)| (table.name, *column)))
        .collect();
    let other: BTreeSet<(&str, &str)> = NOT_SEALED.iter().copied().collect();
    let known: BTreeSet<_> = sealed.union(&other).copied().collect();

    let forgotten: Vec<_> = there.difference(&known).collect();
    assert!(
        forgotten.is_empty(),
        "columns of bytes that a rotation of keys does not know: {forgotten:?}. In \
         entity/src/sealed_columns.rs, add a line to SEALED for each that `op.seal` fills, and to \
         NOT_SEALED for each that holds a keyed hash, a public key or the like"
    );
    let gone: Vec<_> = known.difference(&there).collect();
    assert!(gone.is_empty(), "in entity/src/sealed_columns.rs, but not in the schema: {gone:?}");
    assert!(sealed.is_disjoint(&other), "a column is in both lists");

    let uuids: BTreeSet<(&str, &str)> = columns
        .iter()
        .filter(|(.., kind)| kind == "uuid")
        .map(|(table, column, _)| (table.as_str(), column.as_str()))
        .collect();
    for table in SEALED {
        for column in [Some(table.row), table.subject].into_iter().flatten() {
            assert!(uuids.contains(&(table.name, column)), "{}.{column} is no uuid", table.name);
        }
    }
    Ok(())
}
