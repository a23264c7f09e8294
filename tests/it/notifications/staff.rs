//! What staff are told when something is for them, and who is not told.

use anyhow::Result;
use chrono::TimeDelta;
use praxis_entity::encounter::EncounterStatus;
use praxis_platform::clock::Clock;
use serde_json::{Value, json};

use super::{clinic, send_all};
use crate::{
    encounters::gate::clinician,
    support::{people::Person, server::TestServer, smtp::MailServer, twilio::Twilio},
    tasks::{visit, work_off},
};

const SLUG: &str = "northside";

/// What somebody finds in the app, the newest first: topic and subject.
async fn told(person: &Person<'_>) -> Vec<(String, String)> {
    let list = "{ notifications(unread: true) { nodes { topic subjectId text } } }";
    let seen = person.ask(list, json!({})).await["notifications"]["nodes"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    seen.as_array().unwrap().iter().map(|one| (text(&one["topic"]), text(&one["subjectId"]))).collect()
}

fn of(topic: &str, id: &Value) -> (String, String) {
    (topic.to_owned(), id.as_str().unwrap().to_owned())
}

async fn me(person: &Person<'_>) -> String {
    person.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].as_str().unwrap().to_owned()
}

/// Nothing that leaves the house names a patient or says what it is about.
fn says_nothing(post: &MailServer) {
    for mail in post.taken() {
        for secret in ["Quill", "blood", "Oxygen", "oxygen", "Cough"] {
            assert!(!mail.text.contains(secret), "{secret}: {}", mail.text);
        }
    }
}

/// A patient whose record is closed to one person.
async fn closed_to(owner: &Person<'_>, patient: &str, user: &str) {
    let no = json!({ "patientId": patient, "decision": "DENY", "class": "ALL", "whom": { "userId": user } });
    let done = owner.run("consentRecord", "consent { id } userErrors { code message }", no).await;
    assert_eq!(done["userErrors"], json!([]));
}

async fn standing(server: &TestServer, topic: &str) -> Result<Vec<String>> {
    let mut sql = server.installation.tenant_connection(SLUG).await?;
    let rows = "SELECT DISTINCT concat_ws(' ', channel, status, reason) FROM notification WHERE topic = $1 ORDER BY 1";
    Ok(sqlx::query_scalar(rows).bind(topic).fetch_all(&mut sql).await?)
}

#[tokio::test]
async fn whoever_is_asked_for_a_task_is_told_and_when_it_is_late_those_who_asked_and_lead() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    for (who, role) in [("root", "owner"), ("ines", "physician"), ("nia", "nurse"), ("ben", "nurse")] {
        server.user(SLUG, &format!("{who}@praxis.test"), role).await?;
    }
    // Signed in anew each time: the clock goes on, and sessions end.
    let named = async |who: &str| server.enter(SLUG, &format!("{who}@praxis.test")).await;
    let (owner, asking, nia, ben) =
        (named("root").await, named("ines").await, named("nia").await, named("ben").await);
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let due = server.clock.now() + TimeDelta::hours(1);
    let input = json!({ "code": "ORDER", "patientId": patient, "ownerId": me(&nia).await,
        "description": "Full blood count", "dueAt": due });
    let made = asking.run("taskCreate", "task { id version } userErrors { code message }", input).await;
    let task = made["task"].clone();
    work_off(&server).await?;
    assert_eq!(told(&nia).await, [of("TASK_ASSIGNED", &task["id"])]);
    assert_eq!((told(&asking).await, told(&ben).await), (vec![], vec![]));
    let to = json!({ "id": task["id"], "ifVersion": task["version"], "to": { "userId": me(&ben).await } });
    asking.run("taskAssign", "userErrors { code message }", to).await;
    work_off(&server).await?;
    assert_eq!(told(&ben).await, [of("TASK_ASSIGNED", &task["id"])]);

    // Late: first whoever has it, then whoever asked, in the end those who lead.
    let late = of("TASK_ESCALATED", &task["id"]);
    let knows = async |who: &str| told(&named(who).await).await.contains(&late);
    for (after, known) in [
        (TimeDelta::minutes(61), [true, false, false]),
        (TimeDelta::minutes(30), [true, true, false]),
        (TimeDelta::hours(4), [true, true, true]),
    ] {
        server.clock.advance(after);
        work_off(&server).await?;
        assert_eq!([knows("ben").await, knows("ines").await, knows("root").await], known);
    }
    assert!(!knows("nia").await);
    send_all(&server).await?;
    assert!(!post.taken().is_empty());
    says_nothing(&post);
    assert_eq!(twilio.carried().len(), 0);
    Ok(())
}

