//! Clinics follow their template where they changed nothing, and keep what they made their own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{collections::BTreeSet, env, fs, path::Path, path::PathBuf};

use anyhow::Result;
use praxis_domain::template;
use praxis_platform::template::{Source, Template};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::{installation::TestInstallation, people::Person, server::TestServer};

/// What the next version of a template says: file, what it said, what it says.
type Edit = (&'static str, &'static str, &'static str);

const NEXT: &[Edit] = &[
    ("general-practice/template.yaml", "version: 1.0.0", "version: 1.1.0"),
    // Left alone by the clinic.
    ("base/visit_types.yaml", "name: Nurse visit", "name: Nurse appointment"),
    ("base/roles.yaml", "name: Receptionist", "name: Front desk"),
    ("base/field_policies.yaml", "Whoever may not see the birth date", "Who may not see the birth date"),
    ("base/note_templates/soap.md", "Vital signs, examination, results.", "Vital signs and what was found."),
    (
        "base/rules.yaml",
        "severity: CRITICAL\n  evidence: National",
        "severity: WARNING\n  evidence: National",
    ),
    // Made its own.
    ("base/visit_types.yaml", "name: Follow-up", "name: Return visit"),
    ("base/roles.yaml", "name: Nurse\n", "name: Registered nurse\n"),
    ("base/rules.yaml", "title: Fever in an infant", "title: An infant with fever"),
    // New.
    (
        "general-practice/visit_types.yaml",
        "- key: annual_physical",
        "- key: foot_care\n  name: Foot care\n  description: For diabetics.\n  modality: IN_PERSON\n  duration_minutes: 30\n  colour: \"#1A7F37\"\n  bookable_roles: [nurse]\n\n- key: annual_physical",
    ),
    (
        "base/roles.yaml",
        "- code: owner",
        "- code: scribe\n  name: Scribe\n  description: Writes down what is said.\n  landing_order: 70\n  permissions: [\"patient:read\"]\n\n- code: owner",
    ),
    // Left out.
    ("base/specialties.yaml", "- code: 363A00000X\n  display: Physician assistant\n", ""),
    ("general-practice/note_templates/minor_procedure.md", "", ""),
];

/// The shipped templates with edits, in a folder; a file whose edit is nothing at all is left out.
struct Folder(PathBuf);

impl Folder {
    fn with(edits: &[Edit]) -> Result<Self> {
        let noise = praxis_platform::vault::crypto::random::<8>()?;
        let folder = env::temp_dir().join(format!("praxis-templates-{}", u64::from_be_bytes(noise)));
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("tenant-templates");
        for name in ["base", "general-practice"] {
            fs::create_dir_all(folder.join(name).join("note_templates"))?;
            for place in [name.to_owned(), format!("{name}/note_templates")] {
                for file in fs::read_dir(shipped.join(&place))? {
                    let file = file?.path();
                    if file.is_file() {
                        fs::copy(&file, folder.join(&place).join(file.file_name().unwrap()))?;
                    }
                }
            }
        }
        for (file, said, says) in edits {
            let file = folder.join(file);
            let text = fs::read_to_string(&file)?;
            assert!(text.contains(said), "{} {said}", file.display());
            if said.is_empty() {
                fs::remove_file(file)?;
            } else {
                fs::write(file, text.replacen(said, says, 1))?;
            }
        }
        Ok(Self(folder))
    }

    fn arguments<'a>(&'a self, verb: &'a str, which: &[&'a str]) -> Vec<&'a str> {
        let folder = ["--templates", self.0.to_str().unwrap()];
        ["template", verb].into_iter().chain(which.iter().copied()).chain(folder).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Runs the command line; its exit code and the events that it told.
fn praxis(installation: &TestInstallation, arguments: &[&str]) -> (i32, Vec<Value>) {
    let output = installation.command().args(arguments).output().unwrap();
    let told: serde_json::Result<_> = serde_json::from_slice(&output.stdout);
    assert!(told.is_ok(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), told.unwrap())
}

