//! The schema is made one statement to a message, from the steps and from the snapshot, and is the same both ways.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use praxis_migration::{sql, tenant};
use praxis_platform::tenancy::SNAPSHOT;
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};

use super::ground::Ground;

/// Sends each as a message of its own.
async fn one_by_one(connection: &mut PgConnection, statements: &[String]) -> Result<()> {
    for statement in statements {
        let sent = connection.execute(sqlx::raw_sql(AssertSqlSafe(statement.clone()))).await;
        sent.with_context(|| statement.clone())?;
    }
    Ok(())
}

/// Makes a schema with its role, and then what is given in it, in a transaction of the owner's. Where it is Citus, the
/// schema lies on a node from the beginning.
async fn make(connection: &mut PgConnection, owner: &str, schema: &str, content: Vec<String>) -> Result<()> {
    let mut all: Vec<String> = [
        format!("CREATE ROLE {schema} LOGIN"),
        format!("GRANT {schema} TO {owner}"),
        // Any other Postgres takes this for a setting of somebody else's.
        "SET citus.enable_schema_based_sharding TO on".to_owned(),
        format!("CREATE SCHEMA {schema} AUTHORIZATION {owner}"),
        "RESET citus.enable_schema_based_sharding".to_owned(),
        "BEGIN".to_owned(),
        format!("SET LOCAL ROLE {owner}"),
        format!("GRANT USAGE ON SCHEMA {schema} TO {schema}"),
        format!("SET LOCAL search_path = {schema}"),
        format!("SET LOCAL praxis.role = '{schema}'"),
    ]
    .into();
    all.extend(content);
    all.push("COMMIT".to_owned());
    one_by_one(connection, &all).await
}

/// All that makes a schema what it is, without its name and its role's.
async fn catalogue(connection: &mut PgConnection, schema: &str) -> Result<BTreeSet<String>> {
    connection.execute("SET search_path = pg_catalog").await?;
    let lines: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
            WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'v')
        UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
            FROM pg_constraint WHERE connamespace = to_regnamespace($1) AND contype <> 't'
        UNION ALL SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE c.relnamespace = to_regnamespace($1)
        UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
            WHERE c.relnamespace = to_regnamespace($1) AND NOT t.tgisinternal
        UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = to_regnamespace($1)
        UNION ALL SELECT concat_ws(' ', 'right', c.relname, g.grantee::regrole, g.privilege_type)
            FROM pg_class c CROSS JOIN aclexplode(c.relacl) g WHERE c.relnamespace = to_regnamespace($1)",
    )
    .bind(schema)
    .fetch_all(&mut *connection)
    .await?;
    Ok(lines.into_iter().map(|line| line.replace(schema, "{schema}")).collect())
}

/// The statements of the snapshot for a schema.
fn snapshot(schema: &str) -> Vec<String> {
    let text = SNAPSHOT.replace("{schema}", schema).replace("{role}", schema);
    sql::statements(&text).into_iter().map(|statement| statement.text.to_owned()).collect()
}

#[tokio::test]
async fn steps_and_snapshot_make_the_same_one_statement_at_a_time() -> Result<()> {
    let ground = Ground::new().await?;
    let installation = ground.installation().await?;
    let owner = installation.names.owner_role();
    let mut admin = ground.admin().await?;
    let name = |what: &str| {
        let id = installation.clock.new_id();
        format!("t_{what}{}", &id.simple().to_string()[8..])
    };
    let (stepped, whole) = (name("st"), name("wh"));
    let steps = tenant::steps();
    make(&mut admin, &owner, &stepped, steps.iter().flat_map(praxis_migration::Step::replayed).collect())
        .await?;
    make(&mut admin, &owner, &whole, snapshot(&whole)).await?;
    let by_step = catalogue(&mut admin, &stepped).await?;
    let at_once = catalogue(&mut admin, &whole).await?;
    assert!(by_step.len() > 1_000, "{}", by_step.len());
    let different: Vec<_> = by_step.symmetric_difference(&at_once).collect();
    assert!(different.is_empty(), "{different:#?}");
    for schema in [&stepped, &whole] {
        ground.judge_placement(schema).await?;
    }
    Ok(())
}

#[tokio::test]
async fn clinics_are_made_whole_beside_each_other() -> Result<()> {
    let ground = Ground::new().await?;
    let installation = ground.installation().await?;
    let mut admin = ground.admin().await?;
    let mut all = Vec::new();
    for slug in ["northside", "southside", "eastside"] {
        let tenant = installation.provision(slug).await?;
        ground.spread(tenant.schema.as_str()).await?;
        ground.judge_placement(tenant.schema.as_str()).await?;
        all.push(catalogue(&mut admin, tenant.schema.as_str()).await?);
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    Ok(())
}
