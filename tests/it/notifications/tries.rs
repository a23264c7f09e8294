//! How a notice fares: sent, reported, tried again, given up.

use super::*;

#[tokio::test]
async fn a_report_counts_when_it_is_signed_and_then_once() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS"]).await;
    booked(&server, &visit).await?;
    send_all(&server).await?;
    let message = &twilio.carried()[0];
    let report = |status: &'static str| {
        [
            ("MessageSid", message.sid.as_str()),
            ("MessageStatus", status),
            ("To", message.to.as_str()),
            ("From", twilio::FROM),
        ]
    };
    let status = |server| async move { standing(server).await };

    // Signed by somebody else, over something else, or not at all.
    let forged = twilio::call(&server, &message.report_to, &report("delivered"), "another secret").await;
    assert_eq!(forged.status, 403);
    let elsewhere = message.report_to.replace("ntf_", "ntf_0");
    assert_ne!(twilio::call(&server, &elsewhere, &report("delivered"), twilio::TOKEN).await.status, 204);
    let path = url::Url::parse(&message.report_to)?.path().to_owned();
    assert_eq!(server.post(HOST, &path, &[], json!({})).await.status, 403);
    assert_eq!(status(&server).await?, ["APPOINTMENT_BOOKED SMS SENT"]);

    for told in ["sent", "delivered", "delivered", "sent", "queued"] {
        assert_eq!(
            twilio::call(&server, &message.report_to, &report(told), twilio::TOKEN).await.status,
            204,
            "{told}"
        );
    }
    assert_eq!(status(&server).await?, ["APPOINTMENT_BOOKED SMS DELIVERED"]);
    let mut sql = server.installation.tenant_connection("northside").await?;
    assert_eq!(count(&mut sql, "SELECT count(*) FROM delivery_report").await?, 3);
    Ok(())
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_can_not_is_given_up() -> Result<()> {
    use twilio::Treat::{Refuse, TakeAndHangUp};
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS"]).await;
    booked(&server, &visit).await?;
    twilio.plan(&[Refuse(429, 20429), Refuse(401, 20003), Refuse(503, 0), TakeAndHangUp]);
    for pause in [15, 30, 60, 120] {
        assert_eq!(send_all(&server).await?, Sent { postponed: 1, ..Sent::default() });
        server.clock.advance(TimeDelta::seconds(pause));
    }
    // The connection broke after the message was taken: the report tells so before it is sent again.
    let message = &twilio.carried()[0];
    let report = [("MessageSid", message.sid.as_str()), ("MessageStatus", "sent")];
    assert_eq!(twilio::call(&server, &message.report_to, &report, twilio::TOKEN).await.status, 204);
    assert_eq!(send_all(&server).await?, Sent::default());
    assert_eq!(standing(&server).await?, ["APPOINTMENT_BOOKED SMS SENT"]);
    assert_eq!(twilio.carried().len(), 1);

    twilio.plan(&[Refuse(400, 21211)]);
    reacting(&server, async |op| remind(op, &visit, visit.starts_at).await).await?;
    assert_eq!(send_all(&server).await?, Sent { dead: 1, ..Sent::default() });
    assert_eq!(standing(&server).await?[1], "APPOINTMENT_REMINDER SMS DEAD twilio 21211");
    let deliveries = "{ notificationDeliveries(filter: { status: DEAD }) { totalCount nodes { id channel toPatient reason attempts allowedActions } } }";
    let seen = owner.ask(deliveries, json!({})).await["notificationDeliveries"].clone();
    let id = seen["nodes"][0]["id"].clone();
    let row = json!({ "id": id, "channel": "SMS", "toPatient": true, "reason": "twilio 21211", "attempts": 1, "allowedActions": ["notificationRetry"] });
    assert_eq!(seen, json!({ "totalCount": 1, "nodes": [row] }));
    // Whoever looks after them may have it tried anew: once, whatever is sent twice.
    let retry = "mutation($id: ID!) { notificationRetry(input: { id: $id }) { delivery { status } userErrors { code } } }";
    for replayed in [json!(null), json!(["notificationRetry"])] {
        let answer = owner.send(retry, json!({ "id": id }), &[("idempotency-key", "anew")]).await;
        assert_eq!(
            answer.body["data"]["notificationRetry"],
            json!({ "delivery": { "status": "SCHEDULED" }, "userErrors": [] })
        );
        assert_eq!(answer.body["extensions"]["idempotentReplay"], replayed);
    }
    let refused = owner.ask(retry, json!({ "id": id })).await;
    assert_eq!(refused["notificationRetry"]["userErrors"][0]["code"], "INVALID_TRANSITION");
    assert_eq!(send_all(&server).await?, Sent { sent: 1, ..Sent::default() });
    let desk = server.person("northside", "receptionist").await;
    assert_eq!(desk.send(deliveries, json!({}), &[]).await.code(), "FORBIDDEN");
    Ok(())
}