/// What became of rows, as `kind key fate`.
fn fates(events: &[Value]) -> BTreeSet<String> {
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let of = events.iter().filter(|event| event["event"] == "change");
    of.map(|event| ["kind", "key", "fate"].map(|name| text(event, name)).join(" ")).collect()
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// All that templates fill, as text.
async fn rows(server: &TestServer) -> Result<String> {
    let mut sql = server.installation.tenant_connection("northside").await?;
    let tables =
        ["role", "role_permission", "field_policy", "visit_type", "specialty", "note_template", "rule"];
    let mut all = String::new();
    for table in tables {
        let rows =
            format!("SELECT string_agg(to_jsonb(t)::text, ' ' ORDER BY to_jsonb(t)::text) FROM {table} t");
        all += &sqlx::query_scalar::<_, String>(AssertSqlSafe(rows)).fetch_one(&mut sql).await?;
    }
    Ok(all)
}

async fn number(server: &TestServer, query: &'static str) -> Result<i64> {
    let mut sql = server.installation.tenant_connection("northside").await?;
    Ok(sqlx::query_scalar(query).fetch_one(&mut sql).await?)
}

/// The member of a list of the API.
async fn find(owner: &Person<'_>, list: &str, member: &str, is: &str) -> Value {
    let data = owner.ask(&format!("{{ {list} }}"), json!({})).await;
    let all = data.as_object().unwrap().values().next().unwrap().as_array().unwrap();
    all.iter().find(|one| one[member] == is).unwrap().clone()
}

/// A clinic that made some of its rows its own, through the API.
async fn clinic() -> Result<TestServer> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let owner = server.prove("northside", "owner@praxis.test").await;
    let visit = find(&owner, "visitKinds { id key version }", "key", "follow_up").await;
    let nurse = find(&owner, "roles { id code version }", "code", "nurse").await;
    let note = find(&owner, "documentTemplates { id title version }", "title", "Telephone encounter").await;
    let policy = find(&owner, "fieldPolicies { id field }", "field", "balance").await;
    let rule = find(&owner, "rules { id code version }", "code", "infant-fever").await;
    for (mutation, row, more) in [
        ("visitKindConfigure", &visit, json!({ "durationMinutes": 25 })),
        ("roleChange", &nurse, json!({ "name": "Sister" })),
        ("documentTemplateRetire", &note, json!({})),
        ("fieldPolicyRemove", &policy, json!({})),
        ("ruleRetire", &rule, json!({})),
    ] {
        let mut input = more;
        input["id"] = row["id"].clone();
        if row["version"].is_number() {
            input["ifVersion"] = row["version"].clone();
        }
        let payload = owner.run(mutation, "userErrors { code message }", input).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}");
    }
    let scribe = json!({ "code": "scribe", "name": "Our scribe", "description": "Ours.", "permissions": [] });
    owner.run("roleCreate", "userErrors { code }", scribe).await;
    Ok(server)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_clinic_left_alone_follows_and_what_it_made_its_own_stays() -> Result<()> {
    let server = clinic().await?;
    let next = Folder::with(NEXT)?;
    let own = "visit_type follow_up conflict
        role nurse conflict
        role scribe conflict
        note_template telephone_encounter kept
        field_policy Patient.balance kept
        rule infant-fever conflict";
    let done = "visit_type nurse_visit renewed
        role receptionist renewed
        field_policy Patient.nationalId renewed
        note_template soap renewed
        rule oxygen-low renewed
        visit_type foot_care added
        specialty 363A00000X retired
        note_template minor_procedure retired";
    let before = rows(&server).await?;
    let (code, planned) = praxis(&server.installation, &next.arguments("plan", &["--tenant", "northside"]));
    assert_eq!((code, fates(&planned)), (3, lines(&format!("{own}\n{done}"))));
    assert_eq!(rows(&server).await?, before, "a plan changes nothing");

    let (code, applied) = praxis(&server.installation, &next.arguments("apply", &["--all"]));
    assert_eq!((code, fates(&applied)), (0, fates(&planned)));
    let sum = applied.last().unwrap();
    assert_eq!((&sum["from"], &sum["to"]), (&json!("1.0.0"), &json!("1.1.0")));
    // Rows know where they are from; what is the clinic's own still says from when.
    let told = "SELECT count(*) FROM visit_type WHERE (key, name, duration_minutes) IN
        (('nurse_visit', 'Nurse appointment', 15), ('follow_up', 'Follow-up', 25), ('foot_care', 'Foot care', 30))";
    assert_eq!(number(&server, told).await?, 3);
    let gone = "SELECT (SELECT count(*) FROM specialty WHERE retired AND template_key = '363A00000X')
        + (SELECT count(*) FROM note_template WHERE retired) + (SELECT count(*) FROM role WHERE retired)";
    assert_eq!(number(&server, gone).await?, 3, "retired, and nothing is deleted");
    // Documents that were begun from the note before know it as it was; the rule's edition before is out of use.
    let kept =
        "SELECT (SELECT count(*) FROM note_template_version v JOIN note_template t ON t.id = v.template_id
            WHERE t.template_key = 'soap')
        + (SELECT count(*) FROM rule WHERE code = 'oxygen-low'
            AND (edition, status, severity) IN ((1, 'RETIRED', 'CRITICAL'), (2, 'ACTIVE', 'WARNING')))";
    assert_eq!(number(&server, kept).await?, 4);
    let entries =
        "SELECT count(*) FROM audit_entry WHERE action = 'template.apply' AND change_hash IS NOT NULL";
    assert_eq!(number(&server, entries).await?, 8);
    let mut admin = server.installation.admin().await?;
    let noted = "SELECT count(*) FROM control.tenant t JOIN control.tenant_event e ON e.tenant_id = t.id
        WHERE t.template_version = '1.1.0' AND e.kind = 'TEMPLATE_APPLIED' AND e.detail->>'from_version' = '1.0.0'";
    assert_eq!(sqlx::query_scalar::<_, i64>(noted).fetch_one(&mut admin).await?, 1);

    // Again there is nothing to do; what is in conflict is said again.
    let after = rows(&server).await?;
    for (verb, expected) in [("plan", 0), ("apply", 0)] {
        let (code, told) = praxis(&server.installation, &next.arguments(verb, &["--tenant", "northside"]));
        assert_eq!((code, fates(&told)), (expected, lines(own)), "{verb}");
    }
    assert_eq!(rows(&server).await?, after);

    // What left and comes back is in use again, and what only the other version knew goes.
    let (code, back) = praxis(&server.installation, &["template", "apply", "--tenant", "northside"]);
    let fates = fates(&back);
    for line in [
        "specialty 363A00000X renewed",
        "note_template minor_procedure renewed",
        "visit_type foot_care retired",
    ] {
        assert!(fates.contains(line), "{fates:?}");
    }
    assert_eq!(code, 0);
    assert_eq!(number(&server, gone).await?, 1, "only what the clinic itself took out of use");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_that_would_lose_its_last_owner_stays_as_it_is_and_the_others_go_on() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    // Nobody is an owner there yet.
    server.installation.provision("harbor").await?;
    let next = Folder::with(&[
        ("general-practice/template.yaml", "version: 1.0.0", "version: 2.0.0"),
        ("base/roles.yaml", "- code: owner", "- code: principal"),
    ])?;
    let before = rows(&server).await?;
    let (code, told) = praxis(&server.installation, &next.arguments("apply", &["--all"]));
    assert_eq!(code, 4, "{told:?}");
    assert_eq!(rows(&server).await?, before);
    let failed: Vec<_> = told.iter().filter(|event| event["event"] == "failed").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["tenant"], "northside");
    let mut admin = server.installation.admin().await?;
    let versions = "SELECT slug || ' ' || template_version FROM control.tenant ORDER BY 1";
    let versions: Vec<String> = sqlx::query_scalar(versions).fetch_all(&mut admin).await?;
    assert_eq!(versions, ["harbor 2.0.0", "northside 1.0.0"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_does_not_come_out_as_its_cases_say_is_given_to_nobody() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    for (said, says) in
        [("vitals.spo2 < 92\n", "vitals.spo2 < 90\n"), ("vitals.spo2 < 92\n", "vitals.spo3 < 92\n")]
    {
        let next = Folder::with(&[("base/rules.yaml", said, says)])?;
        let (code, told) = praxis(&server.installation, &next.arguments("apply", &["--all"]));
        assert_eq!((code, &told[0]["event"]), (1, &json!("failed")), "{told:?}");
        assert!(told[0]["error"].as_str().unwrap().contains("oxygen-low"), "{told:?}");
    }
    assert_eq!(number(&server, "SELECT count(*) FROM rule WHERE edition > 1").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_after_its_commit_is_noted_by_the_next() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let next = Folder::with(&NEXT[..2])?;
    let template = Template::load(&Source::directory(&next.0)?, "general-practice")?;
    let op = server.as_system("northside").await?;
    let plan = template::plan(&op, &template, None).await?;
    template::apply(&op, plan).await?;
    op.commit().await?;
    let which = ["--tenant", "northside"];
    let (code, told) = praxis(&server.installation, &next.arguments("plan", &which));
    assert_eq!((code, fates(&told)), (3, BTreeSet::new()), "only the version is behind");
    assert_eq!(praxis(&server.installation, &next.arguments("apply", &which)).0, 0);
    assert_eq!(praxis(&server.installation, &next.arguments("plan", &which)).0, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_goes_over_to_another_template_and_an_older_build_is_no_obstacle() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let mut sql = server.installation.tenant_connection("northside").await?;
    // Seeded by a build that knew less: rows are renewed, whoever changed nothing.
    sql.execute("UPDATE role SET template_hash = 'older', description = 'Older.' WHERE code = 'nurse'")
        .await?;
    let (code, told) = praxis(
        &server.installation,
        &["template", "apply", "--tenant", "northside", "--template", "hospital"],
    );
    let fates = fates(&told);
    assert_eq!(code, 0);
    assert!(
        fates.contains("role nurse renewed") && fates.contains("visit_type travel_advice retired"),
        "{fates:?}"
    );
    let (code, told) = praxis(&server.installation, &["template", "plan", "--all"]);
    assert_eq!((code, told.last().unwrap()["template"].as_str()), (0, Some("hospital")), "{told:?}");
    // Roles alone go the same way.
    let (code, told) = praxis(&server.installation, &["role", "ensure", "--all"]);
    assert_eq!((code, &told[0]["made"], &told[0]["renewed"]), (0, &json!([]), &json!([])));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_follows_its_template_under_ids_of_its_own() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let clone = ["tenant", "clone", "northside", "--as", "sandbox"];
    assert!(server.installation.command().args(clone).output()?.status.success());
    let (code, told) = praxis(&server.installation, &["template", "plan", "--all"]);
    assert_eq!((code, fates(&told)), (0, BTreeSet::new()), "{told:?}");
    let next = Folder::with(&NEXT[..6])?;
    let (code, told) = praxis(&server.installation, &next.arguments("apply", &["--tenant", "sandbox"]));
    let done = "visit_type nurse_visit renewed
        role receptionist renewed
        field_policy Patient.nationalId renewed
        note_template soap renewed
        rule oxygen-low renewed";
    assert_eq!((code, fates(&told)), (0, lines(done)));
    let (code, told) = praxis(&server.installation, &next.arguments("plan", &["--tenant", "sandbox"]));
    assert_eq!((code, fates(&told)), (0, BTreeSet::new()));
    let (code, told) = praxis(&server.installation, &["role", "ensure", "--all"]);
    assert_eq!((code, &told[0]["error"], &told[1]["error"]), (0, &Value::Null, &Value::Null), "{told:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_left_the_template_comes_back_with_it() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let without = Folder::with(&[("base/rules.yaml", "code: oxygen-low", "code: oxygen-lower")])?;
    let which = ["--tenant", "northside"];
    let (code, told) = praxis(&server.installation, &without.arguments("apply", &which));
    assert_eq!((code, fates(&told)), (0, lines("rule oxygen-low retired\nrule oxygen-lower added")));
    let (code, told) = praxis(&server.installation, &["template", "apply", "--all"]);
    assert_eq!((code, fates(&told)), (0, lines("rule oxygen-low renewed\nrule oxygen-lower retired")));
    let in_use = "SELECT count(*) FROM rule WHERE (code, edition, status) IN
        (('oxygen-low', 1, 'RETIRED'), ('oxygen-low', 2, 'ACTIVE'), ('oxygen-lower', 1, 'RETIRED'))";
    assert_eq!(number(&server, in_use).await?, 3);
    assert_eq!(praxis(&server.installation, &["template", "plan", "--all"]).0, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn going_over_to_another_template_a_clinic_that_was_killed_does_not_go_back() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let schema = "SELECT schema_name FROM control.tenant";
    let mut admin = server.installation.admin().await?;
    let schema: String = sqlx::query_scalar(schema).fetch_one(&mut admin).await?;
    // Its rows can be read, and not written.
    let stall = format!("BEGIN; LOCK TABLE {schema}.visit_type IN SHARE MODE");
    admin.execute(sqlx::raw_sql(AssertSqlSafe(stall))).await?;
    let over = ["template", "apply", "--tenant", "northside", "--template", "hospital"];
    let mut killed = server.installation.spawn_plainly(&over, &[])?;
    let mut other = server.installation.admin().await?;
    while sqlx::query_scalar::<_, String>("SELECT template FROM control.tenant").fetch_one(&mut other).await?
        != "hospital"
    {
        assert!(killed.try_wait()?.is_none(), "it did not wait");
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    killed.kill().await?;
    admin.execute("ROLLBACK").await?;
    let (code, told) = praxis(&server.installation, &["template", "apply", "--all"]);
    assert_eq!((code, &told.last().unwrap()["template"]), (0, &json!("hospital")), "{told:?}");
    let (code, told) = praxis(&server.installation, &["template", "plan", "--all"]);
    assert_eq!((code, &told.last().unwrap()["to"]), (0, &json!("1.0.0")), "{told:?}");
    Ok(())
}
