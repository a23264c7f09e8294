//! What many readers of a clinic leave at the same time is written together, and each answer waits for its own.

use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, postgres::PgConnection};

use super::Clinic;

const READERS: usize = 12;

impl Clinic {
    /// Runs readings while nothing can be written into the log, does something, and lets them go on.
    async fn while_all_wait<T>(
        &self,
        readings: impl Iterator<Item = impl Future<Output = T>>,
        meanwhile: impl AsyncFnOnce(&mut PgConnection),
    ) -> Result<Vec<T>> {
        let mut admin = self.server.installation.admin().await?;
        let mut held = admin.begin().await?;
        let lock = format!("LOCK TABLE {}.audit_entry IN SHARE MODE", self.schema);
        held.execute(AssertSqlSafe(lock)).await?;
        let mut other = self.server.installation.admin().await?;
        let path = format!("SET search_path = {}", self.schema);
        other.execute(AssertSqlSafe(path)).await?;
        let (answers, ()) = tokio::join!(join_all(readings), async {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            meanwhile(&mut other).await;
            held.commit().await.unwrap();
        });
        Ok(answers)
    }
}

#[tokio::test]
async fn who_comes_while_an_entry_is_written_is_written_down_with_all_others_who_did() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    let answers = {
        let desk = clinic.server.person("northside", "receptionist").await;
        let id = desk.register("Ada", "Quill", "1990-01-02").await;
        let query = format!("query Together {{ patient(by: {{ id: \"{id}\" }}) {{ name {{ family }} }} }}");
        desk.ask(&query.replace("Together", "Before"), json!({})).await;
        let readings = (0..READERS).map(|_| desk.send(&query, json!({}), &[]));
        clinic.while_all_wait(readings, async |_| ()).await?
    };
    for answer in answers {
        assert_eq!(answer.body["data"]["patient"]["name"]["family"], "Quill", "{}", answer.text);
    }
    let of = "FROM audit_entry WHERE operation_name = 'Together' AND action = 'disclose'";
    let entries = clinic.number(&format!("SELECT count(DISTINCT id) {of}")).await?;
    assert_eq!(entries, 12, "each reading has an entry of its own");
    let statements = clinic.number(&format!("SELECT count(DISTINCT xmin::text) {of}")).await?;
    assert!((1..=3).contains(&statements), "{READERS} readers' entries took {statements} statements");
    clinic.seal().await?;
    assert_eq!(clinic.faults(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn while_readers_wait_for_connections_entries_are_gathered() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    {
        let desk = clinic.server.person("northside", "receptionist").await;
        let id = desk.register("Ada", "Quill", "1990-01-02").await;
        let query = format!("query Crowd {{ patient(by: {{ id: \"{id}\" }}) {{ name {{ family }} }} }}");
        desk.ask(&query.replace("Crowd", "Before"), json!({})).await;
        let answers = join_all((0..200).map(|_| desk.ask(&query, json!({})))).await;
        assert!(answers.iter().all(|answer| answer["patient"]["name"]["family"] == "Quill"));
    }
    let of = "FROM audit_entry WHERE operation_name = 'Crowd'";
    assert_eq!(clinic.number(&format!("SELECT count(*) {of}")).await?, 200);
    let statements = clinic.number(&format!("SELECT count(DISTINCT xmin::text) {of}")).await?;
    assert!(statements <= 50, "200 readers' entries took {statements} statements");
    Ok(())
}

#[tokio::test]
async fn among_those_who_wait_together_only_who_may_still_read_is_answered() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (ann, ben) = (
        clinic.server.person("northside", "physician").await,
        clinic.server.person("northside", "nurse").await,
    );
    let id =
        clinic.server.person("northside", "receptionist").await.register("Ada", "Quill", "1990-01-02").await;
    let query = format!("{{ patient(by: {{ id: \"{id}\" }}) {{ name {{ family }} }} }}");
    ann.ask(&query, json!({})).await;
    ben.ask(&query, json!({})).await;
    let readings = (0..READERS).map(|reader| {
        let person = if reader % 2 == 0 { &ann } else { &ben };
        person.send(&query, json!({}), &[])
    });
    let ends = "UPDATE session s SET ended_at = now() FROM membership m JOIN role r ON r.id = m.role_id \
        WHERE m.user_id = s.user_id AND r.code = 'physician'";
    let answers = clinic
        .while_all_wait(readings, async |admin| {
            assert!(admin.execute(ends).await.unwrap().rows_affected() > 0);
        })
        .await?;
    for (reader, answer) in answers.into_iter().enumerate() {
        if reader % 2 == 0 {
            assert_eq!(answer.code(), "UNAUTHENTICATED", "{}", answer.text);
            assert!(!answer.text.contains("Quill"));
        } else {
            assert_eq!(answer.body["data"]["patient"]["name"]["family"], "Quill", "{}", answer.text);
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_entry_that_cannot_be_written_keeps_no_other_from_being_written() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.tamper("ALTER TABLE audit_entry ADD CHECK (operation_name <> 'Bad') NOT VALID").await?;
    let answers = {
        let desk = clinic.server.person("northside", "receptionist").await;
        let id = desk.register("Ada", "Quill", "1990-01-02").await;
        let query = |name: &str| {
            format!("query {name} {{ patient(by: {{ id: \"{id}\" }}) {{ name {{ family }} }} }}")
        };
        let (good, bad) = (query("Good"), query("Bad"));
        desk.ask(&good, json!({})).await;
        let readings =
            (0..READERS).map(|reader| desk.send(if reader == 7 { &bad } else { &good }, json!({}), &[]));
        clinic.while_all_wait(readings, async |_| ()).await?
    };
    for (reader, answer) in answers.into_iter().enumerate() {
        if reader == 7 {
            assert_eq!(answer.code(), "INTERNAL", "{}", answer.text);
            assert!(!answer.text.contains("Quill"));
        } else {
            assert_eq!(answer.body["data"]["patient"]["name"]["family"], "Quill", "{}", answer.text);
        }
    }
    assert_eq!(clinic.number("SELECT count(*) FROM audit_entry WHERE operation_name = 'Good'").await?, 12);
    Ok(())
}

#[tokio::test]
async fn readers_who_give_up_keep_nobody_waiting() -> Result<()> {
    let clinic = Clinic::new().await?;
    let desk = clinic.server.person("northside", "receptionist").await;
    let id = desk.register("Ada", "Quill", "1990-01-02").await;
    let query = format!("{{ patient(by: {{ id: \"{id}\" }}) {{ name {{ family }} }} }}");
    desk.ask(&query, json!({})).await;
    // The first holds the turn, and it and others are gone before the log can be written.
    let patience = |reader: usize| Duration::from_millis(if reader < 6 { 1_000 } else { 60_000 });
    let readings = (0..READERS).map(|reader| {
        let reading = desk.send(&query, json!({}), &[]);
        async move { tokio::time::timeout(patience(reader), reading).await }
    });
    let answers = clinic.while_all_wait(readings, async |_| ()).await?;
    for answer in answers.into_iter().skip(6) {
        assert_eq!(answer?.body["data"]["patient"]["name"]["family"], "Quill");
    }
    assert_eq!(desk.ask(&query, json!({})).await["patient"]["name"]["family"], "Quill");
    Ok(())
}
