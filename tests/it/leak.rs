//! What was told of a patient stands nowhere but in answers: not in the log at TRACE, not in a dump,
//! not in the files of the database, not in its write-ahead log, not in what Redis is told, in no mail.
//!
//! Every value is a canary, unlike any other text; it is looked for as it is and in the forms in which
//! texts hide: other case, UTF-16, hexadecimal, base64, URL and JSON escapes, reversed, and as an
//! unkeyed hash, since a hash that anybody can compute is as good as the text.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

mod forms;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result, ensure};
use chrono::TimeDelta;
use praxis::{
    App,
    config::{Log, LogFormat},
    telemetry,
};
use praxis_domain::audit;
use praxis_interop::fhir::{Input, Options, import};
use praxis_platform::{
    OpFactory, RequestInfo,
    access::Actor,
    audit::Waiting,
    clock::{Clock, SystemClock},
    vault::crypto,
};
use serde_json::{Value, json};
use sqlx::Executor;

use crate::{
    mail::{mailer, send_all},
    support::{people::Person, redis::TestRedis, server::TestServer, smtp::MailServer},
};
use forms::forms;

/// Texts unlike any other, each remembered.
#[derive(Default)]
struct Canaries(Vec<String>);

impl Canaries {
    /// A word that looks like a name.
    fn word(&mut self) -> String {
        let noise = crypto::random::<14>().unwrap();
        let letters = noise.iter().map(|byte| char::from(b'a' + byte % 26)).collect::<String>();
        self.note(format!("Zq{letters}"))
    }

    /// A number of this shape; each `#` becomes a digit.
    fn number(&mut self, shape: &str) -> String {
        let noise = crypto::random::<32>().unwrap();
        let mut digits = noise.iter().map(|byte| char::from(b'0' + byte % 10));
        let number = shape.chars().map(|c| if c == '#' { digits.next().unwrap() } else { c }).collect();
        self.note(number)
    }

    fn note(&mut self, text: String) -> String {
        self.0.push(text.clone());
        text
    }
}

/// Where to look.
#[derive(Default)]
struct Places(Vec<(String, Vec<u8>)>);

impl Places {
    fn add(&mut self, name: &str, content: Vec<u8>) {
        self.0.push((name.to_owned(), content));
    }

    /// Every file below a folder; files that go away meanwhile are none.
    fn add_folder(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                self.add_folder(&path);
            } else if let Ok(content) = fs::read(&path) {
                self.add(&path.display().to_string(), content);
            }
        }
    }

    /// What was found of the canaries, as `place: form of canary`.
    fn find(&self, canaries: &Canaries) -> Vec<String> {
        let forms: Vec<_> = canaries
            .0
            .iter()
            .flat_map(|canary| {
                forms(canary).into_iter().map(move |(form, bytes)| (format!("{form} of {canary}"), bytes))
            })
            .collect();
        let finder = AhoCorasick::new(forms.iter().map(|(_, bytes)| bytes)).unwrap();
        let mut found: Vec<_> = self
            .0
            .iter()
            .flat_map(|(place, content)| {
                finder.find_iter(content).map(|hit| (place, hit.pattern().as_usize())).collect::<Vec<_>>()
            })
            .filter_map(|(place, form)| Some(format!("{place}: {}", forms.get(form)?.0)))
            .collect();
        found.sort();
        found.dedup();
        found
    }
}

