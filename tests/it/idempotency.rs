//! Every mutation, sent with one key to two server processes, two to ten times at once, is done once and answered alike.

use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
};

use anyhow::{Context, Result};
use chrono::{SecondsFormat, TimeDelta};
use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};

use self::examples::{BY_ANOTHER, ELSEWHERE, STORY};
use crate::support::{
    people::Person,
    process::{self, free_address},
    server::TestServer,
};

mod examples;

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "root@northside.test", "owner")]).await
}

fn query(mutation: &str, select: &str) -> String {
    let (first, rest) = mutation.split_at(1);
    format!(
        "mutation($input: {}{rest}Input!) {{ {mutation}(input: $input) {{ {select} userErrors {{ code message path }} }} }}",
        first.to_uppercase()
    )
}

async fn send(person: &Person<'_>, mutation: &str, select: &str, input: &Value, key: &str) -> Value {
    person.send(&query(mutation, select), json!({ "input": input }), &[("idempotency-key", key)]).await.body
}

/// The same, to any server of the installation.
async fn send_to(
    address: SocketAddr,
    person: &Person<'_>,
    query: &str,
    input: &Value,
    key: &str,
) -> Result<Value> {
    let headers = [("authorization", person.bearer.as_str()), ("idempotency-key", key)];
    let body = json!({ "query": query, "variables": { "input": input } });
    let answer = process::post(address, &person.host, "/graphql", &headers, &body).await;
    Ok(answer.context("no answer came")?.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mutation_sent_many_times_at_once_to_two_servers_with_one_key_is_done_once() -> Result<()> {
    let server = clinic().await?;
    let variables = [
        ("PRAXIS_WORKER", "false"),
        ("PRAXIS_LOCAL_IDENTITY_PROVIDERS", "true"),
        ("PRAXIS_DATABASE_CONNECTIONS", "8"),
        ("PRAXIS_DATABASE_WAIT_MS", "15000"),
    ];
    let addresses = [free_address().await?, free_address().await?];
    let starting = addresses.map(|address| server.installation.spawn_server(address, &variables));
    let _processes = try_join_all(starting).await?;
    let (owner, officer) =
        (server.proven("northside", "owner").await, server.proven("northside", "privacy_officer").await);
    let now = server.installation.clock.now();
    // On the same day in any case: not having come is taken back on the same day only.
    let past = (now - TimeDelta::hours(1)).max(now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc());
    let me = owner.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].as_str().unwrap().to_owned();
    let kind = owner.ask("{ visitKinds { id } }", json!({})).await["visitKinds"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let past = past.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut kept =
        HashMap::from([("past".to_owned(), past), ("me".to_owned(), me), ("kind".to_owned(), kind)]);
    let story = STORY
        .iter()
        .copied()
        .flatten()
        .map(|call| (&owner, call))
        .chain(BY_ANOTHER.iter().map(|call| (&officer, call)));
    for (number, (person, (mutation, select, input, keep))) in story.enumerate() {
        let input = kept.iter().fold((*input).to_owned(), |input, (name, value)| {
            input.replace(&format!("\"${name}\""), &format!("\"{value}\""))
        });
        let (input, key) = (serde_json::from_str(&input)?, number.to_string());
        let query = query(mutation, select);
        let times = 2 + number % 9;
        let at_once = (0..times).map(|turn| send_to(addresses[turn % 2], person, &query, &input, &key));
        let answers = try_join_all(at_once).await?;
        let is_replay = |answer: &&Value| answer["extensions"]["idempotentReplay"] == json!([mutation]);
        assert_eq!(answers.iter().filter(is_replay).count(), times - 1, "{mutation}: {answers:#?}");
        let first = &answers[0];
        assert!(first["errors"].is_null(), "{mutation}: {first}");
        assert_eq!(first["data"][mutation]["userErrors"], json!([]), "{mutation}: {first}");
        assert!(answers.iter().all(|answer| answer["data"] == first["data"]), "{mutation}: {answers:#?}");
        for (name, pointer) in *keep {
            let value = first["data"][mutation].pointer(pointer).unwrap();
            kept.insert((*name).to_owned(), value.as_str().unwrap().to_owned());
        }
    }

    let fields = owner.ask("{ __type(name: \"Mutation\") { fields { name } } }", json!({})).await;
    let fields = fields["__type"]["fields"].as_array().unwrap();
    let published: BTreeSet<_> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    let calls = STORY.iter().copied().flatten().chain(BY_ANOTHER).map(|(mutation, ..)| *mutation);
    let tried = calls.chain(ELSEWHERE.iter().map(|(name, _)| *name));
    assert_eq!(published, tried.collect(), "a mutation whose retry nobody tried, or an example too many");
    Ok(())
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