#[tokio::test]
async fn nobody_is_told_of_what_they_could_not_open() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person(SLUG, "owner").await;
    let nia = server.person(SLUG, "nurse").await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    closed_to(&owner, &patient, &me(&nia).await).await;
    let encounter = visit(&server, &patient, EncounterStatus::InProgress).await.to_string();
    let input = json!({ "code": "CALL_BACK", "patientId": patient, "ownerId": me(&nia).await });
    owner.run("taskCreate", "task { id } userErrors { code }", input).await;
    // A note of a nurse waits for a second signature; one of the physicians is kept out by the patient.
    let (ines, kept_out, writer) = (
        server.person(SLUG, "physician").await,
        server.person(SLUG, "physician").await,
        server.person(SLUG, "nurse").await,
    );
    closed_to(&owner, &patient, &me(&kept_out).await).await;
    let templates = writer.ask("{ documentTemplates { id key } }", json!({})).await;
    let soap = templates["documentTemplates"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["key"] == "soap")
        .unwrap()["id"]
        .clone();
    let sections: Vec<_> = ["61150-9", "61149-1", "51848-0", "18776-5"]
        .map(|code| json!({ "code": code, "text": "Cough" }))
        .into();
    let input =
        json!({ "patientId": patient, "encounterId": encounter, "templateId": soap, "sections": sections });
    let drafted =
        writer.run("documentDraft", "document { id version } userErrors { code }", input).await["document"]
            .clone();
    let signed = json!({ "id": drafted["id"], "ifVersion": drafted["version"] });
    let waits = writer
        .run("documentSign", "document { id version status } userErrors { code }", signed)
        .await["document"]
        .clone();
    assert_eq!(waits["status"], "IN_REVIEW");
    work_off(&server).await?;
    assert!(told(&nia).await.is_empty());
    let to_cosign = of("DOCUMENT_TO_COSIGN", &drafted["id"]);
    assert_eq!(told(&ines).await, [to_cosign]);
    for other in [&kept_out, &writer] {
        assert!(!told(other).await.iter().any(|(topic, _)| topic == "DOCUMENT_TO_COSIGN"));
    }
    // Once it has its second signature, nobody is asked any more.
    ines.run(
        "documentCosign",
        "userErrors { code }",
        json!({ "id": waits["id"], "ifVersion": waits["version"] }),
    )
    .await;
    work_off(&server).await?;
    send_all(&server).await?;
    assert!(standing(&server, "DOCUMENT_TO_COSIGN").await?.iter().all(|row| row.starts_with("IN_APP")));
    says_nothing(&post);
    Ok(())
}

#[tokio::test]
async fn an_alert_reaches_those_at_the_visit_until_somebody_replies() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person(SLUG, "owner").await;
    let ((attending, _), (other, _)) =
        (clinician(&server, &owner, "physician").await, clinician(&server, &owner, "physician").await);
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let mut version = 1;
    let made = attending
        .run("encounterCreate", "encounter { id } userErrors { code }", json!({ "patientId": patient }))
        .await;
    let encounter = made["encounter"]["id"].clone();
    for step in ["encounterCheckIn", "encounterStart"] {
        attending.run(step, "userErrors { code }", json!({ "id": encounter, "ifVersion": version })).await;
        version += 1;
    }
    crate::rules::low_oxygen_in_use(&server, "CRITICAL").await;
    let oxygen = json!({ "id": encounter, "oxygenSaturation": { "value": "80", "unit": "%" } });
    attending.run("vitalsRecord", "userErrors { code message }", oxygen).await;
    work_off(&server).await?;
    let alerts = "query($id: ID!) { alerts(filter: { encounter: { eq: $id } }) { nodes { id version severity title } } }";
    let found = attending.ask(alerts, json!({ "id": encounter })).await["alerts"]["nodes"].clone();
    let alert =
        found.as_array().unwrap().iter().find(|one| one["title"] == "Oxygen saturation is low").unwrap();
    assert!(told(&attending).await.contains(&of("ALERT_RAISED", &alert["id"])));
    assert!(told(&other).await.is_empty());
    // Somebody replies before the mail is out.
    for one in found.as_array().unwrap() {
        attending
            .run(
                "alertAcknowledge",
                "userErrors { code }",
                json!({ "id": one["id"], "ifVersion": one["version"] }),
            )
            .await;
    }
    work_off(&server).await?;
    send_all(&server).await?;
    assert_eq!(post.taken().len(), 0, "what was answered is not mailed");
    let rows = standing(&server, "ALERT_RAISED").await?;
    assert!(rows.contains(&"EMAIL CANCELLED ANSWERED".to_owned()), "{rows:?}");
    Ok(())
}
