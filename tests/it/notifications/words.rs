//! What notices say: the clinic's own words, judged when they are saved.

use super::*;

async fn save(
    owner: &Person<'_>,
    channel: &str,
    locale: &str,
    body: &str,
    version: i32,
) -> serde_json::Value {
    let input = json!({ "topic": "APPOINTMENT_BOOKED", "channel": channel, "locale": locale, "body": body, "ifVersion": version });
    owner
        .run("notificationTemplateSave", "template { version } userErrors { code path message }", input)
        .await
}

#[tokio::test]
async fn the_clinics_own_words_are_used_and_those_with_phi_are_never_saved() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS"]).await;
    for body in ["{{ patientName }}: {{ date }}", "{% set r = reason %}{{ r }}", "See {{ practitioner }}"] {
        for channel in ["SMS", "IN_APP"] {
            let refused = save(&owner, channel, "en", body, 0).await;
            assert_eq!(refused["userErrors"][0]["code"], "INVALID", "{body}");
            assert_eq!(refused["userErrors"][0]["path"], json!(["input", "body"]));
            assert_eq!(refused["template"], json!(null));
        }
    }
    assert_eq!(save(&owner, "SMS", "en", "First: {{ date }}", 0).await["template"]["version"], 1);
    // Somebody else was first.
    assert_eq!(
        save(&owner, "SMS", "en", "Late: {{ date }}", 0).await["userErrors"][0]["code"],
        "VERSION_CONFLICT"
    );
    assert_eq!(
        save(&owner, "SMS", "en", "{{ clinic }} am {{ time }}: <b>&", 1).await["template"]["version"],
        2
    );
    assert_eq!(save(&owner, "SMS", "fr", "Le {{ date }}", 0).await["template"]["version"], 1);
    let kept = owner.ask("{ notificationTemplates { locale version body } }", json!({})).await;
    let kept: Vec<_> = kept["notificationTemplates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["locale"].clone(), row["version"].clone()))
        .collect();
    assert_eq!(kept, [(json!("en"), json!(2)), (json!("fr"), json!(1))]);

    booked(&server, &visit).await?;
    send_all(&server).await?;
    let said = &twilio.carried()[0].body;
    assert!(said.starts_with("NORTHSIDE am ") && said.ends_with(": <b>&"), "{said}");

    // In the patient's language, as far as there are words.
    let mut french = awake(&visit.patient, &server.clock);
    french["locale"] = json!("fr-CH");
    owner.run("notificationProfileSet", "profile { locale } userErrors { code }", french).await;
    let mut sql = server.installation.tenant_connection("northside").await?;
    sql.execute("UPDATE notification SET dedupe_key = 'old'").await?;
    booked(&server, &visit).await?;
    send_all(&server).await?;
    assert_eq!(twilio.carried()[1].body, format!("Le {}", visit.starts_at.format("%Y-%m-%d")));

    // What was saved stays as it was: in the database, too.
    for attempt in ["UPDATE notification_template SET body = 'x'", "DELETE FROM notification_template"] {
        let error = sql.execute(attempt).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{attempt}");
    }
    let nurse = server.person("northside", "nurse").await;
    assert_eq!(nurse.send("{ notificationTemplates { id } }", json!({}), &[]).await.code(), "FORBIDDEN");
    Ok(())
}
