//! A schema to restore into: made empty, filled from the export, and compared with its manifest.

use praxis_entity::ids::encode_base32;
use praxis_platform::tenancy::{Installation, SchemaName, snapshot_sql, snapshot_version};
use sqlx::postgres::PgConnection;
use tokio::io::AsyncRead;
use uuid::Uuid;

use super::{
    Ground, LifeError, Manifest, Restored, TableSum,
    copy::{self, Sum, qualified},
    frames::{Frame, Heading},
    operation::{Kind, Work, abandoned},
    run,
    sealed_file::SealedReader,
};

/// The name of the schema of an id: of a clinic its own, and of an operation the one that it makes.
pub(super) fn schema_of(id: Uuid) -> Result<SchemaName, LifeError> {
    SchemaName::stored(&format!("t_{}", encode_base32(id))).ok_or(LifeError::Malformed("schema name"))
}

/// Drops a schema with all that is in it, if it is there.
pub(super) async fn drop_schema(
    connection: &mut PgConnection,
    schema: &SchemaName,
) -> Result<(), sqlx::Error> {
    run(connection, format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {schema} CASCADE"))
        .await
}

/// Drops what restores of a clinic left that nobody works on, and that the control schema was not told of.
pub(super) async fn drop_left(
    control: &mut PgConnection,
    home: &mut PgConnection,
    tenant: Uuid,
) -> Result<(), LifeError> {
    for (id, kept) in abandoned(control, tenant, Kind::Restore).await? {
        if serde_json::from_value::<Restored>(kept).is_err() {
            drop_schema(home, &schema_of(id)?).await?;
        }
    }
    Ok(())
}

/// Makes the schema as it is at a version, for the clinic's role; the role too where there is none.
pub(super) async fn make(
    transaction: &mut PgConnection,
    installation: &Installation,
    schema: &SchemaName,
    role: &SchemaName,
    version: i32,
) -> Result<(), LifeError> {
    let newest = snapshot_version();
    if version > newest {
        return Err(LifeError::Refused(format!(
            "the export has schema version {version}, and this build knows {newest}"
        )));
    }
    let known: bool = sqlx::query_scalar("SELECT to_regrole($1) IS NOT NULL")
        .bind(role.as_str())
        .fetch_one(&mut *transaction)
        .await?;
    if !known {
        run(transaction, format!("CREATE ROLE {role} NOLOGIN")).await?;
    }
    let owner = installation.owner_role();
    let context = format!(
        "CREATE SCHEMA {schema} AUTHORIZATION {owner};
         SET LOCAL ROLE {owner}; GRANT USAGE ON SCHEMA {schema} TO {role};
         SET LOCAL praxis.role = '{role}'; SET LOCAL search_path = {schema}"
    );
    run(transaction, context).await?;
    if version == newest {
        let tables = snapshot_sql(schema.as_str(), role.as_str());
        run(transaction, tables).await?;
    } else {
        let steps = praxis_migration::tenant::steps();
        for step in steps.iter().take(usize::try_from(version).unwrap_or(0)) {
            for text in step.replayed() {
                run(transaction, text).await?;
            }
        }
    }
    Ok(run(transaction, "RESET ROLE; RESET search_path".to_owned()).await?)
}

/// Fills the schema with the rows of the export, up to its manifest; what the steps wrote gives way to them.
pub(super) async fn fill<R: AsyncRead + Unpin>(
    ground: &Ground<'_>,
    transaction: &mut PgConnection,
    schema: &SchemaName,
    file: &mut SealedReader<R>,
    work: &mut Work,
) -> Result<Manifest, LifeError> {
    let schema = schema.as_str();
    copy::to_write(transaction).await?;
    let tables = copy::tables(transaction, schema).await?;
    let names: Vec<_> = tables.iter().map(|table| qualified(schema, &table.name)).collect();
    run(transaction, format!("TRUNCATE {}", names.join(", "))).await?;
    let (mut sums, mut rows) = (Vec::with_capacity(tables.len()), 0);
    loop {
        match file.frame().await? {
            Frame::Table(heading) => {
                let table = tables.iter().find(|table| table.name == heading.name);
                // The names go into a statement: only those that the schema has are taken.
                if table.is_none_or(|table| table.columns != heading.columns) {
                    return Err(LifeError::Malformed("its tables are not those of its version"));
                }
                let sum = fill_table(transaction, schema, &heading, file).await?;
                rows += sum.rows;
                work.at(&heading.name, rows).await?;
                (ground.progress)(&heading.name, rows);
                sums.push(sum);
            }
            Frame::Manifest(manifest) => {
                if manifest.tables != sums || sums.len() != tables.len() {
                    return Err(LifeError::Malformed("its tables are not those of its manifest"));
                }
                // What was taken in is not what counts, but what is there.
                work.at("compare", rows).await?;
                copy::compare(transaction, schema, &manifest.tables).await?;
                return Ok(manifest);
            }
            _ => return Err(LifeError::Malformed("frame")),
        }
    }
}

async fn fill_table<R: AsyncRead + Unpin>(
    transaction: &mut PgConnection,
    schema: &str,
    heading: &Heading,
    file: &mut SealedReader<R>,
) -> Result<TableSum, LifeError> {
    let columns = heading.columns.join(", ");
    let sql = format!("COPY {} ({columns}) FROM STDIN", qualified(schema, &heading.name));
    let mut sum = Sum::default();
    let mut input = transaction.copy_in_raw(&sql).await?;
    loop {
        match file.frame().await {
            Ok(Frame::Rows(rows)) => {
                sum.add(&rows);
                input.send(rows).await?;
            }
            Ok(Frame::Sum(expected)) => {
                input.finish().await?;
                let sum = sum.of(&heading.name);
                if sum != expected {
                    let (expected, found) = (expected.rows, sum.rows);
                    return Err(LifeError::Differs { table: sum.name, expected, found });
                }
                return Ok(sum);
            }
            other => {
                input.abort("the export does not go on").await?;
                return Err(other.err().unwrap_or(LifeError::Malformed("frame")));
            }
        }
    }
}
