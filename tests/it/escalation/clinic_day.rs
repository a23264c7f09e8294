//! The same in a clinic's day: what is hidden is neither changed nor told by what surrounds it.

use super::*;

async fn deny(owner: &Person<'_>, patient: &str, class: &str, role: &str) {
    let input = json!({ "patientId": patient, "decision": "DENY", "class": class, "whom": { "role": role } });
    let denied = owner.run("consentRecord", "consent { id } userErrors { code path }", input).await;
    assert_eq!(denied["userErrors"], json!([]));
}

fn penicillin(patient: &str) -> Value {
    let code = json!({ "codings": [{ "system": "http://snomed.info/sct", "code": "764146007" }] });
    json!({ "patientId": patient, "code": code })
}

#[tokio::test]
async fn an_emergency_opens_allergies_documents_and_alerts_of_a_restricted_record() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let stated = owner.run("allergyRecord", "allergy { id } userErrors { code }", penicillin(&patient)).await;
    assert_eq!(stated["userErrors"], json!([]));
    owner
        .run(
            "confidentialitySet",
            "confidentiality",
            json!({ "id": patient, "confidentiality": "RESTRICTED" }),
        )
        .await;
    let physician = clinic.server.proven(SLUG, "physician").await;
    let seen = async || {
        let query = "query($id: ID!) { patient(by: { id: $id }) { \
                     allergies { nodes { code { codings { code } } } } redactions { field breakGlass } } }";
        physician.ask(query, json!({ "id": patient })).await["patient"].clone()
    };
    let closed = seen().await;
    let code = |seen: &Value| seen["allergies"]["nodes"][0]["code"]["codings"][0]["code"].clone();
    assert_eq!(code(&closed), Value::Null, "{closed}");
    let kept = json!({ "field": "allergies", "breakGlass": true });
    assert!(closed["redactions"].as_array().unwrap().contains(&kept), "{closed}");
    let emergency = json!({ "patientId": patient, "category": "THREAT_TO_LIFE", "classes": ["CLINICAL"],
        "reason": "Unconscious after a fall, allergies unknown" });
    let declared =
        physician.run("breakGlassDeclare", "breakGlass { id } userErrors { code path }", emergency).await;
    assert_eq!(declared["userErrors"], json!([]));
    assert_eq!(code(&seen().await), "764146007");
    Ok(())
}

#[tokio::test]
async fn nobody_changes_a_visit_that_is_hidden_from_them() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    owner.facility("MAIN").await;
    let doctor = owner.clinician("Osei").await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let book = json!({ "patientId": patient, "practitionerId": doctor, "type": "PHONE", "startsAt": "2027-04-01T10:00:00Z" });
    let booked =
        owner.run("appointmentBook", "appointment { id version } userErrors { message }", book).await;
    let visit = &booked["appointment"];
    deny(&owner, &patient, "VISITS", "receptionist").await;
    let clerk = clinic.server.person(SLUG, "receptionist").await;
    let cancel = json!({ "id": visit["id"], "ifVersion": visit["version"] });
    let select = "appointment { startsAt } userErrors { code path }";
    let refused = clerk.run("appointmentCancel", select, cancel).await;
    assert_eq!(
        refused,
        json!({ "appointment": null, "userErrors": [{ "code": "NOT_FOUND", "path": ["input", "id"] }] })
    );
    Ok(())
}

#[tokio::test]
async fn who_may_not_know_of_allergies_learns_nothing_by_recording_one() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    let (with, without) = (
        owner.register("Ada", "Quill", "1990-01-02").await,
        owner.register("Bea", "Rook", "1971-06-05").await,
    );
    owner.run("allergyRecord", "allergy { id } userErrors { code }", penicillin(&with)).await;
    for patient in [&with, &without] {
        deny(&owner, patient, "CLINICAL", "nurse").await;
    }
    let nurse = clinic.server.person(SLUG, "nurse").await;
    for patient in [&with, &without] {
        let none = json!({ "codings": [{ "system": "http://snomed.info/sct", "code": "716186003" }] });
        let input = json!({ "patientId": patient, "code": none });
        assert_eq!(refused(&nurse, "allergyRecord", input).await, "CONSENT_REQUIRED");
    }
    Ok(())
}

