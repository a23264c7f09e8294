//! Clients at work: each act has a key and carries it in its words, and is sent again until it is acknowledged.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;

use super::{ledger::Found, *};
use crate::support::{people::Person, process, server::Answer};

/// A clinic and those who work at it.
pub struct Clinic<'a> {
    server: &'a TestServer,
    clients: Vec<Client<'a>>,
    /// Of steps of something that is there: what they did, and to what.
    steps: Mutex<Vec<Step>>,
    retried: AtomicU32,
    /// Why acts were sent again, and how often.
    refusals: Mutex<BTreeMap<String, u32>>,
    /// When each answer came, and how long it took.
    answers: Mutex<Vec<(Instant, Duration)>>,
}

struct Client<'a> {
    person: Person<'a>,
    practitioner: String,
}

/// An act that leaves an event.
struct Step {
    key: String,
    kind: &'static str,
    subject: String,
}

/// What was done.
#[derive(Debug)]
#[expect(dead_code, reason = "to be printed")]
pub struct Worked {
    visits: usize,
    retried: u32,
    /// What was answered instead of the act, and how often; nothing is `none`.
    pub refusals: BTreeMap<String, u32>,
}

struct Sending<'a> {
    clinic: &'a Clinic<'a>,
    client: &'a Client<'a>,
    servers: &'a [SocketAddr],
    ledger: &'a Ledger,
}

impl<'a> Clinic<'a> {
    pub async fn open(server: &'a TestServer, clients: usize) -> Result<Self> {
        let owner = server.proven("northside", "owner").await;
        owner
            .run("facilityAdd", "userErrors { code }", json!({ "code": "M", "name": "M", "timeZone": "UTC" }))
            .await;
        let step = |key: &str, follows: &[&str]| json!({ "key": key, "task": key.to_uppercase(), "role": "owner", "follows": follows });
        let define = json!({ "code": "chaos", "name": "Chaos", "steps": [step("first", &[]), step("second", &["first"])] });
        let select = "workflowDefinition { id version } userErrors { code message }";
        let defined = owner.run("workflowDefine", select, define).await["workflowDefinition"].clone();
        let activate = json!({ "id": defined["id"], "ifVersion": defined["version"] });
        let active = owner.run("workflowActivate", select, activate).await;
        assert_eq!(active["userErrors"], json!([]));
        let mut at_work = Vec::new();
        for number in 0..clients {
            let email = format!("clinician{number}@praxis.test");
            server.user("northside", &email, "owner").await?;
            let practitioner = owner.clinician(&letters()).await;
            // Whoever sees the patients is told of what others book.
            let id = praxis_entity::ids::decode_base32(practitioner.split_once('_').unwrap().1).unwrap();
            let schema = server.app.directory.by_slug("northside").unwrap().schema.clone();
            let is = format!("UPDATE {schema}.user_account SET practitioner_id = $1 WHERE email = $2");
            let mut admin = server.installation.admin().await?;
            sqlx::query(sqlx::AssertSqlSafe(is)).bind(id).bind(&email).execute(&mut admin).await?;
            at_work.push(Client { person: server.proven("northside", "owner").await, practitioner });
        }
        let (retried, refusals, answers) = (AtomicU32::new(0), Mutex::default(), Mutex::default());
        Ok(Self { server, clients: at_work, steps: Mutex::default(), retried, refusals, answers })
    }

    /// Works until the time is over and all that was begun is acknowledged.
    pub async fn work(&self, servers: &[SocketAddr], ledger: &Ledger, until: Instant) -> Result<Worked> {
        self.work_while(servers, ledger, || Instant::now() < until).await
    }

