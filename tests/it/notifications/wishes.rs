//! Whom nobody writes to: at night, without consent, at a number that was closed.

use super::*;

#[tokio::test]
async fn whoever_said_nothing_gets_no_text_message_at_night() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS"]).await;
    let berlin = json!({ "patientId": visit.patient, "timeZone": "Europe/Berlin" });
    owner.run("notificationProfileSet", "profile { quietFrom } userErrors { code }", berlin).await;
    let zone = chrono_tz::Europe::Berlin;
    let tonight = server.clock.now().with_timezone(&zone).date_naive().and_hms_opt(23, 30, 0).unwrap();
    let tonight = tonight.and_local_timezone(zone).unwrap().to_utc();
    // Later than that it is night already.
    if tonight > server.clock.now() {
        server.clock.advance_to(tonight);
    }
    booked(&server, &visit).await?;
    assert_eq!(send_all(&server).await?, Sent { postponed: 1, ..Sent::default() });
    assert_eq!(standing(&server).await?, ["APPOINTMENT_BOOKED SMS SCHEDULED QUIET_HOURS"]);
    let mut told = None;
    for _ in 0..40 {
        server.clock.advance(TimeDelta::minutes(30));
        if send_all(&server).await?.sent == 1 {
            told = Some(server.clock.now().with_timezone(&zone).format("%H:%M").to_string());
            break;
        }
    }
    let told = told.unwrap();
    assert!(("08:00"..="08:30").contains(&told.as_str()), "{told}");
    assert_eq!(twilio.carried().len(), 1);
    Ok(())
}

#[tokio::test]
async fn nobody_is_written_to_without_consent_nor_at_a_number_it_was_not_given_for() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit(&owner, &server.clock).await;
    booked(&server, &visit).await?;
    assert_eq!(standing(&server).await?, Vec::<String>::new());

    agree(&owner, &visit.patient, "SMS").await;
    booked(&server, &visit).await?;
    // The number is somebody else's by now.
    let changed = json!({ "id": visit.patient, "ifVersion": 1, "phone": "+442079460999" });
    owner.run("patientUpdate", "userErrors { message }", changed).await;
    assert_eq!(send_all(&server).await?, Sent { suppressed: 1, ..Sent::default() });
    assert_eq!(standing(&server).await?, ["APPOINTMENT_BOOKED SMS SUPPRESSED ADDRESS_CHANGED"]);
    assert_eq!(twilio.carried().len(), 0);
    let consents = "query($id: ID!) { patient(by: { id: $id }) { channelConsents { channel givenAt } } }";
    let seen = owner.ask(consents, json!({ "id": visit.patient })).await;
    assert_eq!(seen["patient"]["channelConsents"][0]["channel"], "SMS");

    let input = json!({ "input": { "patientId": visit.patient, "channel": "PUSH", "allowed": true } });
    let query = "mutation($input: ChannelConsentSetInput!) { channelConsentSet(input: $input) { userErrors { code } } }";
    let refused = owner.send(query, input.clone(), &[]).await;
    assert_eq!(refused.body["data"]["channelConsentSet"]["userErrors"][0]["code"], "INVALID");
    Ok(())
}

#[tokio::test]
async fn stop_closes_a_number_and_start_or_a_new_consent_opens_it() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS"]).await;
    let inbound = format!("https://{HOST}/webhooks/twilio/inbound");
    let say = async |sid: &str, body: &str| {
        let parameters =
            [("MessageSid", sid), ("From", "+442079460123"), ("To", twilio::FROM), ("Body", body)];
        let answer = twilio::call(&server, &inbound, &parameters, twilio::TOKEN).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "<Response/>"));
    };
    let tell = async |occasion: &str| {
        let notice = Notice {
            topic: Topic::AppointmentReminder,
            subject: Subject::Appointment(visit.appointment),
            about_at: Some(visit.starts_at),
            occasion: occasion.to_owned(),
            due: server.as_system("northside").await?.now(),
            expires_at: None,
            to: vec![Recipient::Patient(visit.patient.parse()?)],
        };
        reacting(&server, async |op| notify(op, &notice).await.map(|_| ())).await?;
        send_all(&server).await
    };
    assert_eq!(tell("1").await?.sent, 1);
    say("SM01", "Please call me").await;
    assert_eq!(tell("2").await?.sent, 1);
    say("SM02", " Stop. ").await;
    assert_eq!(tell("3").await?.suppressed, 1);
    say("SM03", "START").await;
    // The same call once more changes nothing.
    say("SM02", " Stop. ").await;
    assert_eq!(tell("4").await?.sent, 1);
    // What we did not hear of, the provider tells when we send.
    twilio.plan(&[twilio::Treat::Refuse(400, 21610)]);
    assert_eq!(tell("5").await?.suppressed, 1);
    assert_eq!(tell("6").await?.suppressed, 1);
    agree(&owner, &visit.patient, "SMS").await;
    assert_eq!(tell("7").await?.sent, 1);
    assert_eq!(twilio.carried().len(), 4);
    Ok(())
}

