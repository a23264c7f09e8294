//! State machines: the table of legal steps is the only truth, and everything agrees with it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets something else fails here"
)]

mod catalogue;
mod machines;
mod stage;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use sqlx::{AssertSqlSafe, Executor, Row, postgres::PgConnection};

use crate::support::server::TestServer;

const SLUG: &str = "northside";

/// Columns that say where something stands and are no machine, each with its reason.
const NOT_MACHINES: &[(&str, &str)] = &[
    // FHIR's two axes of a condition: a finding that is revised, not a process.
    ("condition", "clinical_status"),
    ("condition", "verification_status"),
    // How many appointments stand where: nobody but the triggers writes it.
    ("appointment_count", "status"),
    // The table of the machines itself.
    ("status_transition", "from_status"),
    ("status_transition", "to_status"),
];

/// A machine as the database has it: its table, the trigger that holds it, and its legal steps.
#[derive(Debug)]
struct Stored {
    name: String,
    table: String,
    trigger: String,
    steps: BTreeSet<(String, String)>,
}

/// Every machine of a clinic.
async fn machines(admin: &mut PgConnection, schema: &str) -> Result<Vec<Stored>> {
    let triggers = "SELECT c.relname, t.tgname, encode(t.tgargs, 'escape') AS args
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE c.relnamespace = $1::regnamespace AND p.proname = 'enforce_transition' AND NOT t.tgisinternal
        ORDER BY c.relname";
    let mut machines = Vec::new();
    for row in sqlx::query(triggers).bind(schema).fetch_all(&mut *admin).await? {
        let name = row.get::<String, _>("args").trim_end_matches("\\000").to_owned();
        let find =
            format!("SELECT from_status, to_status FROM {schema}.status_transition WHERE machine = $1");
        let steps = sqlx::query_as(AssertSqlSafe(find)).bind(&name).fetch_all(&mut *admin).await?;
        machines.push(Stored {
            name,
            table: row.get("relname"),
            trigger: row.get("tgname"),
            steps: steps.into_iter().collect(),
        });
    }
    Ok(machines)
}

/// The statuses that a table's CHECK knows.
async fn statuses(admin: &mut PgConnection, schema: &str, table: &str) -> Result<BTreeSet<String>> {
    let find = "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint
        WHERE conrelid = ($1 || '.' || $2)::regclass AND conname = $2 || '_status_known'";
    let check: Option<String> =
        sqlx::query_scalar(find).bind(schema).bind(table).fetch_one(&mut *admin).await?;
    let check = check.unwrap_or_default();
    Ok(check.split('\'').skip(1).step_by(2).map(str::to_owned).collect())
}

async fn clinic() -> Result<(TestServer, String)> {
    let server = TestServer::new(&[(SLUG, "owner@praxis.test", "owner")]).await?;
    let schema = server.app.directory.by_slug(SLUG).unwrap().schema.to_string();
    Ok((server, schema))
}

/// Every pair of statuses of every machine, tried on a twin of its table: with the table's own trigger, and without
/// what else would refuse a made-up row.
#[tokio::test]
async fn the_database_refuses_every_illegal_step_of_every_machine_and_no_legal_one() -> Result<()> {
    let (server, schema) = clinic().await?;
    let mut admin = server.installation.admin().await?;
    let machines = machines(&mut admin, &schema).await?;
    assert!(machines.len() >= 9, "{machines:?}");
    let mut tried = 0;
    for machine in &machines {
        let known = statuses(&mut admin, &schema, &machine.table).await?;
        assert!(known.len() >= 2, "{}: a CHECK named {}_status_known", machine.name, machine.table);
        let named: BTreeSet<_> = machine
            .steps
            .iter()
            .flat_map(|(from, to)| [from, to])
            .filter(|status| !status.is_empty())
            .collect();
        assert!(named.iter().all(|status| known.contains(*status)), "{}: {named:?}", machine.name);
        let twin = twin(&mut admin, &schema, machine).await?;
        for to in &known {
            // Into life.
            let begin = format!("INSERT INTO {twin} (status) VALUES ('{to}')");
            let legal = machine.steps.contains(&(String::new(), to.clone()));
            expect(&mut admin, &begin, legal, machine, "", to).await?;
            for from in known.iter().filter(|from| *from != to) {
                let put = format!(
                    "SET session_replication_role = replica; DELETE FROM {twin};
                     INSERT INTO {twin} (status) VALUES ('{from}'); SET session_replication_role = origin"
                );
                admin.execute(sqlx::raw_sql(AssertSqlSafe(put))).await?;
                let legal = machine.steps.contains(&(from.clone(), to.clone()));
                let step = format!("UPDATE {twin} SET status = '{to}'");
                expect(&mut admin, &step, legal, machine, from, to).await?;
                tried += 1;
            }
        }
    }
    assert!(tried > 150, "{tried}");
    eprintln!("{} machines, {tried} steps tried", machines.len());
    Ok(())
}