    /// The same for as long as something holds.
    pub async fn work_while(
        &self,
        servers: &[SocketAddr],
        ledger: &Ledger,
        holds: impl Fn() -> bool,
    ) -> Result<Worked> {
        let holds = &holds;
        let visits = futures::future::try_join_all(self.clients.iter().map(async |client| {
            let sending = Sending { clinic: self, client, servers, ledger };
            let mut visits = 0;
            while holds() {
                sending.visit(visits).await?;
                visits += 1;
            }
            anyhow::Ok(visits)
        }))
        .await?;
        let refusals = self.refusals.lock().unwrap().clone();
        let (visits, retried) = (visits.into_iter().sum(), self.retried.load(Ordering::Relaxed));
        Ok(Worked { visits, retried, refusals })
    }

    /// How often what each act did is there: by its words, or by the event that it left.
    pub async fn found(&self) -> Result<Found> {
        let mut found = Found::new();
        let reader = self.server.person("northside", "owner").await;
        for (list, select, words) in [
            ("patients", "name { family }", "/name/family"),
            ("appointments", "reason", "/reason"),
            ("tasks", "description", "/description"),
        ] {
            let mut after = Value::Null;
            loop {
                let query = format!(
                    "query($after: String) {{ {list}(first: 100, after: $after) {{ nodes {{ {select} }} pageInfo {{ endCursor hasNextPage }} }} }}"
                );
                let page = reader.ask(&query, json!({ "after": after })).await[list].clone();
                for node in page["nodes"].as_array().unwrap() {
                    if let Some(key) = node.pointer(words).and_then(Value::as_str) {
                        *found.entry(key.to_owned()).or_default() += 1;
                    }
                }
                if page["pageInfo"]["hasNextPage"] == json!(false) {
                    break;
                }
                after = page["pageInfo"]["endCursor"].clone();
            }
        }
        let mut sql = self.server.installation.tenant_connection("northside").await?;
        let steps = std::mem::take(&mut *self.steps.lock().unwrap());
        for Step { key, kind, subject } in steps {
            let subject = praxis_entity::ids::decode_base32(subject.split_once('_').unwrap().1).unwrap();
            let times: i64 =
                sqlx::query_scalar("SELECT count(*) FROM event WHERE kind = $1 AND subject_id = $2")
                    .bind(kind)
                    .bind(subject)
                    .fetch_one(&mut sql)
                    .await?;
            found.insert(key, usize::try_from(times)?);
        }
        Ok(found)
    }
}

impl Clinic<'_> {
    /// How long the answers took that came within some time: the longest, and half of them at the most.
    pub fn took(&self, from: Instant, to: Instant) -> (Duration, Duration) {
        let answers = self.answers.lock().unwrap();
        let within = answers.iter().filter(|(at, took)| *at >= from && *at - *took <= to);
        let mut took: Vec<_> = within.map(|(_, took)| *took).collect();
        took.sort();
        (took.last().copied().unwrap_or_default(), took.get(took.len() / 2).copied().unwrap_or_default())
    }

    fn note(&self, code: &str, took: Duration) {
        self.answers.lock().unwrap().push((Instant::now(), took));
        if !code.is_empty() {
            *self.refusals.lock().unwrap().entry(code.to_owned()).or_default() += 1;
        }
    }
}