#[tokio::test]
async fn staff_see_their_own_notices_and_decide_what_they_are_told() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let (nia, ben) = (server.person("northside", "nurse").await, server.person("northside", "nurse").await);
    let id = async |person: &Person<'_>| -> UserId {
        person.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].as_str().unwrap().parse().unwrap()
    };
    let (nia_id, ben_id) = (id(&nia).await, id(&ben).await);
    let mut task = 0_u128;
    let mut assign = async |to: &[UserId]| {
        task += 1;
        let id = TaskId(uuid::Uuid::from_u128(task));
        reacting(&server, async |op| react::task_assigned(op, id, to, "").await).await
    };
    assign(&[nia_id, ben_id]).await?;
    assign(&[nia_id]).await?;
    let list = "{ notifications(unread: true) { totalCount nodes { id topic text readAt subjectId } } }";
    let seen = nia.ask(list, json!({})).await["notifications"].clone();
    assert_eq!(seen["totalCount"], 2);
    assert_eq!(seen["nodes"][0]["text"], "There is a task for you.");
    assert!(seen["nodes"][0]["subjectId"].as_str().unwrap().starts_with("tsk_"));
    // Ben marks hers and his: his only.
    let hers = seen["nodes"][0]["id"].clone();
    let his = ben.ask(list, json!({})).await["notifications"]["nodes"][0]["id"].clone();
    let marked =
        ben.run("notificationMarkRead", "marked userErrors { code }", json!({ "ids": [hers, his] })).await;
    assert_eq!(marked["marked"], 1);
    assert_eq!(nia.ask(list, json!({})).await["notifications"]["totalCount"], 2);
    let marked = nia.run("notificationMarkRead", "marked userErrors { code }", json!({})).await;
    assert_eq!(marked["marked"], 2);

    let german = json!({ "locale": "de-AT", "timeZone": "Europe/Vienna" });
    nia.run("notificationProfileSet", "profile { locale timeZone quietFrom } userErrors { code }", german)
        .await;
    assign(&[nia_id]).await?;
    let seen = nia.ask(list, json!({})).await["notifications"].clone();
    assert_eq!(seen["nodes"][0]["text"], "Es gibt eine Aufgabe für Sie.");

    let off = json!({ "topic": "TASK_ASSIGNED", "channel": "IN_APP", "enabled": false });
    nia.run("notificationPreferenceSet", "preference { enabled } userErrors { code }", off).await;
    let on = json!({ "topic": "TASK_ASSIGNED", "channel": "EMAIL", "enabled": true });
    nia.run("notificationPreferenceSet", "preference { enabled } userErrors { code }", on).await;
    assign(&[nia_id]).await?;
    assert_eq!(nia.ask(list, json!({})).await["notifications"]["totalCount"], 1);
    assert_eq!(send_all(&server).await?, Sent { sent: 1, ..Sent::default() });
    assert!(
        post.taken()[0].header("Subject").contains("=?utf-8?") || post.taken()[0].text.contains("Aufgabe")
    );
    let wishes = nia.ask("{ viewer { notificationPreferences { topic channel enabled } } }", json!({})).await;
    let wishes = wishes["viewer"]["notificationPreferences"].as_array().unwrap();
    let of = |channel: &str| {
        wishes.iter().find(|wish| wish["topic"] == "TASK_ASSIGNED" && wish["channel"] == channel).unwrap()["enabled"].clone()
    };
    assert_eq!((of("IN_APP"), of("EMAIL"), of("PUSH")), (json!(false), json!(true), json!(true)));
    let sms = json!({ "topic": "TASK_ASSIGNED", "channel": "SMS", "enabled": true });
    let refused = nia.run("notificationPreferenceSet", "userErrors { code path }", sms).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID");
    Ok(())
}
