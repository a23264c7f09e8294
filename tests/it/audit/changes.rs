//! What a change replaced can be read from the log by whoever holds the keys, and by nobody else.

use anyhow::Result;
use praxis_entity::{audit_change, audit_entry, value::AuditChange};
use praxis_platform::{clock::Clock, vault::crypto};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::Clinic;
use crate::support::people::Person;

impl Clinic {
    /// Before and after of the last change under this action, with the proof that it is the one that was logged.
    async fn change(&self, action: &str) -> Result<(Value, Value)> {
        let op = self.system().read();
        let entry = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.eq(action))
            .filter(audit_entry::Column::Outcome.eq("OK"))
            .order_by_desc(audit_entry::Column::Id)
            .one(op.db())
            .await?
            .unwrap_or_else(|| panic!("no {action}"));
        let stored = audit_change::Entity::find_by_id(entry.id).one(op.db()).await?.unwrap();
        let key = op.data_key(stored.subject).await?;
        let place = op.place("audit_change", entry.id.0, stored.subject);
        let change: AuditChange = op.open_unseen(&key, &place, &stored.sealed).await?;
        let hash = crypto::sha256(&serde_json::to_vec(&change)?);
        assert_eq!(entry.change_hash.as_deref(), Some(hash.as_slice()), "{action}");
        // What is of a patient is sealed for the patient, and goes with their key.
        let tenant = op.tenant().uuid();
        assert_eq!(stored.subject, entry.patients.first().copied().unwrap_or(tenant), "{action}");
        Ok((change.before, change.after))
    }
}

#[tokio::test]
async fn what_a_change_replaced_is_kept_sealed_beside_its_entry() -> Result<()> {
    let clinic = Clinic::new().await?;
    let server = &clinic.server;
    let owner = server.proven("northside", "owner").await;
    let run = async |field: &str, select: &str, input: Value| {
        let payload = owner.run(field, &format!("{select} userErrors {{ code path message }}"), input).await;
        assert_eq!(payload["userErrors"], json!([]), "{field}: {payload}");
        payload
    };
    let day = |days: i64| (server.clock.now() + chrono::TimeDelta::days(days)).to_rfc3339();

    // The clinic's own.
    run("alertRuleUpdate", "alertRule { kind }", json!({ "kind": "MASS_READING", "threshold": 7 })).await;
    let (was, is) = clinic.change("alert-rule.amend").await?;
    assert_eq!((&was["threshold"], &is["threshold"]), (&json!(100), &json!(7)));

    for (minutes, version) in [(20, 0), (30, 1)] {
        let input = json!({ "idleMinutes": minutes, "ifVersion": version });
        run("sessionPolicySet", "sessionPolicy { version }", input).await;
    }
    assert_eq!(clinic.change("session-policy.set").await?, (json!(20), json!(30)));

    let role = json!({ "code": "scribe", "name": "Scribe", "description": "Writes", "permissions": ["patient:read"] });
    let role = run("roleCreate", "role { id version }", role).await["role"].clone();
    let change = json!({ "id": role["id"], "ifVersion": role["version"], "name": "Clerk",
        "permissions": ["patient:read", "patient.name:read"] });
    run("roleChange", "role { id }", change).await;
    let (was, is) = clinic.change("role.change").await?;
    assert_eq!((&was["name"], &is["name"]), (&json!("Scribe"), &json!("Clerk")));
    assert_eq!(was["permissions"], json!(["patient:read"]));
    assert_eq!(is["permissions"], json!(["patient.name:read", "patient:read"]));
    run("roleRequireSecondFactor", "required", json!({ "role": "scribe", "required": true })).await;
    assert_eq!(clinic.change("role.require-second-factor").await?, (json!(false), json!(true)));

    let mut policy = Value::Null;
    for reason in ["House rule.", "Decided again."] {
        let input =
            json!({ "type": "Patient", "field": "phone", "permission": "audit:read", "reason": reason });
        policy = run("fieldPolicySet", "fieldPolicy { id }", input).await["fieldPolicy"]["id"].clone();
    }
    let (was, is) = clinic.change("field-policy.set").await?;
    assert_eq!((&was["reason"], &is["reason"]), (&json!("House rule."), &json!("Decided again.")));
    run("fieldPolicyRemove", "removedId", json!({ "id": policy })).await;
    let (was, is) = clinic.change("field-policy.remove").await?;
    assert_eq!((&was["field"], &is), (&json!("Patient.phone"), &Value::Null));

    let provider = json!({ "name": "Hospital", "issuer": "https://idp.example.org", "clientId": "praxis",
        "clientSecret": "praxis-secret-praxis-secret-0123" });
    let provider = run("identityProviderAdd", "identityProvider { id version }", provider).await;
    let provider = &provider["identityProvider"];
    let change = json!({ "id": provider["id"], "ifVersion": provider["version"], "clientId": "other",
        "clientSecret": "praxis-secret-praxis-secret-4567" });
    run("identityProviderChange", "identityProvider { id }", change).await;
    let (was, is) = clinic.change("identity-provider.change").await?;
    assert_eq!((&was["clientId"], &is["clientId"]), (&json!("praxis"), &json!("other")));
    assert!(!format!("{was}{is}").contains("praxis-secret"));

    let users = owner.ask("{ viewer { id } }", json!({})).await;
    run("userRename", "user { id }", json!({ "id": users["viewer"]["id"], "displayName": "Ada Osei" })).await;
    assert_eq!(clinic.change("user.rename").await?.1, json!("Ada Osei"));

    // A patient's.
    let facility = owner.facility("MAIN").await;
    let doctor = owner.clinician("Hale").await;
    for (from, until) in [("09:00", "12:00"), ("10:00", "13:00")] {
        let hours = json!([{ "weekday": "MONDAY", "startsLocal": from, "endsLocal": until, "validFrom": "2026-01-01" }]);
        let input = json!({ "practitionerId": doctor, "facilityId": facility, "hours": hours });
        run("availabilitySet", "practitioner { id }", input).await;
    }
    let (was, is) = clinic.change("availability.set").await?;
    assert_eq!((&was[0]["from"], &is[0]["from"]), (&json!("09:00:00"), &json!("10:00:00")));

    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let visit =
        json!({ "patientId": patient, "practitionerId": doctor, "type": "IN_PERSON", "startsAt": day(7) });
    let visit = run("appointmentBook", "appointment { id version }", visit).await["appointment"].clone();
    let input = json!({ "id": visit["id"], "ifVersion": visit["version"], "startsAt": day(8) });
    run("appointmentReschedule", "appointment { id }", input).await;
    let (was, is) = clinic.change("appointment.reschedule").await?;
    assert_ne!(was["from"], is["from"]);
    assert_eq!(was["practitioner"], is["practitioner"]);
    run("confidentialitySet", "confidentiality", json!({ "id": patient, "confidentiality": "RESTRICTED" }))
        .await;
    assert_eq!(clinic.change("sensitivity.label").await?, (json!("N"), json!("R")));
    Ok(())
}