#[tokio::test]
async fn what_was_told_of_a_patient_stands_in_no_log_dump_or_file() -> Result<()> {
    let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("leak-{}.log", std::process::id()));
    let settings = Log { filter: "trace".to_owned(), format: LogFormat::Json };
    telemetry::init_to(&settings, fs::File::create(&log)?);

    let mut canaries = Canaries::default();
    let mut server = TestServer::new(&[("northside", "someone@praxis.test", "owner")]).await?;
    let redis = TestRedis::start().await?;
    let mut overheard = None;
    if let Some(redis) = &redis {
        overheard = Some(redis.overhear().await?);
        let config = server.installation.config_with(&[("redis.url", &redis.url())])?;
        server.app = App::build_with_clock(config, Arc::clone(&server.clock) as _).await?;
    }
    let post = MailServer::start(&[]).await;
    let owner = server.person("northside", "owner").await;
    let patient = tell_everything(&owner, &mut canaries).await;
    take_in_a_bundle(&server, &mut canaries).await?;
    ask_for_everything(&owner, &patient, &canaries).await;
    go_wrong_with_everything(&owner, &patient, &canaries).await;
    have_mails_sent(&server, &patient, &mut canaries, &post).await?;

    let mut places = Places::default();
    places.add("praxis.log", fs::read(&log)?);
    if let Some(overheard) = overheard {
        places.add("redis", overheard.so_far());
    }
    for mail in post.taken() {
        // Long lines are wrapped, which would hide a word.
        places.add(&format!("mail to {}", mail.to), mail.text.replace("=\r\n", "").into_bytes());
    }
    for (place, content) in &places.0 {
        ensure!(!content.is_empty(), "there is nothing in {place}");
    }
    places.add("dump", dump(&server.installation.url)?);
    let mut admin = server.installation.admin().await?;
    admin.execute("CHECKPOINT").await?;
    let folder: String = sqlx::query_scalar("SHOW data_directory").fetch_one(&mut admin).await?;
    let database: String =
        sqlx::query_scalar("SELECT oid::text FROM pg_database WHERE datname = current_database()")
            .fetch_one(&mut admin)
            .await?;
    let folder = Path::new(&folder);
    if folder.is_dir() {
        places.add_folder(&folder.join("base").join(database));
        places.add_folder(&folder.join("pg_wal"));
        ensure!(places.0.len() > 100, "the files of the database were not found");
        if let Some(log) = folder.parent().map(|home| home.join("postgres.log")).filter(|log| log.is_file()) {
            places.add("postgres.log", fs::read(log)?);
        }
    } else {
        eprintln!("NOT TESTED: the files of the database, because its server is elsewhere");
    }

    // Whoever looks has to be able to find.
    let mut planted = Places::default();
    planted.add("planted", format!("x={}", canaries.0.first().context("no canary")?.to_uppercase()).into());
    assert_eq!(planted.find(&canaries).len(), 1);

    assert_eq!(places.find(&canaries), Vec::<String>::new());
    fs::remove_file(log)?;
    Ok(())
}

/// Registers a patient with everything that can be said of one, and a visit that is called off.
async fn tell_everything(owner: &Person<'_>, canaries: &mut Canaries) -> String {
    owner.facility("MAIN").await;
    let practitioner = owner.clinician("Hale").await;
    let input = json!({
        "name": { "given": [canaries.word(), canaries.word()], "family": canaries.word(), "prefix": canaries.word() },
        "birthDate": canaries.note("1931-10-07".to_owned()),
        "administrativeSex": "FEMALE",
        "email": format!("{}@example.org", canaries.word().to_lowercase()),
        "phone": canaries.number("+4420794#####"),
        "mrn": canaries.number("QX-########-#"),
        "nationalId": canaries.number("Q#########"),
        "identifiers": [{ "system": "urn:insurance", "value": canaries.number("INS-#########") }],
        "contactPoints": [{ "system": "EMAIL", "value": format!("{}@example.net", canaries.word().to_lowercase()) }],
        "addresses": [{ "lines": [canaries.word()], "city": canaries.word(), "district": canaries.word(),
            "state": canaries.word(), "postalCode": canaries.number("ZQ######") }]
    });
    let payload = owner.run("patientCreate", "patient { id } userErrors { message path }", input).await;
    let patient = id(&payload, "patient");
    let related = json!({
        "patientId": patient,
        "relationship": { "text": canaries.word() },
        "name": { "given": [canaries.word()], "family": canaries.word() },
        "contactPoints": [{ "system": "EMAIL", "value": format!("{}@example.net", canaries.word().to_lowercase()) }]
    });
    let payload =
        owner.run("relatedPersonAdd", "relatedPerson { id } userErrors { message path }", related).await;
    id(&payload, "relatedPerson");
    let next_week = (SystemClock.now() + TimeDelta::days(7)).to_rfc3339();
    let visit = json!({ "patientId": patient, "practitionerId": practitioner, "type": "IN_PERSON",
        "startsAt": next_week, "reason": canaries.word() });
    let payload =
        owner.run("appointmentBook", "appointment { id version } userErrors { message }", visit).await;
    let cancel = json!({ "id": id(&payload, "appointment"), "ifVersion": payload.pointer("/appointment/version"),
        "reason": canaries.word() });
    id(
        &owner.run("appointmentCancel", "appointment { id } userErrors { message }", cancel).await,
        "appointment",
    );
    patient
}

