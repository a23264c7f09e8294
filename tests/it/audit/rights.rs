//! As the application's own database role, the log only grows.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Executor};

use super::Clinic;

const TABLES: [&str; 7] = [
    "audit_entry",
    "audit_change",
    "audit_pending",
    "audit_leaf",
    "audit_node",
    "audit_checkpoint",
    "disclosure",
];

#[tokio::test]
async fn the_application_can_neither_change_nor_delete_nor_disarm_the_log() -> Result<()> {
    let clinic = Clinic::new().await?;
    clinic.seal().await?;
    let installation = &clinic.server.installation;
    let mut application = installation.tenant_connection("northside").await?;
    let mut attempts = Vec::new();
    for table in TABLES {
        // Not refused, but there is nothing it could give: the attempts below would succeed otherwise.
        let _ = application.execute(AssertSqlSafe(format!("GRANT ALL ON {table} TO current_user"))).await;
        let column = match table {
            "audit_entry" => "action = action",
            "audit_change" => "subject = subject",
            "audit_pending" | "audit_leaf" => "entry_id = entry_id",
            "audit_node" => "hash = hash",
            "disclosure" => "purpose = purpose",
            _ => "note = note",
        };
        attempts.extend([
            format!("UPDATE {table} SET {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("TRUNCATE {table} CASCADE"),
            format!("ALTER TABLE {table} ADD COLUMN x int"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("ALTER TABLE {table} RENAME TO gone"),
            format!("ALTER TABLE {table} OWNER TO current_user"),
            format!("DROP TABLE {table} CASCADE"),
            format!("CREATE RULE never AS ON INSERT TO {table} DO INSTEAD NOTHING"),
            format!(
                "CREATE TRIGGER mine BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            ),
            format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
            format!("CREATE INDEX mine ON {table} ((1))"),
        ]);
    }
    attempts.extend(
        [
            "SET session_replication_role = replica",
            "SET LOCAL session_replication_role = replica",
            "DROP TRIGGER audit_entry_pending ON audit_entry",
            "DROP FUNCTION audit_entry_waits() CASCADE",
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "SELECT audit_entry_waits()",
            "INSERT INTO audit_pending (entry_id) VALUES (gen_random_uuid())",
            "INSERT INTO audit_sealer DEFAULT VALUES",
            "UPDATE audit_sealer SET only_one = false",
            "CREATE SCHEMA mine",
            "CREATE TABLE mine (x int)",
        ]
        .map(str::to_owned),
    );
    for attempt in attempts {
        let refused = application.execute(AssertSqlSafe(attempt.clone())).await;
        let code = match &refused {
            Err(sqlx::Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
            other => panic!("{attempt}: {other:?}"),
        };
        // Not permitted, or not the owner; by constraint where there is nothing to change to.
        let expected = ["42501", "23505", "23514", "0A000"];
        assert!(expected.contains(&code.as_str()), "{attempt}: {code}");
    }
    assert_eq!(clinic.first_bad(&[]), None);
    Ok(())
}

#[tokio::test]
async fn what_the_application_role_slips_into_the_log_is_named() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.entries(5).await?;
    let installation = &clinic.server.installation;
    let mut application = installation.tenant_connection("northside").await?;
    // An entry that the server did not write: sealed like any other, and known for what it is.
    let forge = "INSERT INTO audit_entry (id, at, actor_kind, roles, action, patients, classes, purpose, outcome) \
                 VALUES (gen_random_uuid(), now(), 'USER', '{}', 'disclose', '{}', '{}', 'TREAT', 'OK')";
    application.execute(forge).await?;
    let (_, fault) = clinic.first_bad(&[]).unwrap();
    assert_eq!(fault, "forged");
    clinic.seal().await?;
    let place = clinic.number("SELECT max(seq) FROM audit_leaf WHERE NOT genuine").await?;
    assert_eq!(clinic.first_bad(&[]), Some((place.to_string(), "forged".to_owned())));
    // A leaf of its own stops the sealer, which says so; the log before it stands.
    let wedge =
        "INSERT INTO audit_checkpoint (size, at, edge, line_hash, note) VALUES (9999, now(), '', '', 'x')";
    application.execute(wedge).await?;
    assert!(clinic.entries(1).await.is_err());
    assert_eq!(clinic.faults(), ["forged", "bad_checkpoint"]);
    Ok(())
}