impl Sending<'_> {
    /// A patient comes: is registered, booked twice, called off once and checked in once; somebody does two tasks.
    async fn visit(&self, number: usize) -> Result<()> {
        let key = letters();
        let born = format!("{}-{:02}-{:02}", 1950 + random(50), 1 + random(12), 1 + random(28));
        let patient = json!({ "name": { "given": [letters()], "family": key }, "birthDate": born });
        let patient = self.act(&key, "patientCreate", "patient { id }", patient).await?["patient"].clone();

        let tomorrow = (self.clinic.server.installation.clock.now() + TimeDelta::days(2)).date_naive();
        let start = tomorrow.and_time(chrono::NaiveTime::MIN).and_utc();
        let mut booked = Vec::new();
        for slot in 0..3 {
            let key = letters();
            let starts_at = start + TimeDelta::minutes(15 * (3 * i64::try_from(number)? + slot));
            let input = json!({ "patientId": patient["id"], "practitionerId": self.client.practitioner,
                "type": "IN_PERSON", "durationMinutes": 15, "reason": key,
                "startsAt": starts_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true) });
            booked.push(self.act(&key, "appointmentBook", "appointment { id version }", input).await?);
        }
        let version = |of: &Value| json!({ "id": of["id"], "ifVersion": of["version"] });
        let (off, here) = (&booked[1]["appointment"], &booked[2]["appointment"]);
        let cancel = ("appointmentCancel", "APPOINTMENT_CANCELLED");
        self.step(cancel, "appointment { id version }", version(off), off).await?;
        let check_in = ("appointmentCheckIn", "APPOINTMENT_CHECKED_IN");
        self.step(check_in, "appointment { id version }", version(here), here).await?;

        let key = letters();
        let input = json!({ "code": "CALL", "description": key, "role": "owner" });
        let task = self.act(&key, "taskCreate", "task { id version }", input).await?["task"].clone();
        self.finish(&task).await?;
        let key = letters();
        let select = "workflowInstance { id tasks { id version } }";
        let started = self.act(&key, "workflowStart", select, json!({ "code": "chaos" })).await?;
        let instance = &started["workflowInstance"];
        self.keep(key, "WORKFLOW_STARTED", instance);
        self.finish(&instance["tasks"][0]).await
    }

    /// Somebody takes a task on and does it.
    async fn finish(&self, task: &Value) -> Result<()> {
        let select = "task { id version }";
        let claim = json!({ "id": task["id"], "ifVersion": task["version"] });
        let claimed = self.step(("taskClaim", "TASK_CLAIMED"), select, claim, task).await?["task"].clone();
        let done = json!({ "id": task["id"], "ifVersion": claimed["version"], "outcome": "DONE" });
        self.step(("taskComplete", "TASK_COMPLETED"), select, done, task).await.map(drop)
    }

    /// An act on something that is there, which leaves an event.
    async fn step(
        &self,
        (mutation, kind): (&str, &'static str),
        select: &str,
        input: Value,
        of: &Value,
    ) -> Result<Value> {
        let key = letters();
        let answer = self.act(&key, mutation, select, input).await?;
        self.keep(key, kind, of);
        Ok(answer)
    }

    fn keep(&self, key: String, kind: &'static str, of: &Value) {
        let subject = of["id"].as_str().unwrap().to_owned();
        self.clinic.steps.lock().unwrap().push(Step { key, kind, subject });
    }

    /// Sends an act to any of the servers until it is acknowledged.
    async fn act(&self, key: &str, mutation: &str, select: &str, input: Value) -> Result<Value> {
        let (first, rest) = mutation.split_at(1);
        let query = format!(
            "mutation($input: {}{rest}Input!) {{ {mutation}(input: $input) {{ {select} userErrors {{ code message }} }} }}",
            first.to_uppercase()
        );
        let body = json!({ "query": query, "variables": { "input": input } });
        let Person { host, bearer, .. } = &self.client.person;
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        self.ledger.sent(key)?;
        loop {
            let address = self.servers[usize::try_from(random(self.servers.len() as u64))?];
            let begun = Instant::now();
            let answer = process::post(address, host, "/graphql", &headers, &body).await;
            self.clinic.note(answer.as_ref().map_or("none", Answer::code), begun.elapsed());
            if let Some(answer) = answer {
                if answer.body["errors"].is_null() {
                    let payload = answer.body["data"][mutation].clone();
                    // Whoever is refused at the second attempt did it twice, or lost what it rests on.
                    assert_eq!(payload["userErrors"], json!([]), "{mutation}: {}", answer.text);
                    self.ledger.acknowledged(key)?;
                    return Ok(payload);
                }
                let passes = &answer.body["errors"][0]["extensions"]["retryable"];
                assert_eq!(*passes, json!(true), "{mutation}: {}", answer.text);
            }
            self.clinic.retried.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20 + random(60))).await;
        }
    }
}

/// A key that may stand as a name.
fn letters() -> String {
    let letters = crypto::random::<14>().unwrap().map(|byte| char::from(b'a' + byte % 26));
    format!("Q{}", letters.iter().collect::<String>())
}
