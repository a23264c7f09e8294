//! Every mutation, sent with one key to two server processes, two to ten times at once, is done once and answered alike.

use std::collections::BTreeSet;

use anyhow::Result;
use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};

use self::{
    effects::{Effects, effects},
    story::Story,
};
use crate::{
    notifications,
    support::{
        people::{Person, mutation},
        process::free_address,
        server::TestServer,
        smtp::MailServer,
        twilio::Twilio,
    },
};

mod chapters;
mod effects;
mod examples;
mod story;

/// A clinic where the story is told to so many server processes; what was tried there and what it led to.
async fn told(processes: usize) -> Result<(TestServer, Story, Effects)> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = notifications::clinic(&twilio, &post).await?;
    let addresses = try_join_all((0..processes).map(|_| free_address())).await?;
    let variables = [
        ("PRAXIS_WORKER", "false"),
        ("PRAXIS_DATABASE_CONNECTIONS", "8"),
        ("PRAXIS_DATABASE_WAIT_MS", "15000"),
    ];
    let starting = addresses.iter().map(|address| server.installation.spawn_server(*address, &variables));
    let running = try_join_all(starting).await?;
    let mut story = Story::sent_to(addresses);
    chapters::tell(&mut story, &server, &twilio).await?;
    drop(running);
    let effects = effects(&server).await?;
    Ok((server, story, effects))
}

/// Tells the story once to the test's own server: every mutation that there is.
pub(crate) async fn tell_once(server: &TestServer, twilio: &Twilio) -> Result<()> {
    chapters::tell(&mut Story::sent_to(Vec::new()), server, twilio).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mutation_sent_many_times_at_once_to_two_servers_with_one_key_is_done_once() -> Result<()> {
    let ((_, _, once), (server, story, often)) = tokio::try_join!(told(0), told(2))?;
    let all: BTreeSet<_> = once.keys().chain(often.keys()).collect();
    let different: Vec<_> = all
        .into_iter()
        .map(|what| (what, once.get(what), often.get(what)))
        .filter(|(_, once, often)| once != often)
        .collect();
    assert!(different.is_empty(), "done once, and more often: {different:#?}");

    let owner = server.person("northside", "owner").await;
    let fields = owner.ask("{ __type(name: \"Mutation\") { fields { name } } }", json!({})).await;
    let fields = fields["__type"]["fields"].as_array().unwrap();
    let published: BTreeSet<_> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(&published, story.tried(), "a mutation whose retry nobody tried, or an example too many");
    Ok(())
}

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "root@northside.test", "owner")]).await
}

async fn send(person: &Person<'_>, field: &str, select: &str, input: &Value, key: &str) -> Value {
    let query = mutation(field, select, input);
    person.send(&query, json!({ "input": input }), &[("idempotency-key", key)]).await.body
}

#[tokio::test]
async fn thirty_two_at_once_with_one_key_add_one_room() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let facility = owner.facility("MAIN").await;
    let input = json!({ "facilityId": facility, "name": "One" });
    let answers =
        join_all((0..32).map(|_| send(&owner, "roomAdd", "room { id name }", &input, "same"))).await;
    assert!(answers[0]["data"]["roomAdd"]["room"]["id"].is_string(), "{}", answers[0]);
    assert!(answers.iter().all(|answer| answer["data"] == answers[0]["data"]));
    let first = answers.iter().filter(|answer| answer["extensions"]["idempotentReplay"].is_null());
    assert_eq!(first.count(), 1);
    let mut sql = server.installation.tenant_connection("northside").await?;
    let rooms: i64 = sqlx::query_scalar("SELECT count(*) FROM room").fetch_one(&mut sql).await?;
    assert_eq!(rooms, 1);
    Ok(())
}

#[tokio::test]
async fn the_same_input_written_in_another_way_is_the_same_input() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let facility = owner.facility("MAIN").await;
    let input = json!({ "facilityId": facility, "name": "One" });
    let first = send(&owner, "roomAdd", "room { id }", &input, "same").await;
    let turned = format!(
        "mutation {{ roomAdd(input: {{ name: \"One\", facilityId: \"{facility}\" }}) @idempotent(key: \"same\") {{ room {{ id }} }} }}"
    );
    let again = owner.ask(&turned, json!({})).await;
    assert_eq!(again["roomAdd"]["room"], first["data"]["roomAdd"]["room"]);

    let other = json!({ "facilityId": facility, "name": "Two" });
    let conflict = send(&owner, "roomAdd", "room { id }", &other, "same").await;
    assert_eq!(conflict["errors"][0]["extensions"]["code"], "IDEMPOTENCY_CONFLICT");
    Ok(())
}
