//! A schema that somebody changed by hand is found, shown and put right.

use anyhow::Result;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};

use super::{clinics, count};
use crate::support::installation::TestInstallation;

/// Runs `praxis migrate …`: its exit code, and what it printed.
fn migrate(installation: &TestInstallation, args: &[&str]) -> Result<(Option<i32>, Value)> {
    let output = installation.command().arg("migrate").args(args).output()?;
    let printed = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok((output.status.code(), printed))
}

#[tokio::test]
async fn a_schema_changed_by_hand_is_found_shown_and_put_right() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = clinics(&installation, count(5)).await?;
    let mut admin = installation.admin().await?;
    let begun = std::time::Instant::now();
    // New clinics are made from the snapshot, and the reference from the steps: both are the same schema.
    assert_eq!(migrate(&installation, &["drift"])?, (Some(0), Value::Array(Vec::new())));
    eprintln!("{} tenants looked at in {:?}", tenants.len(), begun.elapsed());

    let schema = &tenants[3].schema;
    let by_hand = format!(
        "SET search_path = {schema};
         ALTER TABLE visit_type ALTER COLUMN duration_minutes TYPE bigint;
         ALTER TABLE patient ADD COLUMN shoe_size integer;
         ALTER TABLE patient ALTER COLUMN created_at DROP DEFAULT;
         ALTER TABLE facility DROP CONSTRAINT facility_code_unique;
         DROP INDEX session_by_user;
         ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only;
         ALTER TABLE role_permission DISABLE TRIGGER ALL;
         GRANT CREATE ON SCHEMA {schema} TO {schema};
         GRANT DELETE ON audit_entry TO {schema};
         REVOKE INSERT ON patient FROM {schema};
         CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema} AS $$
            BEGIN RETURN NEW; END $$"
    );
    admin.execute(sqlx::raw_sql(AssertSqlSafe(by_hand))).await?;
    let (code, found) = migrate(&installation, &["drift"])?;
    assert_eq!(code, Some(3));
    let found = found.as_array().cloned().unwrap_or_default();
    assert!(found.iter().all(|row| row["tenant"] == "clinic-3"), "{found:?}");
    let objects: Vec<_> = found.iter().filter_map(|row| row["object"].as_str()).collect();
    assert_eq!(
        objects,
        [
            "column patient.shoe_size",
            "column visit_type.duration_minutes",
            "default patient.created_at",
            "function refuse_change()",
            "constraint facility.facility_code_unique",
            "index session.session_by_user",
            "trigger audit_entry.audit_entry_append_only",
            "trigger role_permission.role_permission_access_changed",
            "foreign keys off role_permission",
            "right SCHEMA.CREATE TO {schema}",
            "right audit_entry.DELETE TO {schema}",
            "right patient.INSERT TO {schema}",
        ],
    );
    let column = found.iter().find(|row| row["object"] == "column visit_type.duration_minutes");
    let column = column.map(|row| (row["expected"].clone(), row["found"].clone()));
    assert_eq!(column, Some(("integer".into(), "bigint".into())));

    // Shown first, and nothing done.
    let (code, shown) = migrate(&installation, &["repair"])?;
    assert_eq!((code, &shown[0]["done"]), (Some(3), &Value::Bool(false)));
    let statements = shown[0]["statements"].as_array().cloned().unwrap_or_default();
    let type_back = format!(
        "ALTER TABLE {schema}.visit_type ALTER COLUMN duration_minutes TYPE integer USING duration_minutes::integer"
    );
    assert!(statements.contains(&type_back.into()), "{statements:?}");
    assert_eq!(migrate(&installation, &["drift"])?.1.as_array().map(Vec::len), Some(objects.len()));

    // Done, but for what holds data: whoever made that column may still want it.
    let (code, done) = migrate(&installation, &["repair", "--yes", "--tenant", "clinic-3"])?;
    assert_eq!((code, &done[0]["done"]), (Some(3), &Value::Bool(true)));
    assert_eq!(done[0]["left"], serde_json::json!(["column patient.shoe_size"]));
    let (_, left) = migrate(&installation, &["drift"])?;
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
    admin.execute(AssertSqlSafe(format!("ALTER TABLE {schema}.patient DROP COLUMN shoe_size"))).await?;
    assert_eq!(migrate(&installation, &["drift"])?.0, Some(0));
    Ok(())
}
