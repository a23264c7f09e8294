//! What people see of the log: the report, the patient's own access log, disclosures, alerts.

use std::collections::BTreeSet;

use anyhow::Result;
use praxis_entity::ids::PatientId;
use praxis_platform::audit::{note::Verifier, proof, tree::leaf_hash};
use serde_json::{Value, json};

use super::Clinic;

const ACCESS_LOG: &str = "query($id: ID!) { patient(by: { id: $id }) { accessLog(first: 100) { totalCount nodes {
    id at actorKind actorName roles purpose action classes outcome breakGlass proof { index leafHash text line } } } } }";

#[tokio::test]
async fn the_access_log_names_every_reader_and_equals_the_chain() -> Result<()> {
    let clinic = Clinic::new().await?;
    let server = &clinic.server;
    let desk = server.person("northside", "receptionist").await;
    let physician = server.person("northside", "physician").await;
    let officer = server.person("northside", "privacy_officer").await;
    let (ada, bea) =
        (desk.register("Ada", "Quill", "1990-01-02").await, desk.register("Bea", "Rook", "1991-01-02").await);
    for reader in [&desk, &physician] {
        reader
            .ask("query($id: ID!) { patient(by: { id: $id }) { name { full } phone } }", json!({ "id": ada }))
            .await;
    }
    physician.ask("{ patients { nodes { name { full } } } }", json!({})).await;
    desk.ask("query($id: ID!) { patient(by: { id: $id }) { phone } }", json!({ "id": bea })).await;
    clinic.seal().await?;

    let log = officer.ask(ACCESS_LOG, json!({ "id": ada })).await["patient"]["accessLog"].clone();
    let nodes = log["nodes"].as_array().unwrap();
    assert_eq!(log["totalCount"], nodes.len());
    let readers: Vec<_> = nodes.iter().filter(|node| node["action"] == "disclose").collect();
    let roles: BTreeSet<_> = readers.iter().map(|node| node["roles"][0].as_str().unwrap()).collect();
    assert_eq!(roles, BTreeSet::from(["physician", "receptionist"]));
    assert!(readers.iter().all(|node| node["purpose"] == "TREAT" && node["breakGlass"] == false));
    for role in ["physician", "receptionist"] {
        let mut of_role = readers.iter().filter(|node| node["roles"][0] == role);
        assert!(
            of_role.any(|node| node["classes"].as_array().unwrap().contains(&json!("identity"))),
            "{role}"
        );
    }
    assert!(nodes.iter().all(|node| node["actorName"].is_string()));

    // The same entries as the exported chain has, and each is proved to be in it.
    let folder = clinic.export("chain")?;
    let id = ada.parse::<PatientId>()?.0.to_string();
    let lines = std::fs::read_to_string(folder.join("entries.jsonl"))?;
    let chain: BTreeSet<String> = lines
        .lines()
        .filter(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            entry["patients"].as_array().unwrap().contains(&json!(id))
        })
        .map(str::to_owned)
        .collect();
    let told: BTreeSet<String> =
        nodes.iter().map(|node| node["proof"]["line"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, chain);
    let key: Verifier = std::fs::read_to_string(folder.join("key.txt"))?.parse()?;
    for node in nodes {
        let (proof_of, line) = (&node["proof"], node["proof"]["line"].as_str().unwrap());
        let (index, _) = proof::verify(&key, leaf_hash(line.as_bytes()), proof_of["text"].as_str().unwrap())?;
        assert_eq!(proof_of["index"], index.to_string());
    }

    // Nobody but who may see it learns of it.
    let kept = physician.send(ACCESS_LOG, json!({ "id": ada }), &[]).await;
    assert_eq!(kept.body["data"]["patient"]["accessLog"]["nodes"], json!([]));
    Ok(())
}

