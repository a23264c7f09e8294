//! Machines walked through the API: from every status every action is tried, and random legal ways are gone.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};

use anyhow::Result;
use proptest::{collection::vec, prelude::*, sample::Index, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};

use super::{
    SLUG, clinic,
    machines::{LAST, Placed, SILENT, WALKED, Walked},
    stage::{text, uuid},
};
use crate::support::{people::Person, server::TestServer};

/// What can't be done again and again: once somebody takes part they do, and a time is free or not.
const ONCE: [&str; 2] = ["encounterParticipantAdd", "appointmentReschedule"];

/// What the status allows and only the day of the visit permits.
const OF_THE_DAY: &str = "appointmentUndoNoShow";

/// The legal moves of a machine: from a status, by an action, to one of some statuses.
type Moves = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

async fn moves(admin: &mut PgConnection, schema: &str, machine: &str) -> Result<Moves> {
    let find =
        format!("SELECT from_status, action, to_status FROM {schema}.status_transition WHERE machine = $1");
    let rows: Vec<(String, String, String)> =
        sqlx::query_as(AssertSqlSafe(find)).bind(machine).fetch_all(admin).await?;
    let mut moves = Moves::new();
    for (from, action, to) in rows {
        moves.entry(to.clone()).or_default();
        if !from.is_empty() && action.is_empty() {
            moves.entry(from).or_default();
        } else if !from.is_empty() {
            moves.entry(from).or_default().entry(action).or_default().insert(to);
        }
    }
    Ok(moves)
}

/// An object as somebody sees it.
#[derive(Debug, Clone)]
struct Object {
    id: String,
    status: String,
    version: i64,
    allowed: BTreeSet<String>,
}

/// Somebody who takes objects of one machine through it.
pub(super) struct Walker<'a> {
    pub(super) server: &'a TestServer,
    pub(super) schema: String,
    pub(super) machine: &'a Walked,
    /// Who makes the objects and acts on them.
    pub(super) first: Person<'a>,
    /// Who does what is not for them.
    pub(super) owner: Person<'a>,
    /// What stands for the `$names` of the table.
    pub(super) names: BTreeMap<&'static str, String>,
    pub(super) count: u64,
    moves: Moves,
}

impl<'a> Walker<'a> {
    async fn new(server: &'a TestServer, schema: &str, machine: &'a Walked) -> Result<Self> {
        let mut walker = Self {
            server,
            schema: schema.to_owned(),
            machine,
            first: server.proven(SLUG, machine.role).await,
            owner: server.proven(SLUG, "owner").await,
            names: BTreeMap::new(),
            // The walkers of all machines share a clinic.
            count: 1_000 * WALKED.iter().take_while(|one| one.machine != machine.machine).count() as u64,
            moves: moves(&mut server.installation.admin().await?, schema, machine.machine).await?,
        };
        walker.furnish().await?;
        Ok(walker)
    }