#[tokio::test]
async fn a_timeline_and_a_gate_tell_nothing_of_what_is_closed() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let made =
        owner.run("encounterCreate", "encounter { id } userErrors { code }", json!({ "patientId": patient }));
    let encounter = made.await["encounter"]["id"].clone();
    let mut stated = penicillin(&patient);
    stated["encounterId"] = encounter.clone();
    owner.run("allergyRecord", "allergy { id } userErrors { code }", stated).await;
    let seen = async |person: &Person<'_>| {
        let query = "query($id: ID!) { encounter(id: $id) { closeRequirements { code } \
                     timeline { totalCount nodes { kind } } } }";
        person.ask(query, json!({ "id": encounter })).await["encounter"].clone()
    };
    let physician = clinic.server.person(SLUG, "physician").await;
    let all = seen(&physician).await;
    assert_eq!(
        all["timeline"]["nodes"],
        json!([{ "kind": "ENCOUNTER_PLANNED" }, { "kind": "ALLERGY_RECORDED" }])
    );
    assert!(all["closeRequirements"].is_array());
    let clerk = clinic.server.person(SLUG, "receptionist").await;
    let told = json!({ "closeRequirements": null,
        "timeline": { "totalCount": 1, "nodes": [{ "kind": "ENCOUNTER_PLANNED" }] } });
    assert_eq!(seen(&clerk).await, told);
    deny(&owner, &patient, "CLINICAL", "physician").await;
    assert_eq!(seen(&physician).await["timeline"], told["timeline"]);
    Ok(())
}

#[tokio::test]
async fn a_visit_is_planned_only_where_its_planner_may_plan() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    let (north, south) = (owner.facility("NORTH").await, owner.facility("SOUTH").await);
    clinic.server.user(SLUG, "nia@praxis.test", "nurse").await?;
    clinic.sql("DELETE FROM membership WHERE user_id = (SELECT id FROM user_account WHERE email = 'nia@praxis.test')").await;
    clinic.give("nia@praxis.test", "nurse", Some(&north)).await;
    let nia = clinic.server.enter(SLUG, "nia@praxis.test").await;
    let patient = nia.register("Ada", "Quill", "1990-01-02").await;
    let at = |facility: &str| json!({ "patientId": patient, "facilityId": facility });
    assert_eq!(refused(&nia, "encounterCreate", at(&south)).await, "FORBIDDEN");
    let planned =
        nia.run("encounterCreate", "encounter { facility { id } } userErrors { code }", at(&north)).await;
    assert_eq!(planned["encounter"]["facility"]["id"], json!(north), "{planned}");
    Ok(())
}

#[tokio::test]
async fn a_right_to_cosign_elsewhere_makes_no_signature_here() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    let (north, south) = (owner.facility("NORTH").await, owner.facility("SOUTH").await);
    make_role(
        &owner,
        "writer",
        &["patient:read", "document:read", "document:write", "document:sign", "document.content:read"],
    )
    .await;
    make_role(&owner, "cosigner", &["document:cosign"]).await;
    clinic.server.user(SLUG, "nia@praxis.test", "nurse").await?;
    clinic.sql("DELETE FROM membership WHERE user_id = (SELECT id FROM user_account WHERE email = 'nia@praxis.test')").await;
    for (role, branch) in [("nurse", &north), ("writer", &north), ("cosigner", &south)] {
        clinic.give("nia@praxis.test", role, Some(branch)).await;
    }
    let nia = clinic.server.enter(SLUG, "nia@praxis.test").await;
    let patient = nia.register("Ada", "Quill", "1990-01-02").await;
    clinic.sql("UPDATE note_template SET needs_cosign = true").await;
    let templates = nia.ask("{ documentTemplates { id key } }", json!({})).await;
    let templates = templates["documentTemplates"].as_array().unwrap().clone();
    let soap = templates.iter().find(|template| template["key"] == "soap").unwrap()["id"].clone();
    let sections =
        ["61150-9", "61149-1", "51848-0", "18776-5"].map(|code| json!({ "code": code, "text": "Well" }));
    let select = "document { id version status } userErrors { code path message }";
    let draft = json!({ "patientId": patient, "templateId": soap, "sections": sections });
    let drafted = nia.run("documentDraft", select, draft).await;
    assert_eq!(drafted["userErrors"], json!([]));
    let sign = json!({ "id": drafted["document"]["id"], "ifVersion": drafted["document"]["version"] });
    let signed = nia.run("documentSign", select, sign).await;
    assert_eq!(signed["document"]["status"], "IN_REVIEW", "{signed}");
    Ok(())
}