fn id(payload: &Value, object: &str) -> String {
    let id = payload.pointer(&format!("/{object}/id")).and_then(Value::as_str);
    assert!(id.is_some(), "{payload}");
    id.unwrap_or_default().to_owned()
}

/// What has no mutation yet comes in by import.
async fn take_in_a_bundle(server: &TestServer, canaries: &mut Canaries) -> Result<()> {
    let mut coded = || json!({ "text": canaries.word(), "coding": [{ "system": "urn:codes", "code": canaries.word(), "display": canaries.word() }] });
    let codes = [(); 6].map(|()| coded());
    let [kind, reason, observed, problem, severity, site] = codes;
    let entry = |resource: Value| json!({ "resource": resource });
    let subject = json!({ "reference": "Patient/p" });
    let encounter = json!({ "reference": "Encounter/e" });
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        entry(json!({ "resourceType": "Patient", "id": "p", "birthDate": "1962-02-03", "name": [{ "family": canaries.word(), "given": [canaries.word()] }],
            "extension": [{ "url": "urn:unknown", "valueString": canaries.word() }] })),
        entry(json!({ "resourceType": "Encounter", "id": "e", "status": "finished", "class": { "code": "AMB" },
            "subject": subject, "type": [kind], "reasonCode": [reason] })),
        entry(json!({ "resourceType": "Observation", "id": "o", "status": "final", "code": observed, "subject": subject,
            "encounter": encounter, "valueString": canaries.word(), "note": [{ "text": canaries.word() }] })),
        entry(json!({ "resourceType": "Condition", "id": "c", "code": problem, "severity": severity, "bodySite": [site],
            "subject": subject, "encounter": encounter, "note": [{ "text": canaries.word() }],
            "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active" }] } })),
        entry(json!({ "resourceType": "AllergyIntolerance", "id": "a", "patient": subject, "code": { "text": canaries.word() } })),
    ]});
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("leak-{}.json", std::process::id()));
    fs::write(&file, bundle.to_string())?;
    let tenant = server.app.directory.by_slug("northside").context("no clinic")?;
    let platform = server.app.platform.clone();
    let clinic = OpFactory::new(platform, tenant, Actor::operator().into(), RequestInfo::default(), true);
    let report = import(
        &clinic,
        &Input::open(std::slice::from_ref(&file))?,
        Options { source: "", progress: &|_| {} },
    )
    .await?;
    fs::remove_file(file)?;
    ensure!(report.failed() == 0, "the bundle did not go in whole: {:?}", report.failures);
    Ok(())
}

/// Reads everything back, by every way of finding it.
async fn ask_for_everything(owner: &Person<'_>, patient: &str, canaries: &Canaries) {
    let chart = "{ id mrn name { full } birthDate email phone nationalId identifiers { value } addresses { lines city }
        relatedPersons { name { full } relationship { text } } appointments(first: 3) { nodes { reason cancelReason } }
        encounters(first: 3) { nodes { types { text } reasons { text } } } observations(first: 3) { nodes { code { text } notes } }
        conditions(first: 3) { nodes { code { text } severity { text } notes } } }";
    let find = format!(
        "query($search: String!) {{ patients(search: $search, first: 3) {{ totalCount nodes {chart} }} }}"
    );
    for word in canaries.0.iter().take(6) {
        owner.ask(&find, json!({ "search": word })).await;
    }
    let all =
        owner.ask(&format!("{{ patients(first: 3) {{ nodes {chart} }} }}"), json!({})).await.to_string();
    let seen = canaries.0.iter().filter(|canary| all.contains(canary.as_str())).count();
    // Some are kept and not shown: the residual of a resource, and what has no type yet.
    assert!(seen * 2 > canaries.0.len(), "{seen} of {} canaries can be read at all: {all}", canaries.0.len());
    owner
        .ask(
            &format!("query($id: ID!) {{ node(id: $id) {{ ... on Patient {chart} }} }}"),
            json!({ "id": patient }),
        )
        .await;
}

