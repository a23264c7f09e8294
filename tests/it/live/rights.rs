//! Rights are judged at the moment an event is shown, and a connection ends with what it rests on.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_shown_only_to_who_may_know_of_what_it_happened_to() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let desk = clinic.server.person("northside", "receptionist").await;
    let secret = owner.register("Ada", "Quill", "1990-01-02").await;
    let mut watched = clinic.socket(&desk).await;
    let query = "subscription($p: ID!) { patientEvents(patientId: $p) { kind patient { name { family } } } }";
    watched.subscribe("1", query, json!({ "p": secret })).await;
    watched.subscribe("all", "subscription { events { subjectId } }", json!({})).await;
    opened().await;
    // Something happens to the patient whom the desk may not know of any more; then to one whom it may.
    let mut runtime = clinic.server.installation.tenant_connection("northside").await?;
    let label = "INSERT INTO sensitivity_label (object_id, object_type, patient_id, level) SELECT id, 'PATIENT', id, 'V' FROM patient";
    sqlx::query(label).execute(&mut runtime).await?;
    let again = "INSERT INTO event (id, kind, at, patient_id, subject_id, body)
        SELECT gen_random_uuid(), kind, now(), patient_id, subject_id, body FROM event WHERE kind = 'PATIENT_REGISTERED' LIMIT 1";
    sqlx::query(again).execute(&mut runtime).await?;
    let open = owner.register("Bea", "Rill", "1991-01-02").await;
    let seen = watched.hear().await.unwrap();
    assert_eq!(
        (seen["id"].as_str(), &seen["payload"]["data"]["events"]["subjectId"]),
        (Some("all"), &json!(open))
    );
    assert!(watched.is_silent().await);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_of_an_event_is_written_down_like_any_reading() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let mut socket = clinic.socket(&owner).await;
    socket.subscribe("1", EVENTS, json!({})).await;
    opened().await;
    let disclosures = async || -> Result<i64> {
        let mut runtime = clinic.server.installation.tenant_connection("northside").await?;
        let counted = "SELECT count(*) FROM audit_entry WHERE action = 'disclose' AND patients <> '{}' AND operation_name = 'events'";
        Ok(sqlx::query_scalar(counted).fetch_one(&mut runtime).await?)
    };
    let before = disclosures().await?;
    owner.register("Ada", "Quill", "1990-01-02").await;
    socket.event().await;
    assert_eq!(disclosures().await?, before + 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_session_the_connection_ends_within_two_seconds() -> Result<()> {
    let clinic = Clinic::new().await?;
    let desk = clinic.server.person("northside", "receptionist").await;
    let mut socket = clinic.socket(&desk).await;
    socket.subscribe("1", EVENTS, json!({})).await;
    opened().await;
    let begun = Instant::now();
    let answer =
        clinic.server.post(&desk.host, "/auth/logout", &[("authorization", &desk.bearer)], json!({})).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    assert_eq!(socket.hear().await, Err(4401));
    assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_other_rights_the_connection_ends_too() -> Result<()> {
    let clinic = Clinic::new().await?;
    clinic.server.user("northside", "desk@praxis.test", "receptionist").await?;
    let desk = clinic.server.enter("northside", "desk@praxis.test").await;
    let mut socket = clinic.socket(&desk).await;
    opened().await;
    let op = clinic.server.as_system("northside").await?;
    use praxis_entity::user_account;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let user = user_account::Entity::find().filter(user_account::Column::Email.eq("desk@praxis.test"));
    let user = user.one(op.db()).await?.unwrap();
    praxis_domain::identity::grant_role(&op, user.id, "nurse", None).await?;
    op.commit().await?;
    assert_eq!(socket.hear().await, Err(4403));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_takes_all_the_seats() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let mut sockets = Vec::new();
    for _ in 0..16 {
        sockets.push(clinic.socket(&owner).await);
    }
    let mut more = clinic.open(&[]).await?;
    more.say(json!({ "type": "connection_init", "payload": { "authorization": owner.bearer } })).await;
    assert_eq!(more.hear().await, Err(4403));
    // Somebody else is not concerned, and a seat that is left is free.
    clinic.socket(&clinic.server.person("northside", "receptionist").await).await;
    drop(sockets);
    tokio::time::sleep(Duration::from_millis(300)).await;
    clinic.socket(&owner).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_clinics_ids_are_like_ids_of_nobody() -> Result<()> {
    let clinics = [("northside", "owner@praxis.test", "owner"), ("harbor", "harbor@praxis.test", "owner")];
    let clinic = Clinic::over(TestServer::new(&clinics).await?).await?;
    let (owner, foreign) =
        (clinic.server.person("northside", "owner").await, clinic.server.person("harbor", "owner").await);
    let patient = foreign.register("Ada", "Quill", "1990-01-02").await;
    let mut harbor = clinic.server.installation.tenant_connection("harbor").await?;
    let event: uuid::Uuid = sqlx::query_scalar("SELECT id FROM event LIMIT 1").fetch_one(&mut harbor).await?;
    let event = praxis_entity::ids::EventId(event).to_string();
    let nobody = "01jd3k5n8re6ktp1rb6z9q4x2m";
    let mut socket = clinic.socket(&owner).await;
    let told = async |socket: &mut Socket, query: String| {
        socket.subscribe("1", &query, json!({})).await;
        let mut told = socket.hear().await.unwrap();
        told["payload"][0]["extensions"]["requestId"] = Value::Null;
        told
    };
    let behind =
        |field: &str, id: &str| format!("subscription {{ {field}afterEventId: \"{id}\") {{ id }} }}");
    let unknown = format!("evt_{nobody}");
    for field in [
        "events(".to_owned(),
        format!("patientEvents(patientId: \"{patient}\", "),
        format!("encounterEvents(encounterId: \"enc_{nobody}\", "),
        "appointmentEvents(".to_owned(),
    ] {
        let answers = (
            told(&mut socket, behind(&field, &event)).await,
            told(&mut socket, behind(&field, &unknown)).await,
        );
        assert_eq!(answers.0, answers.1, "{field}");
        assert_eq!(answers.0["payload"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
    // To follow what is not there is to see nothing, whatever happens there.
    for (number, field) in [
        format!("patientEvents(patientId: \"{patient}\")"),
        format!("encounterEvents(encounterId: \"enc_{nobody}\")"),
        format!("events(filter: {{ patientId: \"{patient}\" }})"),
        format!("events(filter: {{ encounterId: \"enc_{nobody}\" }})"),
        format!("appointmentEvents(practitionerId: \"pra_{nobody}\")"),
        format!("appointmentEvents(facilityId: \"fac_{nobody}\")"),
    ]
    .into_iter()
    .enumerate()
    {
        socket
            .subscribe(&number.to_string(), &format!("subscription {{ {field} {{ id }} }}"), json!({}))
            .await;
    }
    opened().await;
    foreign.register("Bea", "Rill", "1991-01-02").await;
    owner.register("Cy", "Sand", "1992-01-02").await;
    assert!(socket.is_silent().await);
    Ok(())
}
