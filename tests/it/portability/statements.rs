//! One connection goes through several clinics: the same statements, prepared once, find each clinic's own rows; triggers
//! and constraints speak the same everywhere.

use std::sync::Arc;

use anyhow::Result;
use praxis_platform::{
    OpFactory, RequestInfo,
    access::Actor,
    error::{constraint, sqlstate},
    tenancy::Tenant,
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::ground::Ground;
use crate::support::server::TestServer;

#[tokio::test]
async fn a_statement_prepared_once_serves_every_clinic_and_survives_a_new_column() -> Result<()> {
    let ground = Ground::new().await?;
    let installation = ground.installation().await?;
    let mut tenants: Vec<Tenant> = Vec::new();
    for slug in ["northside", "southside", "eastside"] {
        let tenant = installation.provision(slug).await?;
        ground.spread(tenant.schema.as_str()).await?;
        tenants.push(tenant);
    }
    let mut connection = ground.admin().await?;
    for round in 0..4_i32 {
        for (number, tenant) in (0_i32..).zip(&tenants) {
            let schema = &tenant.schema;
            let bind = format!("RESET ROLE; SET search_path = {schema}; SET ROLE {schema}");
            connection.execute(sqlx::raw_sql(AssertSqlSafe(bind))).await?;
            let own: Uuid =
                sqlx::query_scalar("SELECT tenant_id FROM tenant_self").fetch_one(&mut connection).await?;
            assert_eq!(own, tenant.id.0);
            let code = format!("C{round}-{number}");
            let insert = "INSERT INTO facility (id, code, name, time_zone) VALUES ($1, $2, $2, 'UTC') RETURNING version";
            let version: i32 = sqlx::query_scalar(insert)
                .bind(installation.clock.new_id())
                .bind(&code)
                .fetch_one(&mut connection)
                .await?;
            assert_eq!(version, 1);
            let update = "UPDATE facility SET name = $2 WHERE code = $1 RETURNING version";
            let version: i32 =
                sqlx::query_scalar(update).bind(&code).bind("Renamed").fetch_one(&mut connection).await?;
            assert_eq!(version, 2, "the trigger of this schema ran");
            let seen: Vec<String> = sqlx::query_scalar("SELECT code FROM facility ORDER BY code")
                .fetch_all(&mut connection)
                .await?;
            assert!(
                seen.len() == usize::try_from(round)? + 1
                    && seen.iter().all(|code| code.ends_with(&format!("-{number}"))),
                "{seen:?}"
            );
        }
        // As a migration does, while the statements stay prepared.
        let mut admin = ground.admin().await?;
        let add = format!("ALTER TABLE {}.facility ADD COLUMN extra_{round} text", tenants[1].schema);
        admin.execute(AssertSqlSafe(add)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_the_database_refuses_is_known_by_its_name() -> Result<()> {
    let ground = Ground::new().await?;
    let installation = ground.installation().await?;
    for slug in ["northside", "southside"] {
        let tenant = installation.provision(slug).await?;
        ground.spread(tenant.schema.as_str()).await?;
    }
    let config = installation.config()?;
    let server = TestServer::over(installation, config).await?;
    for slug in ["northside", "southside"] {
        server.user(slug, "nurse@praxis.test", "nurse").await?;
        let tenant = server.app.directory.by_slug(slug).unwrap();
        let factory = OpFactory::new(
            Arc::clone(&server.app.platform),
            Arc::clone(&tenant),
            Arc::new(Actor::system()),
            RequestInfo::default(),
            true,
        );
        let mut admin = ground.admin().await?;
        let full = format!("UPDATE {}.quota SET most = used", tenant.schema);
        admin.execute(AssertSqlSafe(full)).await?;
        for (sql, code, name) in [
            (
                "INSERT INTO user_account (id, email, display_name, password_hash, active)
                 SELECT gen_random_uuid(), email, 'A', 'x', false FROM user_account",
                "23505",
                Some("user_account_email_unique"),
            ),
            (
                "INSERT INTO room (id, facility_id, name) VALUES (gen_random_uuid(), gen_random_uuid(), 'One')",
                "23503",
                Some("room_facility_fk"),
            ),
            (
                "INSERT INTO user_account (id, email, display_name, password_hash)
                 VALUES (gen_random_uuid(), 'b@praxis.test', 'B', 'x')",
                "PX006",
                Some("quota_seats"),
            ),
            (
                "INSERT INTO fhir_resource (id, resource_type, body) VALUES (gen_random_uuid(), 'Claim', '\\x00')",
                "PX006",
                Some("quota_storage"),
            ),
            ("UPDATE audit_entry SET action = 'x'", "42501", None),
            ("DELETE FROM clinical_document", "42501", None),
        ] {
            let op = factory.read();
            let refused =
                op.db().execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [])).await;
            let refused = refused.unwrap_err();
            assert_eq!(sqlstate(&refused).as_deref(), Some(code), "{sql}: {refused}");
            if name.is_some() {
                assert_eq!(constraint(&refused).as_deref(), name, "{sql}: {refused}");
            }
            op.release().await;
        }
        // What not even the owner of the tables may.
        let own = format!("SET search_path = {}", tenant.schema);
        admin.execute(AssertSqlSafe(own)).await?;
        for (sql, code) in [
            ("UPDATE audit_entry SET action = 'x'", "PX003"),
            ("DELETE FROM audit_entry", "PX003"),
            ("UPDATE chart_version SET version = 2", "PX003"),
            ("UPDATE document_version SET kind = 'ORIGINAL'", ""),
            ("DELETE FROM clinical_document", "PX003"),
        ] {
            let refused = admin.execute(sql).await;
            let found = refused.err().and_then(|error| Some(error.as_database_error()?.code()?.into_owned()));
            assert_eq!(found.unwrap_or_default(), code, "{sql}");
        }
    }
    Ok(())
}
