//! A real server works on the cluster: everything that the API can do is done, and every table was used.

use std::collections::BTreeSet;

use anyhow::Result;
use sqlx::AssertSqlSafe;

use super::ground::Ground;
use crate::{
    idempotency, notifications,
    support::{server::TestServer, smtp::MailServer, twilio::Twilio},
};

/// Tables that the story leaves empty, by what fills them: what lies outside of the mutations that are told there.
const LEFT_EMPTY: &[&str] = &[
    // Signing in otherwise than by password.
    "account_link",
    "external_identity",
    "identity_provider",
    "finished_sign_in",
    "factor_guard",
    "passkey",
    "recovery_code",
    "totp",
    // Commands.
    "api_client_secret",
    "registered_operation",
    "key_rotation",
    // The import of FHIR resources.
    "fhir_resource",
    "import_source",
    "organization",
    "organization_identifier",
    "practitioner_identifier",
    // What happens when something fails or is late.
    "audit_unwatched",
    "delivery_report",
    "suppression",
    "task_escalation",
    // Notes within a transaction, gone at its end.
    "storage_change",
    // Times at which somebody is not there as usual.
    "availability_exception",
];

/// What one query finds at the clinic.
async fn ask(server: &TestServer, sql: &str) -> Result<i64> {
    let schema = server.app.directory.by_slug("northside").unwrap().schema.clone();
    let mut admin = server.installation.admin().await?;
    let sql = sql.replace("{schema}", schema.as_str());
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut admin).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_can_be_done_at_a_clinic_is_done_there() -> Result<()> {
    let ground = Ground::new().await?;
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let installation = ground.installation().await?;
    // Others beside it, so that the path has something to go wrong with.
    let beside = installation.provision("southside").await?;
    ground.spread(beside.schema.as_str()).await?;
    let server = notifications::clinic_on(installation, &twilio, &post, &[]).await?;
    let schema = server.app.directory.by_slug("northside").unwrap().schema.to_string();
    ground.spread(&schema).await?;
    idempotency::tell_once(&server, &twilio).await?;
    server.work().await?;

    let mut admin = ground.admin().await?;
    let find =
        "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r'";
    let tables: Vec<String> = sqlx::query_scalar(find).bind(&schema).fetch_all(&mut admin).await?;
    let mut empty = BTreeSet::new();
    for table in &tables {
        let exists = format!("SELECT EXISTS (SELECT FROM {schema}.{table})");
        if !sqlx::query_scalar::<_, bool>(AssertSqlSafe(exists)).fetch_one(&mut admin).await? {
            empty.insert(table.as_str());
        }
    }
    eprintln!("PORTABILITY: {} tables, {} of them empty at the end: {empty:?}", tables.len(), empty.len());
    let expected: BTreeSet<_> = LEFT_EMPTY.iter().copied().collect();
    let unexpected: Vec<_> = empty.difference(&expected).collect();
    assert!(unexpected.is_empty(), "the story leaves tables out: {unexpected:?}");

    // What triggers count is what is there.
    let off = "SELECT count(*) FROM (
        SELECT facility_id, month, status, count(*) AS n FROM {schema}.appointment GROUP BY 1, 2, 3) AS found
        FULL JOIN (SELECT facility_id, month, status, sum(change) AS n FROM {schema}.appointment_count GROUP BY 1, 2, 3
            HAVING sum(change) <> 0) AS counted USING (facility_id, month, status)
        WHERE found.n IS DISTINCT FROM counted.n";
    assert_eq!(ask(&server, off).await?, 0);
    let storage = "SELECT (SELECT used FROM {schema}.quota WHERE name = 'STORAGE')
        - (SELECT coalesce(sum(octet_length(draft)), 0) FROM {schema}.clinical_document)
        - (SELECT coalesce(sum(octet_length(body)), 0) FROM {schema}.document_version)
        - (SELECT coalesce(sum(octet_length(body)), 0) FROM {schema}.fhir_resource)";
    assert_eq!(ask(&server, storage).await?, 0);
    let seats = "SELECT (SELECT used FROM {schema}.quota WHERE name = 'SEATS') - count(*) FROM {schema}.user_account WHERE active";
    assert_eq!(ask(&server, seats).await?, 0);
    // A kept version says what its table is called, whatever the shard is.
    let kinds = "SELECT count(*) FROM {schema}.chart_version WHERE to_regclass('{schema}.' || kind) IS NULL";
    assert_eq!(ask(&server, kinds).await?, 0);
    ground.judge_placement(&schema).await
}
