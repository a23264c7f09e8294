//! A clinic that was shredded is gone: an old dump and today's keys open nothing.

use std::fs;

use anyhow::Result;
use axum::http::StatusCode;
use praxis_fleet::tenant::Certified;
use praxis_platform::{
    rotation,
    tenancy::{SchemaName, installation_key},
    vault::{TenantKey, WrappedKey},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::kit::Life;

/// How many data keys of an old dump open with any of the keys that the control schema holds today.
async fn opened(life: &Life, tenant: Uuid) -> Result<usize> {
    let installation = &life.server.installation;
    let mut admin = installation.admin().await?;
    let dump: Vec<(Uuid, i32, Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT subject, version, wrapped, commitment FROM public.dump_phi_key")
            .fetch_all(&mut admin)
            .await?;
    assert!(dump.len() > 1);
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM control.tenant").fetch_all(&mut admin).await?;
    let mut opened = 0;
    for id in ids {
        let schema = SchemaName::stored("t_01m8haj8xjeh8st4r9g3dgpzwj").unwrap();
        let clinic = rotation::Clinic { id, slug: String::new(), schema, cell: "main".to_owned() };
        let stored = rotation::stored_keys(&mut admin, &clinic).await?;
        // Each clinic's key is tried as its own and as that of the one that is gone.
        for of in [id, tenant] {
            let Ok(key) = TenantKey::unwrap(of, &stored, &*installation.keys).await else { continue };
            for (subject, version, bytes, commitment) in &dump {
                let wrapped = WrappedKey::stored(*version, bytes.clone(), commitment).unwrap();
                opened += usize::from(key.unwrap_data_key(*subject, &wrapped).is_ok());
            }
        }
    }
    Ok(opened)
}

#[tokio::test]
async fn of_a_shredded_clinic_an_old_dump_and_todays_keys_open_nothing() -> Result<()> {
    let life = Life::new().await?;
    life.server.installation.provision("southside").await?;
    let owner = life.server.person("northside", "owner").await;
    owner.register("Ann", "Zqshredded", "1980-01-02").await;
    owner.register("Bob", "Zqpulped", "1981-01-02").await;
    let schema = life.schema("northside").await?;
    let mut admin = life.server.installation.admin().await?;
    let tenant: Uuid = sqlx::query_scalar("SELECT id FROM control.tenant WHERE slug = 'northside'")
        .fetch_one(&mut admin)
        .await?;
    // Old dumps, of the tables and of the whole.
    life.sql(&format!("CREATE TABLE public.dump_phi_key AS TABLE {schema}.phi_key")).await?;
    let file = life.file("northside.pxe");
    life.done(&["export", "northside", "--to", &file]);
    assert!(opened(&life, tenant).await? > 1, "today's keys open it while they are there");

    // It has to have left, its grace to be over, and nothing to keep it.
    assert_eq!(life.tenant(&["shred", "northside"]).0, 7);
    assert_eq!(life.tenant(&["shred", "northside", "--yes"]).0, 1);
    life.done(&["offboard", "northside", "--grace-days", "0"]);
    assert_eq!(life.tenant(&["shred", "northside", "--yes"]).0, 1);
    life.done(&["archive", "northside"]);
    life.done(&["hold", "northside", "--reason", "case 17"]);
    assert!(life.tenant(&["shred", "northside", "--yes"]).2.contains("legal hold"));
    life.done(&["release", "northside"]);
    let certificate = life.done(&["shred", "northside", "--yes"]);

    assert_eq!(opened(&life, tenant).await?, 0);
    let (code, _, told) = life.tenant(&["restore", &file]);
    assert_eq!(code, 1, "{told}");
    // Not even where its row is taken away by hand, for the key of the export went with the clinic's.
    let away = "SET session_replication_role = replica; DELETE FROM control.tenant WHERE slug = 'northside'";
    let rows: Vec<serde_json::Value> =
        sqlx::query_scalar("SELECT to_jsonb(t) FROM control.tenant t WHERE slug = 'northside'")
            .fetch_all(&mut admin)
            .await?;
    life.sql(away).await?;
    assert_eq!(life.tenant(&["restore", &file]).0, 1);
    let back = "INSERT INTO control.tenant SELECT * FROM jsonb_populate_record(NULL::control.tenant, $1)";
    sqlx::query(back).bind(&rows[0]).execute(&mut admin).await?;

    let gone: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NULL AND to_regrole($1) IS NULL")
        .bind(&schema)
        .fetch_one(&mut admin)
        .await?;
    assert!(gone);
    life.refresh().await?;
    let login = life.server.login("northside.praxis.test", "someone@praxis.test", "x").await;
    assert_eq!(login.status, StatusCode::NOT_FOUND);

    // The certificate says what was destroyed, and the installation's key signed it.
    assert_eq!(certificate["keys"].as_array().unwrap().len(), 1);
    assert!(certificate["dataKeys"].as_i64().unwrap() > 1);
    assert_eq!(certificate["exportsHandedOut"], 0);
    let signed: Certified = serde_json::from_value(certificate["signed"].clone())?;
    let key = installation_key(&mut admin, &*life.server.installation.keys).await?.signer()?;
    assert_eq!(signed.open(&key.public())?.tenant, tenant);
    assert!(!signed.text.contains("Zqshredded"));
    let forged = Certified { text: signed.text.replace("northside", "southside"), ..signed };
    assert!(forged.open(&key.public()).is_err());
    // Asked for again it is not done again, and prints the same.
    assert_eq!(life.done(&["shred", "northside", "--yes"]), certificate);
    assert_eq!(life.done(&["certificate", "northside"]), certificate);
    // The others are as they were.
    assert_eq!(life.praxis(&["key", "verify"]).0, 0);
    assert_eq!(life.praxis(&["audit", "verify", "--all"]).0, 0);
    Ok(())
}

#[tokio::test]
async fn killed_between_keys_and_data_shredding_goes_on_to_its_end() -> Result<()> {
    let life = Life::new().await?;
    life.done(&["offboard", "northside", "--grace-days", "0"]);
    life.done(&["archive", "northside"]);
    let schema = life.schema("northside").await?;
    // Somebody reads: the keys go, the data can't yet.
    let mut reader = life.server.installation.admin().await?;
    let mut reading = sqlx::Connection::begin(&mut reader).await?;
    let read = format!("SELECT count(*) FROM {schema}.tenant_self");
    let _: i64 = sqlx::query_scalar(AssertSqlSafe(read)).fetch_one(&mut *reading).await?;
    assert_eq!(life.tenant(&["shred", "northside", "--yes"]).0, 1);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM control.tenant_key")
        .fetch_one(&mut life.server.installation.admin().await?)
        .await?;
    assert_eq!(left, 0, "destroying the keys is the delete");
    let certificate = life.done(&["certificate", "northside"]);
    reading.rollback().await?;
    assert_eq!(life.done(&["shred", "northside", "--yes"]), certificate);
    assert_eq!(life.schemas().await?, 0);
    assert!(fs::read_dir(&life.folder)?.next().is_none());
    Ok(())
}