/// A table of the same columns with nothing but the machine's trigger, as it stands on the real one.
async fn twin(admin: &mut PgConnection, schema: &str, machine: &Stored) -> Result<String> {
    let twin = format!("pg_temp.twin_{}", machine.table);
    let real = format!("{schema}.{}", machine.table);
    let make = format!("CREATE TEMP TABLE twin_{} (LIKE {real})", machine.table);
    admin.execute(AssertSqlSafe(make)).await?;
    let required =
        "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attnotnull AND attnum > 0";
    let required: Vec<String> = sqlx::query_scalar(required).bind(&twin).fetch_all(&mut *admin).await?;
    for column in required {
        let ease = format!("ALTER TABLE {twin} ALTER COLUMN \"{column}\" DROP NOT NULL");
        admin.execute(AssertSqlSafe(ease)).await?;
    }
    let find = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = $1::regclass AND tgname = $2";
    let trigger: String =
        sqlx::query_scalar(find).bind(&real).bind(&machine.trigger).fetch_one(&mut *admin).await?;
    admin.execute(AssertSqlSafe(trigger.replace(&format!("ON {real}"), &format!("ON {twin}")))).await?;
    Ok(twin)
}

async fn expect(
    admin: &mut PgConnection,
    step: &str,
    legal: bool,
    machine: &Stored,
    from: &str,
    to: &str,
) -> Result<()> {
    let what = format!("{}: '{from}' to '{to}'", machine.name);
    match admin.execute(AssertSqlSafe(step.to_owned())).await {
        Ok(_) => assert!(legal, "{what} was accepted"),
        Err(error) => {
            let code = error.as_database_error().unwrap().code().unwrap().into_owned();
            assert!(!legal && code == "PX001", "{what}: {error}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_status_can_be_written_past_its_machine() -> Result<()> {
    let (server, schema) = clinic().await?;
    let mut admin = server.installation.admin().await?;
    let held: BTreeSet<_> = machines(&mut admin, &schema).await?.into_iter().map(|m| m.table).collect();
    let columns = "SELECT table_name::text, column_name::text FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE table_schema = $1 AND t.table_type = 'BASE TABLE' AND (column_name = 'status' OR column_name LIKE '%\\_status')";
    let columns: Vec<(String, String)> = sqlx::query_as(columns).bind(&schema).fetch_all(&mut admin).await?;
    assert!(columns.len() >= held.len());
    for (table, column) in columns {
        let excused = NOT_MACHINES.contains(&(table.as_str(), column.as_str()));
        let machine = column == "status" && held.contains(&table);
        assert!(machine || excused, "{table}.{column} can be written past the table of transitions");
    }
    Ok(())
}

/// The part of the United States that an address lies in.
const NO_STATUS: (&str, &str) = ("AddressInput", "state");

/// No mutation takes a status: what has one is a filter, and no mutation takes a filter.
#[test]
fn no_input_of_the_schema_says_where_something_stands() -> Result<()> {
    let inputs = catalogue::inputs()?;
    assert!(inputs.len() > 150, "{}", inputs.len());
    let mut of_filters = 0;
    for (input, fields) in &inputs {
        let filter = input.ends_with("Filter");
        for (field, kind) in fields {
            let lower = field.to_lowercase();
            let stands = lower.ends_with("status") || lower.ends_with("state");
            let writable = stands && !filter && (input.as_str(), field.as_str()) != NO_STATUS;
            assert!(!writable, "{input}.{field} can be written");
            assert!(filter || !kind.contains("Filter"), "{input}.{field} takes a filter");
            of_filters += usize::from(stands && filter);
        }
    }
    assert!(of_filters > 8, "the walk sees a status where there is one: {of_filters}");
    Ok(())
}

#[test]
fn every_object_that_has_a_status_says_what_may_be_done_with_it() -> Result<()> {
    let objects = catalogue::objects()?;
    let standing: Vec<_> = objects
        .iter()
        .filter(|(_, fields)| fields.contains_key("status") || fields.contains_key("clinicalStatus"))
        .collect();
    assert!(standing.len() > 25, "{}", standing.len());
    for (object, fields) in standing {
        let kind = fields.get("allowedActions").map_or("", |kind| kind.split(" @").next().unwrap());
        assert!(["[String!]!", "[String!]"].contains(&kind), "{object} has a status and {kind:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_action_of_the_table_is_a_mutation_that_asks_for_the_same_permission() -> Result<()> {
    let (server, schema) = clinic().await?;
    let mut admin = server.installation.admin().await?;
    let find = format!(
        "SELECT DISTINCT machine, action, permission FROM {schema}.status_transition WHERE action <> ''"
    );
    let rows: Vec<(String, String, String)> =
        sqlx::query_as(AssertSqlSafe(find)).fetch_all(&mut admin).await?;
    assert!(rows.len() > 15);
    let asked = catalogue::mutations()?;
    let mut permission_of: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (machine, action, permission) in rows {
        permission_of.entry((machine, action)).or_default().insert(permission);
    }
    for ((machine, action), permissions) in permission_of {
        let Some(asked) = asked.get(&action) else { panic!("{machine}: there is no mutation {action}") };
        // A mutation open to whoever signed in leaves it to the rule.
        assert!(
            asked.is_none() || permissions.iter().all(|one| Some(one) == asked.as_ref()),
            "{action}: {permissions:?} {asked:?}"
        );
    }
    Ok(())
}