/// Sends the same texts where they do not belong, so that errors have something to repeat.
async fn go_wrong_with_everything(owner: &Person<'_>, patient: &str, canaries: &Canaries) {
    let update = "mutation($input: PatientUpdateInput!) { patientUpdate(input: $input) { patient { id } userErrors { message } } }";
    for canary in &canaries.0 {
        for (query, variables) in [
            ("query($id: ID!) { node(id: $id) { id } }", json!({ "id": canary })),
            ("query($n: Int!) { patients(first: $n) { nodes { id } } }", json!({ "n": canary })),
            (
                "query($after: String!) { patients(after: $after) { nodes { id } } }",
                json!({ "after": canary }),
            ),
            (
                update,
                json!({ "input": { "id": patient, "ifVersion": 99, "name": { "given": [canary], "family": canary } } }),
            ),
            (
                update,
                json!({ "input": { "id": patient, "ifVersion": 1, "birthDate": canary, "email": canary, "phone": canary } }),
            ),
            (
                update,
                json!({ "input": { "id": patient, "ifVersion": 1, "nationalId": format!("{canary}\0") } }),
            ),
        ] {
            owner.send(query, variables, &[("idempotency-key", canary)]).await;
        }
        owner.send(&format!("{{ patients(search: \"{canary}) "), json!({}), &[]).await;
        owner
            .send(
                &format!("{{ {} }}", canary.replace(|c: char| !c.is_ascii_alphanumeric(), "_")),
                json!({}),
                &[],
            )
            .await;
    }
}

/// Gives every reason to tell people something by mail: an emergency, an alert, an invitation, a reset.
async fn have_mails_sent(
    server: &TestServer,
    patient: &str,
    canaries: &mut Canaries,
    post: &MailServer,
) -> Result<()> {
    let nurse = server.proven("northside", "nurse").await;
    let owner = server.proven("northside", "owner").await;
    let rule = json!({ "kind": "MASS_READING", "threshold": 1 });
    owner.run("alertRuleUpdate", "userErrors { code }", rule).await;
    let emergency = json!({ "patientId": patient, "category": "THREAT_TO_LIFE", "classes": ["CLINICAL", "IDENTIFIERS"],
        "reason": format!("{} {} {}", canaries.word(), canaries.word(), canaries.word()) });
    let declared =
        nurse.run("breakGlassDeclare", "breakGlass { id } userErrors { code path }", emergency).await;
    let emergency = id(&declared, "breakGlass");
    nurse.run("breakGlassEnd", "breakGlass { id } userErrors { code }", json!({ "id": emergency })).await;
    let review = json!({ "id": emergency, "outcome": "UNJUSTIFIED",
        "comment": format!("{} {}", canaries.word(), canaries.word()) });
    let reviewed = owner.run("breakGlassReview", "breakGlass { id } userErrors { code path }", review).await;
    id(&reviewed, "breakGlass");
    let guest = json!({ "email": "guest@praxis.test", "displayName": "A Guest", "role": "nurse" });
    id(&owner.run("userInvite", "invitation { id } userErrors { code }", guest).await, "invitation");
    for path in ["/auth/password-reset", "/auth/magic-link"] {
        let body = json!({ "email": "someone@praxis.test" });
        server.post("northside.praxis.test", path, &[], body).await;
    }
    let tenant = server.app.directory.by_slug("northside").context("no clinic")?;
    let (platform, system) = (Arc::clone(&server.app.platform), Arc::new(Actor::system()));
    let system = OpFactory::new(platform, tenant, system, RequestInfo::default(), true);
    audit::keep(&system, &Waiting::default()).await?;
    send_all(&mailer(server, &server.app, &post.url()).await?).await?;
    let subjects: BTreeSet<_> = post.taken().iter().map(|mail| mail.header("Subject")).collect();
    ensure!(subjects.len() >= 5, "not every kind of mail was sent: {subjects:?}");
    Ok(())
}

/// What `pg_dump` makes of the database.
fn dump(url: &str) -> Result<Vec<u8>> {
    let dumped = Command::new("pg_dump").args(["--dbname", url]).output().context("pg_dump is needed")?;
    ensure!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    Ok(dumped.stdout)
}
