//! Who is remembered is compared with the clinic's mark before anything is told or changed.

use praxis_entity::ids::PatientId;
use sqlx::Connection;

use super::*;
use crate::support::people::mutation;

impl TestServer {
    async fn mark(&self) -> Result<uuid::Uuid> {
        let schema = &self.app.directory.by_slug("northside").unwrap().schema;
        let sql = AssertSqlSafe(format!("SELECT mark FROM {schema}.access_mark"));
        Ok(sqlx::query_scalar(sql).fetch_one(&mut self.installation.admin().await?).await?)
    }

    /// What is counted of a table of the clinic.
    async fn count(&self, of: &str) -> Result<i64> {
        let schema = &self.app.directory.by_slug("northside").unwrap().schema;
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {schema}.{of}"));
        Ok(sqlx::query_scalar(sql).fetch_one(&mut self.installation.admin().await?).await?)
    }
}

#[tokio::test]
async fn what_was_read_while_the_reader_lost_the_right_is_not_told() -> Result<()> {
    let server = clinic().await?;
    let doctor = server.person("northside", "physician").await;
    let id = server.person("northside", "owner").await.register("Ada", "Lovelace", "1980-01-01").await;
    let query = format!("{{ patient(by: {{ id: \"{id}\" }}) {{ name {{ family }} }} }}");
    let told = doctor.ask(&query, json!({})).await;
    assert_eq!(told["patient"]["name"]["family"], "Lovelace");

    // The entry waits, and with it the answer; meanwhile the session ends.
    let schema = server.app.directory.by_slug("northside").unwrap().schema.to_string();
    let mut admin = server.installation.admin().await?;
    let mut held = admin.begin().await?;
    held.execute(AssertSqlSafe(format!("LOCK TABLE {schema}.audit_entry IN SHARE MODE"))).await?;
    let (answer, _) = tokio::join!(doctor.send(&query, json!({}), &[]), async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        server.execute("UPDATE session SET ended_at = now()").await.unwrap();
        held.commit().await.unwrap();
    });
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("Lovelace"));
    Ok(())
}

#[tokio::test]
async fn what_was_read_under_rights_that_changed_is_read_once_more_under_the_new_ones() -> Result<()> {
    let server = clinic().await?;
    let doctor = server.person("northside", "physician").await;
    let id = server.person("northside", "owner").await.register("Ada", "Lovelace", "1980-01-01").await;
    let query = format!("{{ patient(by: {{ id: \"{id}\" }}) {{ id name {{ family }} }} }}");
    assert_eq!(doctor.ask(&query, json!({})).await["patient"]["name"]["family"], "Lovelace");
    let disclosed = "audit_entry WHERE action = 'disclose'";
    let before = server.count(disclosed).await?;
    server
        .execute(
            "INSERT INTO field_policy (id, type_name, field_name, permission, reason) \
             VALUES (gen_random_uuid(), 'Patient', 'name', 'settings:manage', 'a test')",
        )
        .await?;
    let told = doctor.ask(&query, json!({})).await;
    assert_eq!(told["patient"], json!({ "id": id, "name": null }));
    // What did not leave was not disclosed.
    assert_eq!(server.count(disclosed).await?, before);
    Ok(())
}

#[tokio::test]
async fn nothing_is_changed_by_somebody_who_may_not_any_more() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    desk.register("Ada", "Lovelace", "1980-01-01").await;
    server.execute("DELETE FROM membership").await?;
    let input = json!({ "name": { "family": "Byron", "given": ["Anne"] }, "birthDate": "1980-01-01" });
    let register = mutation("patientCreate", "patient { id } userErrors { code }", &input);
    let answer = desk.send(&register, json!({ "input": input }), &[("idempotency-key", "a")]).await;
    assert_eq!(answer.code(), "FORBIDDEN", "{}", answer.text);
    assert_eq!(server.count("patient").await?, 1);
    Ok(())
}

#[tokio::test]
async fn the_mark_is_another_one_after_each_change_of_what_people_may_do_and_only_then() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let id: PatientId = owner.register("Ada", "Lovelace", "1980-01-01").await.parse().unwrap();
    let mut mark = server.mark().await?;
    server.tokens().await;
    for same in
        ["UPDATE session SET last_seen_at = now()", "UPDATE user_account SET password_hash = 'another'"]
    {
        server.execute(same).await?;
        assert_eq!(server.mark().await?, mark, "{same}");
    }
    let declared = format!(
        "INSERT INTO break_glass (id, user_id, patient_id, category, classes, statement, status, declared_at, expires_at, review_due_at) \
         SELECT gen_random_uuid(), id, '{}', 'OTHER', '{{IDENTITY}}', '', 'ACTIVE', now(), now() + interval '1 hour', now() + interval '1 day' FROM user_account LIMIT 1",
        id.0
    );
    for change in [
        "UPDATE session SET second_factor_at = now()",
        "UPDATE session SET ended_at = now()",
        "UPDATE user_account SET active = false",
        "UPDATE user_account SET display_name = 'Somebody'",
        "UPDATE role SET second_factor_required = true",
        "DELETE FROM role_permission WHERE permission = 'patient:read'",
        "INSERT INTO role_permission (role_id, permission) SELECT id, 'patient:read' FROM role WHERE code = 'physician'",
        "DELETE FROM membership",
        "INSERT INTO field_policy (id, type_name, field_name, permission, reason) VALUES (gen_random_uuid(), 'Patient', 'mrn', 'patient:read', 'a test')",
        "UPDATE field_policy SET reason = 'another'",
        "DELETE FROM field_policy",
        "INSERT INTO session_policy (idle_minutes) VALUES (60)",
        "UPDATE session_policy SET idle_minutes = 5",
        &declared,
    ] {
        server.execute(change).await?;
        let now = server.mark().await?;
        assert_ne!(now, mark, "{change}");
        mark = now;
    }
    Ok(())
}

#[tokio::test]
async fn a_session_that_is_asked_for_often_costs_no_statement_to_know() -> Result<()> {
    let server = clinic().await?;
    let bearer = format!("Bearer {}", server.tokens().await.access);
    for _ in 0..3 {
        assert_eq!(patients(&server.app.router, &bearer).await.status, StatusCode::OK);
    }
    let schema = server.app.directory.by_slug("northside").unwrap().schema.to_string();
    // Whoever has to be found waits for the table; whoever is remembered does not.
    let mut admin = server.installation.admin().await?;
    let mut held = admin.begin().await?;
    held.execute(AssertSqlSafe(format!("LOCK TABLE {schema}.session, {schema}.membership"))).await?;
    let answer =
        tokio::time::timeout(std::time::Duration::from_secs(5), patients(&server.app.router, &bearer));
    assert_eq!(answer.await?.status, StatusCode::OK);
    Ok(())
}
