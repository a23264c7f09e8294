//! How a story is told to servers: each call as often as it is to be sent, all at once and with one key.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets something else fails here"
)]

use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::examples::{Call, TOLD_ONCE};
use crate::support::{
    people::{Person, mutation},
    process,
};

/// A story, as far as it was told.
pub struct Story {
    /// To which processes; without any, each call is sent once, to the test's own server.
    processes: Vec<SocketAddr>,
    kept: HashMap<&'static str, Value>,
    tried: BTreeSet<&'static str>,
    calls: usize,
}

impl Story {
    /// Told to processes in turn, each call two to ten times at once.
    pub fn sent_to(processes: Vec<SocketAddr>) -> Self {
        Self { processes, kept: HashMap::new(), tried: BTreeSet::new(), calls: 0 }
    }

    /// What is `"$name"` in the inputs from now on.
    pub fn keep(&mut self, name: &'static str, value: impl Into<Value>) {
        self.kept.insert(name, value.into());
    }

    /// What was kept.
    pub fn kept(&self, name: &str) -> &Value {
        &self.kept[name]
    }

    /// The mutations that were tried.
    pub fn tried(&self) -> &BTreeSet<&'static str> {
        &self.tried
    }

    /// Somebody's calls, one after the other.
    pub async fn chapter(&mut self, person: &Person<'_>, calls: &[Call]) -> Result<()> {
        for &(field, select, input, keep) in calls {
            let input = self.filled(input)?;
            let query = mutation(field, &format!("{select} userErrors {{ code message path }}"), &input);
            let payload = agreed(field, self.send(person, &query, &input).await?);
            for &(name, pointer) in keep {
                self.keep(name, payload.pointer(pointer).unwrap().clone());
            }
            self.tried.insert(field);
        }
        Ok(())
    }

    fn filled(&self, input: &str) -> Result<Value> {
        if input.is_empty() {
            return Ok(Value::Null);
        }
        let input = self.kept.iter().fold(input.to_owned(), |input, (name, value)| {
            input.replace(&format!("\"${name}\""), &value.to_string())
        });
        Ok(serde_json::from_str(&input)?)
    }

    async fn send(&mut self, person: &Person<'_>, query: &str, input: &Value) -> Result<Vec<Value>> {
        self.calls += 1;
        let (key, variables) = (self.calls.to_string(), json!({ "input": input }));
        if self.processes.is_empty() {
            let answer = person.send(query, variables, &[("idempotency-key", &key)]).await;
            return Ok(vec![answer.body]);
        }
        let headers = [("authorization", person.bearer.as_str()), ("idempotency-key", key.as_str())];
        let body = json!({ "query": query, "variables": variables });
        let in_turn = self.processes.iter().cycle().take(2 + self.calls % 9);
        try_join_all(in_turn.map(|address| post(*address, &person.host, &headers, &body))).await
    }
}

async fn post(address: SocketAddr, host: &str, headers: &[(&str, &str)], body: &Value) -> Result<Value> {
    let answer = process::post(address, host, "/graphql", headers, body).await;
    Ok(answer.context("no answer came")?.body)
}

/// Of all answers one says what was done, and all others the same: the payload of the one.
fn agreed(mutation: &str, answers: Vec<Value>) -> Value {
    assert!(answers.iter().all(|answer| answer["errors"].is_null()), "{mutation}: {answers:#?}");
    let replayed = json!([mutation]);
    let (again, first): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer["extensions"]["idempotentReplay"] == replayed);
    let [first] = first.as_slice() else { panic!("{mutation} was done {} times: {first:#?}", first.len()) };
    let payload = &first["data"][mutation];
    assert_eq!(payload["userErrors"], json!([]), "{mutation}: {first}");
    let mut retold = payload.clone();
    if let Some((_, secret)) = TOLD_ONCE.iter().find(|(told, _)| *told == mutation) {
        let nothing = if payload[secret].is_array() { json!([]) } else { Value::Null };
        assert_ne!(payload[secret], nothing, "{mutation} did not tell its {secret}");
        retold[secret] = nothing;
    }
    for answer in &again {
        assert_eq!(answer["data"][mutation], retold, "{mutation}");
    }
    payload.clone()
}