#[tokio::test]
async fn the_report_is_filtered_sorted_by_anything_and_paged() -> Result<()> {
    let clinic = Clinic::new().await?;
    let server = &clinic.server;
    let (desk, auditor) = (
        server.person("northside", "receptionist").await,
        server.person("northside", "privacy_officer").await,
    );
    let ada = desk.register("Ada", "Quill", "1990-01-02").await;
    for _ in 0..7 {
        desk.ask("query Look($id: ID!) { patient(by: { id: $id }) { phone } }", json!({ "id": ada })).await;
    }
    let query = "query($filter: AuditFilter, $order: AuditOrder, $after: String) { auditEntries(first: 3, after: $after, filter: $filter, orderBy: $order) {
        totalCount pageInfo { hasNextPage endCursor } nodes { id at action outcome operationName actorName patientIds classes } } }";
    let filter = json!({ "patientIds": [ada], "actions": ["disclose"], "operationNames": ["Look"], "outcomes": ["OK"], "classes": ["contact"] });
    for by in [
        "AT",
        "ACTOR",
        "ACTOR_KIND",
        "ROLES",
        "SESSION",
        "FACILITY",
        "ACTION",
        "OBJECT_TYPE",
        "OBJECT",
        "OBJECT_VERSION",
        "PATIENTS",
        "CLASSES",
        "PURPOSE",
        "OPERATION",
        "SOURCE",
        "OUTCOME",
        "REASON",
        "TIMES",
        "BREAK_GLASS",
    ] {
        for ascending in [true, false] {
            let (mut seen, mut after) = (Vec::new(), Value::Null);
            loop {
                let variables = json!({ "filter": filter, "order": { "by": by, "ascending": ascending }, "after": after });
                let page = auditor.ask(query, variables).await["auditEntries"].clone();
                assert_eq!(page["totalCount"], 7);
                seen.extend(
                    page["nodes"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|node| node["id"].as_str().unwrap().to_owned()),
                );
                if page["pageInfo"]["hasNextPage"] == false {
                    break;
                }
                after = page["pageInfo"]["endCursor"].clone();
            }
            assert_eq!(seen.len(), 7, "{by}");
            let mut sorted = seen.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), 7, "{by}");
            if !ascending {
                sorted.reverse();
            }
            assert_eq!(seen, sorted, "{by}: the same values, so by time");
        }
    }
    Ok(())
}