#[tokio::test]
async fn that_an_earlier_try_failed_says_nothing_of_a_later_one() -> Result<()> {
    use twilio::Treat::{Refuse, TakeAndHangUp};
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS"]).await;
    booked(&server, &visit).await?;
    // Taken without our knowing, and sent once more.
    twilio.plan(&[TakeAndHangUp]);
    assert_eq!(send_all(&server).await?.postponed, 1);
    server.clock.advance(TimeDelta::seconds(15));
    assert_eq!(send_all(&server).await?.sent, 1);
    let [first, second] = twilio.carried().try_into().unwrap();
    let report = async |of: &twilio::Carried, status: &str| {
        let report = [("MessageSid", of.sid.as_str()), ("MessageStatus", status)];
        let answer = twilio::call(&server, &of.report_to, &report, twilio::TOKEN).await;
        assert_eq!(answer.status, 204);
        standing(&server).await.unwrap().remove(0)
    };
    assert_eq!(report(&first, "undelivered").await, "APPOINTMENT_BOOKED SMS SENT");
    assert_eq!(report(&second, "undelivered").await, "APPOINTMENT_BOOKED SMS DEAD twilio");
    // It is where it was to be after all.
    assert_eq!(report(&first, "delivered").await, "APPOINTMENT_BOOKED SMS DELIVERED");

    // One that is tried anew has as many tries as a new one, and each of them is written down.
    twilio.plan(&[Refuse(400, 21211)]);
    reacting(&server, async |op| remind(op, &visit, visit.starts_at).await).await?;
    assert_eq!(send_all(&server).await?.dead, 1);
    let dead = "{ notificationDeliveries(filter: { status: DEAD }) { nodes { id } } }";
    let id = owner.ask(dead, json!({})).await["notificationDeliveries"]["nodes"][0]["id"].clone();
    owner.run("notificationRetry", "userErrors { code }", json!({ "id": id })).await;
    twilio.plan(&[Refuse(503, 0); 19]);
    for left in (0..20).rev() {
        let sum = send_all(&server).await?;
        assert_eq!((sum.postponed, sum.sent), (u32::from(left > 0), u32::from(left == 0)), "{left}");
        server.clock.advance(TimeDelta::hours(1));
    }
    let mut sql = server.installation.tenant_connection("northside").await?;
    let tries = "SELECT count(*) FROM delivery_attempt a JOIN notification n ON n.id = a.notification_id
        WHERE n.topic = 'APPOINTMENT_REMINDER' AND n.attempts = 21";
    assert_eq!(count(&mut sql, tries).await?, 21);
    Ok(())
}

#[tokio::test]
async fn the_database_knows_how_a_notice_may_fare() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    server.user("northside", "nia@praxis.test", "nurse").await?;
    let mut sql = server.installation.tenant_connection("northside").await?;
    let nia: uuid::Uuid = sqlx::query_scalar("SELECT id FROM user_account").fetch_one(&mut sql).await?;
    let to = [UserId(nia)];
    reacting(&server, async |op| react::task_escalated(op, TaskId(uuid::Uuid::nil()), &to, "").await).await?;
    sql.execute("UPDATE notification SET sent_at = now(), delivered_at = now()").await?;
    let mut admin = server.installation.admin().await?;
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut sql).await?;
    // One row is enough, and only the steps are of interest.
    admin
        .execute(AssertSqlSafe(format!("DELETE FROM {schema}.notification WHERE channel = 'IN_APP'")))
        .await?;
    let statuses = ["SCHEDULED", "SENDING", "SENT", "DELIVERED", "FAILED", "DEAD", "CANCELLED", "SUPPRESSED"];
    let refused = refused_steps(&server, &mut sql, "notification", &statuses).await?;
    let legal = [
        "SCHEDULED SENDING",
        "SCHEDULED CANCELLED",
        "SCHEDULED DELIVERED",
        "SENDING SCHEDULED",
        "SENDING SENT",
        "SENDING DELIVERED",
        "SENDING FAILED",
        "SENDING DEAD",
        "SENDING CANCELLED",
        "SENDING SUPPRESSED",
        "SENT DELIVERED",
        "SENT DEAD",
        "FAILED SENDING",
        "FAILED CANCELLED",
        "FAILED SENT",
        "FAILED DELIVERED",
        "DEAD SCHEDULED",
        "DEAD DELIVERED",
    ];
    assert_eq!(refused.len(), statuses.len() * (statuses.len() - 1) - legal.len());
    assert!(legal.iter().all(|step| !refused.contains(*step)));
    Ok(())
}