#[tokio::test]
async fn who_may_reads_what_a_change_replaced_and_an_auditor_does_not() -> Result<()> {
    let clinic = Clinic::new().await?;
    let server = &clinic.server;
    let owner = server.proven("northside", "owner").await;
    let auditor = server.person("northside", "auditor").await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let input = json!({ "id": patient, "ifVersion": 1, "name": { "given": ["Ada"], "family": "Hale" } });
    let amended = owner.run("patientUpdate", "patient { id } userErrors { code path message }", input).await;
    assert_eq!(amended["userErrors"], json!([]), "{amended}");
    let read = "query($actions: [String!]) { auditEntries(first: 5, filter: { actions: $actions }) { nodes { \
                changes { field before after } } } }";
    let asked = async |person: &Person| {
        let answer = person.send(read, json!({ "actions": ["patient.amend"] }), &[]).await.body;
        (
            answer["data"]["auditEntries"]["nodes"][0]["changes"].clone(),
            answer["extensions"]["redactions"].clone(),
        )
    };
    let (changes, kept) = asked(&owner).await;
    let changed = changes.as_array().unwrap();
    assert!(changes.to_string().contains("Hale") && changes.to_string().contains("Quill"), "{changes}");
    assert!(changed.iter().all(|one| one["before"] != one["after"]), "{changes}");
    assert_eq!(kept, Value::Null);
    let (changes, kept) = asked(&auditor).await;
    assert_eq!(changes, Value::Null);
    assert_eq!(kept[0]["permission"], json!("audit.change:read"), "{kept}");
    Ok(())
}

#[tokio::test]
async fn a_change_that_is_gone_or_another_one_is_found() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    let owner = clinic.server.proven("northside", "owner").await;
    for threshold in [7, 8] {
        let input = json!({ "kind": "MASS_READING", "threshold": threshold });
        owner.run("alertRuleUpdate", "userErrors { code }", input).await;
    }
    drop(owner);
    clinic.seal().await?;
    assert_eq!(clinic.first_bad(&[]), None);
    let count = clinic.number("SELECT count(*) FROM audit_change").await?;
    assert!(count >= 2, "{count}");
    clinic.tamper("CREATE TABLE saved AS SELECT * FROM audit_change; UPDATE audit_change SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)").await?;
    assert!(clinic.faults().iter().all(|fault| fault == "change"), "{:?}", clinic.faults());
    assert_eq!(i64::try_from(clinic.faults().len())?, count);
    clinic.tamper("DELETE FROM audit_change; INSERT INTO audit_change SELECT * FROM saved OFFSET 1").await?;
    assert_eq!(clinic.faults(), ["change"]);
    Ok(())
}