    fn filled(&self, template: &str) -> String {
        // Backwards, so that no name is taken for one that it begins with.
        let names = self.names.iter().rev();
        names.fold(template.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value))
    }

    pub(super) fn input(&self, template: &str) -> Value {
        serde_json::from_str(&self.filled(template)).unwrap()
    }

    async fn make(&mut self) -> Result<Object> {
        self.introduce().await;
        let id = match self.machine.make {
            ("", ..) => self.stage().await?,
            (mutation, path, input) => {
                let select = format!("{path} {{ id }} userErrors {{ code message }}");
                let made = self.first.run(mutation, &select, self.input(input)).await;
                assert_eq!(made["userErrors"], json!([]), "{mutation}");
                text(&made[path]["id"])
            }
        };
        let object = self.read(&self.first, &id).await;
        self.agrees(&object).await;
        Ok(object)
    }

    async fn read(&self, person: &Person<'_>, id: &str) -> Object {
        let selection = self.machine.read.replace("$all", "id status version allowedActions");
        let query = format!("{{ found: {} }}", selection.replace("$id", &json!(id).to_string()));
        let answer = person.ask(&query, json!({})).await;
        let found = with_id(&answer["found"], id).unwrap_or_else(|| panic!("no {id} in {answer}"));
        Object {
            id: id.to_owned(),
            status: text(&found["status"]),
            version: found["version"].as_i64().unwrap_or_default(),
            allowed: serde_json::from_value(found["allowedActions"].clone()).unwrap(),
        }
    }

    fn who(&self, action: &str) -> &Person<'a> {
        if self.machine.others.contains(&action) { &self.owner } else { &self.first }
    }

    async fn act(&mut self, object: &Object, action: &str) -> Value {
        let (_, template) = self.machine.actions.iter().find(|(name, _)| *name == action).unwrap();
        let new = self.server.installation.clock.new_id().to_string();
        self.names.insert("new", new);
        let of = template.replace("$id", &object.id).replace("$version", &object.version.to_string());
        let select = "userErrors { __typename code message ... on InvalidTransitionError { currentStatus allowedActions } }";
        self.who(action).run(action, select, self.input(&of)).await["userErrors"].clone()
    }

    /// Takes a legal action, and finds the object where the table says that it leads.
    async fn go(&mut self, object: &Object, action: &str) -> Object {
        let errors = self.act(object, action).await;
        assert_eq!(errors, json!([]), "{} {action} from {}", self.machine.machine, object.status);
        let after = self.read(&self.first, &object.id).await;
        let to = &self.moves[&object.status][action];
        assert!(to.contains(&after.status), "{action} from {} led to {}", object.status, after.status);
        if LAST.contains(&action) {
            assert_eq!(after.allowed, BTreeSet::new(), "{action}");
        } else {
            self.agrees(&after).await;
        }
        after
    }

    /// What the object says that can be done is what the table says, to each of the two.
    async fn agrees(&self, object: &Object) {
        let legal = &self.moves[&object.status];
        let seen = match self.machine.others {
            [] => BTreeSet::new(),
            _ => self.read(&self.owner, &object.id).await.allowed,
        };
        for (action, _) in self.machine.actions {
            let allowed = if self.machine.others.contains(action) { &seen } else { &object.allowed };
            let (named, legal) = (allowed.contains(*action), legal.contains_key(*action));
            let of_another_day = *action == OF_THE_DAY && legal && !named;
            let (machine, status) = (self.machine.machine, &object.status);
            assert!(named == legal || of_another_day, "{machine} {status}: {action} is named: {named}");
        }
    }

    /// Tries what is not possible: it is refused, typed, and names what the object itself names.
    async fn refused(&mut self, object: &Object, action: &str) {
        let errors = self.act(object, action).await;
        let what = format!("{} {action} from {}: {errors}", self.machine.machine, object.status);
        let said = &errors[0];
        assert_eq!(said["__typename"], "InvalidTransitionError", "{what}");
        assert_eq!(said["code"], "INVALID_TRANSITION", "{what}");
        let seen = self.read(self.who(action), &object.id).await;
        let named: BTreeSet<String> = serde_json::from_value(said["allowedActions"].clone()).unwrap();
        assert_eq!(named, seen.allowed, "{what}");
        assert_eq!(
            (&seen.status, seen.version),
            (&object.status, object.version),
            "nothing was written: {what}"
        );
    }

    /// The actions that are walked and legal from a status.
    fn legal(&self, status: &str) -> Vec<&'static str> {
        let walked = self.machine.actions.iter().map(|(action, _)| *action);
        walked.filter(|action| self.moves[status].contains_key(*action)).collect()
    }

    fn placed(&self, status: &str) -> Option<&'a Placed> {
        self.machine.placed.iter().find(|placed| placed.status == status)
    }

    /// A way of actions to each status that they lead to, found by going.
    async fn explore(&mut self) -> Result<BTreeMap<String, Vec<&'static str>>> {
        let start = self.make().await?;
        let mut ways = BTreeMap::from([(start.status.clone(), Vec::new())]);
        let mut open = VecDeque::from([start.status]);
        while let Some(status) = open.pop_front() {
            for action in self.legal(&status) {
                let known = |to: &String| ways.contains_key(to) || self.placed(to).is_some();
                if LAST.contains(&action) || self.moves[&status][action].iter().all(known) {
                    continue;
                }
                let way: Vec<_> = ways[&status].iter().copied().chain([action]).collect();
                let after = self.follow(&way).await?;
                if let Entry::Vacant(new) = ways.entry(after.status) {
                    open.push_back(new.key().clone());
                    new.insert(way);
                }
            }
        }
        for status in self.moves.keys() {
            let there = ways.contains_key(status) != self.placed(status).is_some();
            assert!(there, "{}: how does something get to {status}?", self.machine.machine);
        }
        Ok(ways)
    }

    /// A new object, taken along a way.
    async fn follow(&mut self, way: &[&str]) -> Result<Object> {
        let mut object = self.make().await?;
        for action in way {
            object = self.go(&object, action).await;
        }
        Ok(object)
    }

    /// A new object in a status.
    async fn reach(&mut self, ways: &BTreeMap<String, Vec<&'static str>>, status: &str) -> Result<Object> {
        let Some(placed) = self.placed(status) else { return self.follow(&ways[status]).await };
        let object = self.follow(&ways[placed.from]).await?;
        let column = if self.machine.machine == "problem" { "clinical_status" } else { "status" };
        let put = format!(
            "SET session_replication_role = replica;
             UPDATE {}.{} SET {column} = '{status}'{} WHERE id = '{}'",
            self.schema,
            self.machine.machine,
            self.filled(placed.and),
            uuid(&object.id)
        );
        self.server.installation.admin().await?.execute(sqlx::raw_sql(AssertSqlSafe(put))).await?;
        let object = self.read(&self.first, &object.id).await;
        assert_eq!(object.status, status);
        self.agrees(&object).await;
        Ok(object)
    }
}

