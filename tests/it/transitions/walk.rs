//! Machines walked through the API: what each action asks for, one line per machine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Result;
use chrono::{Days, NaiveDate, SecondsFormat, TimeDelta};
use proptest::{collection::vec, prelude::*, sample::Index, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, postgres::PgConnection};

use super::{SLUG, clinic};
use crate::support::{people::Person, server::TestServer};

/// A machine as clients see it.
pub struct Walked {
    /// Its name in the table.
    pub machine: &'static str,
    /// How an object is read.
    pub read: &'static str,
    /// How one is made: the mutation, the path of the new id, and the input.
    pub make: (&'static str, &'static str, &'static str),
    /// What each action takes. `$id`, `$version`, `$patient`, `$practitioner` and `$past` are filled in.
    pub actions: &'static [(&'static str, &'static str)],
}

const STEP: &str = r#"{ "id": "$id", "ifVersion": $version }"#;
const REASON: &str = r#"{ "id": "$id", "ifVersion": $version, "reason": "Said in a test" }"#;

/// Every machine that has actions in the API. A part that brings one adds its line.
pub const WALKED: &[Walked] = &[
    Walked {
        machine: "patient",
        read: "patient(by: { id: $id })",
        make: (
            "patientCreate",
            "patient",
            r#"{ "name": { "given": ["Ada"], "family": "$name" }, "birthDate": "$born" }"#,
        ),
        actions: &[
            ("patientDeactivate", STEP),
            ("patientReactivate", STEP),
            ("patientRecordDeath", r#"{ "id": "$id", "ifVersion": $version, "deceasedAt": "$past" }"#),
        ],
    },
    Walked {
        machine: "appointment",
        read: "appointment(id: $id)",
        make: (
            "appointmentBook",
            "appointment",
            r#"{ "patientId": "$patient", "practitionerId": "$practitioner", "type": "PHONE", "startsAt": "$past" }"#,
        ),
        actions: &[
            ("appointmentCancel", STEP),
            ("appointmentMarkNoShow", STEP),
            ("appointmentReschedule", r#"{ "id": "$id", "ifVersion": $version, "startsAt": "$past" }"#),
        ],
    },
    Walked {
        machine: "encounter",
        read: "encounter(id: $id)",
        make: ("encounterCreate", "encounter", r#"{ "patientId": "$patient" }"#),
        actions: &[
            ("encounterCheckIn", STEP),
            ("encounterTriage", STEP),
            ("encounterStart", STEP),
            ("encounterHold", STEP),
            ("encounterResume", STEP),
            (
                "encounterClose",
                r#"{ "id": "$id", "ifVersion": $version, "overrideReason": "Said in a test" }"#,
            ),
            ("encounterReopen", REASON),
            ("encounterCancel", REASON),
            ("assessmentRecord", r#"{ "id": "$id", "ifVersion": $version, "text": "Well" }"#),
            ("planRecord", r#"{ "id": "$id", "ifVersion": $version, "text": "Nothing" }"#),
            ("vitalsRecord", r#"{ "id": "$id", "heartRate": { "value": "72", "unit": "/min" } }"#),
            (
                "encounterParticipantAdd",
                r#"{ "id": "$id", "ifVersion": $version, "practitionerId": "$practitioner", "role": "CONSULTANT" }"#,
            ),
        ],
    },
];

/// Machines with actions that another story walks, and where.
pub const ELSEWHERE: &[(&str, &str)] = &[
    ("appointment_series", "scheduling"),
    ("waitlist_entry", "scheduling"),
    ("queue_token", "scheduling"),
    ("break_glass", "break_glass::what_is_asked_for_wrongly_is_refused_with_a_reason"),
    ("invitation", "identity"),
    ("security_alert", "audit::reading::suspicious_access_raises_one_alert_each_and_somebody_else_closes_it"),
    ("api_client", "operations"),
    ("allergy", "history"),
    ("medication_statement", "history"),
    ("immunization", "history"),
    ("procedure", "history"),
    ("family_history", "history"),
    ("social_history", "history"),
    ("problem", "history"),
    ("clinical_document", "documents"),
    ("task", "tasks"),
    ("workflow_definition", "workflows"),
    ("workflow_instance", "workflows"),
    ("rule", "rules"),
    ("alert", "alerts"),
    ("notification", "notifications"),
];

/// What can't be done again and again: once somebody takes part they do, and a time is free or not.
const ONCE: [&str; 2] = ["encounterParticipantAdd", "appointmentReschedule"];

/// The legal moves of a machine: from a status, by an action, to a status.
type Moves = BTreeMap<String, BTreeMap<String, String>>;

async fn moves(admin: &mut PgConnection, schema: &str, machine: &str) -> Result<Moves> {
    let find = format!(
        "SELECT from_status, action, to_status FROM {schema}.status_transition WHERE machine = $1 AND action <> '' AND from_status <> ''"
    );
    let rows: Vec<(String, String, String)> =
        sqlx::query_as(AssertSqlSafe(find)).bind(machine).fetch_all(admin).await?;
    let mut moves = Moves::new();
    for (from, action, to) in rows {
        moves.entry(from).or_default().insert(action, to);
    }
    Ok(moves)
}

/// An object as it stands.
#[derive(Debug, Clone)]
struct Object {
    id: String,
    status: String,
    version: i64,
    allowed: BTreeSet<String>,
}

struct Walker<'a> {
    owner: Person<'a>,
    machine: &'a Walked,
    moves: Moves,
    /// Whom the objects are about, and by whom: new for each object.
    names: BTreeMap<&'static str, String>,
    made: u64,
}

impl<'a> Walker<'a> {
    async fn new(server: &'a TestServer, schema: &str, machine: &'a Walked) -> Result<Self> {
        let moves = moves(&mut server.installation.admin().await?, schema, machine.machine).await?;
        let past = server.installation.clock.now() - TimeDelta::hours(1);
        let past = past.to_rfc3339_opts(SecondsFormat::Secs, true);
        let owner = server.person(SLUG, "owner").await;
        // The walkers of all machines share a clinic.
        let made = 1_000 * WALKED.iter().take_while(|one| one.machine != machine.machine).count() as u64;
        Ok(Self { owner, machine, moves, names: BTreeMap::from([("past", past)]), made })
    }

    fn input(&self, template: &str, object: Option<&Object>) -> Value {
        let filled = self
            .names
            .iter()
            .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value));
        let filled = object.map_or(filled.clone(), |object| {
            filled.replace("$id", &object.id).replace("$version", &object.version.to_string())
        });
        serde_json::from_str(&filled).unwrap()
    }

    async fn make(&mut self) -> Object {
        let (name, born) = self.somebody();
        // Without telephone and e-mail, which families share.
        let person = json!({ "name": { "given": ["Ada"], "family": name }, "birthDate": born });
        let person = self.owner.run("patientCreate", "patient { id }", person).await;
        self.names.insert("patient", person["patient"]["id"].as_str().unwrap().to_owned());
        let (name, born) = self.somebody();
        self.names.extend([("name", name), ("born", born)]);
        self.names.insert("practitioner", self.owner.clinician("Osei").await);
        if self.owner.ask("{ facilities { id } }", json!({})).await["facilities"] == json!([]) {
            self.owner.facility("MAIN").await;
        }
        let (mutation, path, input) = self.machine.make;
        let made = self
            .owner
            .run(mutation, &format!("{path} {{ id }} userErrors {{ message }}"), self.input(input, None))
            .await;
        assert_eq!(made["userErrors"], json!([]), "{mutation}");
        self.read(made[path]["id"].as_str().unwrap()).await
    }

    async fn read(&self, id: &str) -> Object {
        let query = format!(
            "query($id: ID!) {{ object: {} {{ status version allowedActions }} }}",
            self.machine.read
        );
        let found = self.owner.ask(&query, json!({ "id": id })).await["object"].clone();
        let allowed = found["allowedActions"].as_array().unwrap();
        Object {
            id: id.to_owned(),
            status: found["status"].as_str().unwrap().to_owned(),
            version: found["version"].as_i64().unwrap(),
            allowed: allowed.iter().map(|action| action.as_str().unwrap().to_owned()).collect(),
        }
    }

    async fn act(&self, object: &Object, action: &str) -> Value {
        let (_, template) = self.machine.actions.iter().find(|(name, _)| *name == action).unwrap();
        let select = "userErrors { __typename code message ... on InvalidTransitionError { currentStatus allowedActions } }";
        self.owner.run(action, select, self.input(template, Some(object))).await["userErrors"].clone()
    }

    /// Takes a legal action, and finds the object where the table says that it leads.
    async fn go(&self, object: &Object, action: &str) -> Object {
        let to = &self.moves[&object.status][action];
        let errors = self.act(object, action).await;
        assert_eq!(errors, json!([]), "{} {action} from {}", self.machine.machine, object.status);
        let after = self.read(&object.id).await;
        assert_eq!(&after.status, to, "{action} from {}", object.status);
        self.agrees(&after);
        after
    }

    /// A name and a birthday that nobody has.
    fn somebody(&mut self) -> (String, String) {
        self.made += 1;
        let letters = self.made.to_string();
        let letters = letters.bytes().map(|digit| char::from(digit - b'0' + b'a'));
        let born = NaiveDate::default() - Days::new(self.made);
        (format!("{}walker", letters.collect::<String>()), born.to_string())
    }

    /// What the object says that can be done is what the table says.
    fn agrees(&self, object: &Object) {
        let legal = self.moves.get(&object.status).cloned().unwrap_or_default();
        let tried: BTreeSet<_> =
            self.machine.actions.iter().map(|(action, _)| (*action).to_owned()).collect();
        let legal: BTreeSet<_> = legal.into_keys().filter(|action| tried.contains(action)).collect();
        let said: BTreeSet<_> = object.allowed.intersection(&tried).cloned().collect();
        assert_eq!(said, legal, "{} {}", self.machine.machine, object.status);
    }

    /// A way of actions to each status that the API leads to.
    fn ways(&self, start: &str) -> BTreeMap<String, Vec<String>> {
        let mut ways = BTreeMap::from([(start.to_owned(), Vec::new())]);
        let mut open = VecDeque::from([start.to_owned()]);
        while let Some(status) = open.pop_front() {
            for (action, to) in self.moves.get(&status).into_iter().flatten() {
                if !ways.contains_key(to) && self.machine.actions.iter().any(|(name, _)| name == action) {
                    let way = ways[&status].iter().chain([action]).cloned().collect();
                    ways.insert(to.clone(), way);
                    open.push_back(to.clone());
                }
            }
        }
        ways
    }
}

#[tokio::test]
async fn every_illegal_action_is_refused_by_the_api_and_the_legal_ones_are_named() -> Result<()> {
    let (server, schema) = clinic().await?;
    let mut tried = 0;
    for machine in WALKED {
        let mut walker = Walker::new(&server, &schema, machine).await?;
        let start = walker.make().await;
        walker.agrees(&start);
        for (status, way) in walker.ways(&start.status) {
            let mut object = walker.make().await;
            for action in &way {
                object = walker.go(&object, action).await;
            }
            assert_eq!(object.status, status);
            let legal = walker.moves.get(&status).cloned().unwrap_or_default();
            for (action, _) in machine.actions.iter().filter(|(action, _)| !legal.contains_key(*action)) {
                let errors = walker.act(&object, action).await;
                let said = &errors[0];
                assert_eq!(said["__typename"], "InvalidTransitionError", "{action} from {status}: {errors}");
                assert_eq!(
                    (&said["code"], &said["currentStatus"]),
                    (&json!("INVALID_TRANSITION"), &json!(status))
                );
                let mut named: BTreeSet<String> = serde_json::from_value(said["allowedActions"].clone())?;
                // The table permits it; the day may be over, which only the object's own field knows.
                named.retain(|one| one != "appointmentUndoNoShow" || object.allowed.contains(one));
                assert_eq!(named, object.allowed, "{action} from {status}");
                tried += 1;
            }
            let after = walker.read(&object.id).await;
            assert_eq!((after.status, after.version), (object.status, object.version), "nothing was written");
        }
    }
    assert!(tried > 40, "{tried}");
    eprintln!("{tried} illegal actions tried");
    Ok(())
}

#[tokio::test]
async fn random_legal_ways_lead_where_the_table_says() -> Result<()> {
    let (server, schema) = clinic().await?;
    let mut runner = TestRunner::deterministic();
    for machine in WALKED {
        let mut walker = Walker::new(&server, &schema, machine).await?;
        for _ in 0..12 {
            let choices = vec(any::<Index>(), 1..14).new_tree(&mut runner).unwrap().current();
            let mut object = walker.make().await;
            for choice in choices {
                let open: Vec<_> =
                    walker.moves.get(&object.status).into_iter().flat_map(BTreeMap::keys).collect();
                let open: Vec<String> = open
                    .into_iter()
                    .filter(|action| {
                        !ONCE.contains(&action.as_str())
                            && machine.actions.iter().any(|(name, _)| name == action)
                    })
                    .cloned()
                    .collect();
                if open.is_empty() {
                    break;
                }
                object = walker.go(&object, choice.get(open.as_slice()).as_str()).await;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_machine_with_actions_is_walked_somewhere() -> Result<()> {
    let (server, schema) = clinic().await?;
    let find = format!("SELECT DISTINCT machine FROM {schema}.status_transition WHERE action <> ''");
    let mut admin = server.installation.admin().await?;
    let machines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(find)).fetch_all(&mut admin).await?;
    let walked: BTreeSet<_> =
        WALKED.iter().map(|one| one.machine).chain(ELSEWHERE.iter().map(|(machine, _)| *machine)).collect();
    for machine in machines {
        assert!(walked.contains(machine.as_str()), "nobody walks the machine {machine}");
    }
    Ok(())
}