#[tokio::test]
async fn disclosures_are_accounted_for() -> Result<()> {
    let clinic = Clinic::new().await?;
    let server = &clinic.server;
    let (desk, officer) = (
        server.person("northside", "receptionist").await,
        server.person("northside", "privacy_officer").await,
    );
    let ada = desk.register("Ada", "Quill", "1990-01-02").await;
    let day = |days: i64| {
        (server.installation.clock.now() - chrono::TimeDelta::days(days))
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let input = |purpose: &str, at: String, recipient: &str| json!({ "patientId": ada, "disclosedAt": at, "purpose": purpose, "recipient": recipient, "description": "Immunisation record", "reason": "Asked by letter" });
    let select = "disclosure { id recipient purpose } userErrors { code path }";
    let run = async |input: Value| officer.run("disclosureRecord", select, input).await;
    let told = run(input("PUBLIC_HEALTH", day(2), "County health department")).await;
    assert_eq!(told["disclosure"]["recipient"], "County health department");
    run(input("TREATMENT", day(1), "Dr Okafor")).await;
    for (bad, path, code) in [
        (input("RESEARCH", day(-1), "X"), "disclosedAt", "OUT_OF_RANGE"),
        (input("RESEARCH", day(3_000), "X"), "disclosedAt", "OUT_OF_RANGE"),
        (input("RESEARCH", day(1), "  "), "recipient", "REQUIRED"),
        (input("RESEARCH", day(1), &"x".repeat(201)), "recipient", "TOO_LONG"),
    ] {
        let refused = run(bad).await;
        assert_eq!(refused["userErrors"][0]["code"], code);
        assert_eq!(refused["userErrors"][0]["path"].as_array().unwrap().last().unwrap(), path);
    }
    let query = "query($id: ID!, $only: Boolean!) { patient(by: { id: $id }) { disclosures(accountableOnly: $only) { totalCount nodes { recipient purpose description reason recordedBy } } } }";
    for (only, recipients) in
        [(false, vec!["Dr Okafor", "County health department"]), (true, vec!["County health department"])]
    {
        let list =
            officer.ask(query, json!({ "id": ada, "only": only })).await["patient"]["disclosures"].clone();
        let found: Vec<_> = list["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["recipient"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, recipients);
        assert_eq!(list["totalCount"], recipients.len());
    }
    let refused = desk.send("mutation($input: DisclosureRecordInput!) { disclosureRecord(input: $input) { userErrors { code } } }", json!({ "input": input("RESEARCH", day(1), "X") }), &[]).await;
    assert_eq!(refused.code(), "FORBIDDEN");
    Ok(())
}

pub(super) const ALERTS: &str =
    "{ securityAlerts(status: OPEN) { nodes { id version kind seen threshold actorName patientId } } }";

#[tokio::test]
async fn suspicious_access_raises_one_alert_each_and_somebody_else_closes_it() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.server.user("northside", "quill@example.org", "physician").await?;
    {
        let server = &clinic.server;
        let owner = server.person("northside", "owner").await;
        let physician = server.person("northside", "physician").await;
        let officer = server.person("northside", "privacy_officer").await;
        let set = |kind: &str, threshold: i32| json!({ "kind": kind, "threshold": threshold });
        let select = "alertRule { kind threshold windowMinutes } userErrors { code }";
        let rule = owner.run("alertRuleUpdate", select, set("MASS_READING", 3)).await;
        assert_eq!(rule["alertRule"], json!({ "kind": "MASS_READING", "threshold": 3, "windowMinutes": 60 }));
        assert_eq!(
            owner.run("alertRuleUpdate", select, set("MASS_READING", 0)).await["userErrors"][0]["code"],
            "OUT_OF_RANGE"
        );
        owner.run("alertRuleUpdate", select, set("FAILED_SIGN_INS", 4)).await;

        let mut patients = Vec::new();
        for (family, born) in [("Quill", "1990-01-02"), ("Rook", "1961-03-04"), ("Stone", "1975-05-06")] {
            patients.push(owner.register("Ada", family, born).await);
        }
        let read = "query($id: ID!) { patient(by: { id: $id }) { name { full } } }";
        for patient in &patients[..2] {
            physician.ask(read, json!({ "id": patient })).await;
        }
        clinic.seal().await?;
        // Registering shows record numbers: the owner's own readings count as well, but not here.
        let kinds = async || {
            let alerts = officer.ask(ALERTS, json!({})).await["securityAlerts"]["nodes"].clone();
            let others = alerts.as_array().unwrap().iter().filter(|alert| {
                !alert["actorName"].as_str().is_some_and(|name| name.starts_with("User owner"))
            });
            let mut kinds: Vec<_> = others.map(|alert| alert["kind"].as_str().unwrap().to_owned()).collect();
            kinds.sort_unstable();
            kinds
        };
        assert!(kinds().await.iter().all(|kind| kind != "MASS_READING"));
        for _ in 0..2 {
            physician.ask(read, json!({ "id": patients[2] })).await;
            clinic.seal().await?;
        }
        assert_eq!(kinds().await.iter().filter(|kind| *kind == "MASS_READING").count(), 1);

        // Their own chart, and one that shares a telephone number with it.
        let answer = server
            .login("northside.praxis.test", "quill@example.org", crate::support::server::PASSWORD)
            .await;
        let bearer = format!("Bearer {}", answer.body["accessToken"].as_str().unwrap());
        for patient in &patients[..2] {
            let body = json!({ "query": read, "variables": { "id": patient } });
            server.post("northside.praxis.test", "/graphql", &[("authorization", &bearer)], body).await;
        }
        for _ in 0..5 {
            server.login("northside.praxis.test", "quill@example.org", "not the password").await;
        }
        clinic.seal().await?;
        let found = kinds().await;
        for kind in ["OWN_RECORD", "OWN_FAMILY", "FAILED_SIGN_INS", "MASS_READING"] {
            assert_eq!(found.iter().filter(|found| *found == kind).count(), 1, "{kind} among {found:?}");
        }
        let alerts = officer.ask(ALERTS, json!({})).await["securityAlerts"]["nodes"].clone();
        let own =
            alerts.as_array().unwrap().iter().find(|alert| alert["kind"] == "OWN_RECORD").unwrap().clone();
        assert_eq!(own["patientId"], patients[0].as_str());
        let close =
            |version: &Value| json!({ "id": own["id"], "ifVersion": version, "resolution": "JUSTIFIED" });
        let select = "securityAlert { status resolution closedBy } userErrors { code }";
        let query = format!(
            "mutation($input: SecurityAlertCloseInput!) {{ securityAlertClose(input: $input) {{ {select} }} }}"
        );
        // A retry gets the first answer.
        for replayed in [json!(null), json!(["securityAlertClose"])] {
            let input = json!({ "input": close(&own["version"]) });
            let closed = officer.send(&query, input, &[("idempotency-key", "close")]).await.body;
            let payload = &closed["data"]["securityAlertClose"];
            assert_eq!(payload["securityAlert"]["resolution"], "JUSTIFIED", "{closed}");
            assert_eq!(closed["extensions"]["idempotentReplay"], replayed);
        }
        let again = officer.run("securityAlertClose", select, close(&json!(2))).await;
        assert_eq!(again["userErrors"][0]["code"], "INVALID_TRANSITION");
    }
    // Told by mail, without a name.
    let mails = clinic.number("SELECT count(*) FROM mail_message WHERE template = 'security_alert'").await?;
    assert!(mails >= 4, "{mails}");
    Ok(())
}