/// The object with an id, wherever it stands in an answer.
fn with_id<'a>(answer: &'a Value, id: &str) -> Option<&'a Value> {
    match answer {
        Value::Object(fields) if fields.get("id").is_some_and(|found| found == id) => Some(answer),
        Value::Object(fields) => fields.values().find_map(|value| with_id(value, id)),
        Value::Array(values) => values.iter().find_map(|value| with_id(value, id)),
        _ => None,
    }
}

/// From every status of a machine every action is tried, and random legal ways are gone; the number of the refused.
async fn walk(server: &TestServer, schema: &str, machine: &Walked) -> Result<usize> {
    let mut walker = Walker::new(server, schema, machine).await?;
    let ways = walker.explore().await?;
    let statuses: Vec<String> = walker.moves.keys().cloned().collect();
    let mut tried = 0;
    for status in &statuses {
        let object = walker.reach(&ways, status).await?;
        let legal = walker.legal(status);
        for (action, _) in machine.actions.iter().filter(|(action, _)| !legal.contains(action)) {
            walker.refused(&object, action).await;
            tried += 1;
        }
    }
    let mut runner = TestRunner::deterministic();
    for _ in 0..6 {
        let choices = vec(any::<Index>(), 2..12).new_tree(&mut runner).unwrap().current();
        let (begin, choices) = choices.split_first().unwrap();
        let mut object = walker.reach(&ways, begin.get(statuses.as_slice()).as_str()).await?;
        for choice in choices {
            let mut open = walker.legal(&object.status);
            open.retain(|action| !ONCE.contains(action));
            open.retain(|action| *action != OF_THE_DAY || object.allowed.contains(*action));
            if open.is_empty() {
                break;
            }
            let action = *choice.get(open.as_slice());
            object = walker.go(&object, action).await;
            if LAST.contains(&action) {
                for (action, _) in machine.actions.iter().filter(|(name, _)| *name != "confidentialitySet") {
                    let errors = walker.act(&object, action).await;
                    assert_eq!(errors[0]["allowedActions"], json!([]), "{action} after {errors}");
                }
                break;
            }
        }
    }
    Ok(tried)
}

/// Walks a part of the machines, so that no test takes long.
async fn part(number: usize, of: usize) -> Result<()> {
    let (server, schema) = clinic().await?;
    for machine in WALKED.iter().skip(number).step_by(of) {
        let tried = walk(&server, &schema, machine).await?;
        eprintln!("{}: {tried} illegal actions tried", machine.machine);
    }
    Ok(())
}

/// A module for each part, with the same test in it.
macro_rules! in_parts {
    ($($name:ident)*) => {
        const PARTS: &[&str] = &[$(stringify!($name)),*];
        $(mod $name {
            #[tokio::test]
            async fn what_is_illegal_is_refused_and_what_is_legal_leads_where_the_table_says() -> super::Result<()> {
                let parts = super::PARTS;
                let number = parts.iter().position(|part| *part == stringify!($name));
                super::part(number.unwrap_or_default(), parts.len()).await
            }
        })*
    };
}
in_parts! { first second third fourth fifth sixth seventh eighth }

/// A machine that is new has no line yet, and this fails.
#[tokio::test]
async fn every_action_of_every_machine_is_walked() -> Result<()> {
    let (server, schema) = clinic().await?;
    let find =
        format!("SELECT DISTINCT machine, action FROM {schema}.status_transition WHERE from_status <> ''");
    let mut admin = server.installation.admin().await?;
    let rows: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(find)).fetch_all(&mut admin).await?;
    let mut actions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (machine, action) in rows {
        actions.entry(machine).or_default().extend((!action.is_empty()).then_some(action));
    }
    let silent: BTreeSet<&str> = SILENT.iter().map(|(machine, _)| *machine).collect();
    for (machine, actions) in &actions {
        let walked = WALKED.iter().find(|one| one.machine == machine);
        assert_eq!(walked.is_none(), silent.contains(machine.as_str()), "who walks the machine {machine}?");
        assert_eq!(walked.is_none(), actions.is_empty(), "{machine} has {actions:?}");
        let Some(walked) = walked else { continue };
        let tried = walked.actions.iter().map(|(action, _)| *action).chain(walked.apart.iter().copied());
        assert_eq!(&tried.map(str::to_owned).collect::<BTreeSet<_>>(), actions, "{machine}");
    }
    assert_eq!(actions.len(), WALKED.len() + SILENT.len());
    Ok(())
}
