//! What a clinic asks for before a field is read.

use super::*;

const SET: &str = "mutation($input: FieldPolicySetInput!) { fieldPolicySet(input: $input) { fieldPolicy { id platformPermission } userErrors { code path } } }";

#[tokio::test]
async fn a_clinic_binds_any_field_within_two_seconds_and_loosens_none() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    visit(&server, &id, None).await;
    let policy = |ty: &str, field: &str, permission: &str| json!({ "input": { "type": ty, "field": field, "permission": permission, "reason": "House rule." } });
    let refused = owner.send(SET, policy("Patient", "phone", "audit:read"), &[]).await;
    assert_eq!(refused.code(), "STEP_UP_REQUIRED");
    execute(&server, "UPDATE session SET second_factor_at = now()").await;
    two_seconds().await;
    let (nurse, _) = staff(&server, "nurse", None, None).await;
    let query = "query($id: ID!) { patient(by: { id: $id }) { name { full } phone encounters { nodes { startedAt class } } } }";
    let before = nurse.ask(query, json!({ "id": id })).await;
    assert_eq!(before["patient"]["phone"], "+442079460123");
    assert!(before["patient"]["encounters"]["nodes"][0]["startedAt"].is_string());

    // A sealed field, a plain one, one that is never null; and what can't be bound.
    let mut set = Vec::new();
    for (ty, field) in [("Patient", "phone"), ("Encounter", "startedAt")] {
        let data = owner.ask(SET, policy(ty, field, "audit:read")).await;
        assert_eq!(data["fieldPolicySet"]["userErrors"], json!([]));
        set.push(data["fieldPolicySet"]["fieldPolicy"]["id"].clone());
    }
    for (ty, field, code) in [
        ("Patient", "id", "INVALID"),
        ("Patient", "shoeSize", "NOT_FOUND"),
        ("PageInfo", "hasNextPage", "INVALID"),
        ("Mutation", "fieldPolicyRemove", "INVALID"),
    ] {
        let data = owner.ask(SET, policy(ty, field, "audit:read")).await;
        assert_eq!(data["fieldPolicySet"]["userErrors"][0]["code"], code, "{ty}.{field}");
    }
    two_seconds().await;
    let after = nurse.send(query, json!({ "id": id }), &[]).await;
    assert!(after.body["errors"].is_null(), "{}", after.text);
    let patient = &after.body["data"]["patient"];
    assert_eq!((&patient["phone"], &patient["name"]["full"]), (&Value::Null, &json!("Ada Quill")));
    assert_eq!(patient["encounters"]["nodes"][0], json!({ "startedAt": null, "class": "AMBULATORY" }));
    let summary: Vec<_> = after.body["extensions"]["redactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["coordinate"].as_str().unwrap())
        .collect();
    assert_eq!(summary, ["Encounter.startedAt", "Patient.phone"]);
    // As filter, order or search it would be an oracle.
    for query in [
        "{ patients(filter: { or: [{ phone: { eq: \"+442079460123\" } }] }) { totalCount } }",
        "query($filter: PatientFilter) { patients(filter: $filter) { totalCount } }",
        "query($by: EncounterFilter = { startedAt: { gt: \"2020-01-01T00:00:00Z\" } }) { patients { nodes { encounters(filter: $by) { totalCount } } } }",
        "{ patients { nodes { encounters(filter: { startedAt: { gt: \"2020-01-01T00:00:00Z\" } }) { totalCount } } } }",
    ] {
        let answer = nurse.send(query, json!({ "filter": { "phone": { "eq": "1" } } }), &[]).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{query}: {}", answer.text);
        assert_eq!(answer.body["errors"][0]["extensions"]["permission"], "audit:read");
    }
    // Whoever holds the permission has lost nothing.
    assert_eq!(owner.ask(query, json!({ "id": id })).await["patient"]["phone"], "+442079460123");
    // A field that is never null takes the operation with it, up to what may be null.
    owner.ask(SET, policy("Encounter", "class", "audit:read")).await;
    two_seconds().await;
    let never_null =
        nurse.send("{ patients { nodes { encounters { nodes { class } } } } }", json!({}), &[]).await;
    assert_eq!(never_null.code(), "FORBIDDEN", "{}", never_null.text);

    // Asking for less than the platform asks for changes nothing: the desk still lacks its permission.
    owner.ask(SET, policy("Patient", "nationalId", "patient:read")).await;
    for id in set {
        let remove =
            "mutation($id: ID!) { fieldPolicyRemove(input: { id: $id }) { removedId userErrors { code } } }";
        assert_eq!(owner.ask(remove, json!({ "id": id })).await["fieldPolicyRemove"]["removedId"], id);
    }
    two_seconds().await;
    let query =
        "query($id: ID!) { patient(by: { id: $id }) { phone nationalId redactions { field reason } } }";
    let desk = server.person(SLUG, "receptionist").await;
    let patient = desk.ask(query, json!({ "id": id })).await["patient"].clone();
    assert_eq!(patient["phone"], "+442079460123");
    assert_eq!(redaction(&patient, "nationalId")["reason"], "PERMISSION");
    Ok(())
}

#[tokio::test]
async fn a_field_policy_can_ask_for_the_care_team() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    execute(&server, "UPDATE session SET second_factor_at = now()").await;
    two_seconds().await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    let input = json!({ "type": "Patient", "field": "phone", "permission": "patient.contact:read", "condition": "CARE_TEAM", "reason": "House rule." });
    owner.ask(SET, json!({ "input": input })).await;
    let plain = json!({ "type": "Patient", "field": "status", "permission": "patient:read", "condition": "CARE_TEAM", "reason": "House rule." });
    assert_eq!(
        owner.ask(SET, json!({ "input": plain })).await["fieldPolicySet"]["userErrors"][0]["path"],
        json!(["input", "condition"])
    );
    two_seconds().await;
    let (nurse, nurse_id) = staff(&server, "nurse", None, None).await;
    assert_eq!(chart(&nurse, &id).await["phone"], Value::Null);
    // Nor does a search or filter by it tell.
    let by_phone = "{ patients(filter: { phone: { eq: \"+442079460123\" } }) { totalCount } }";
    let count = async || nurse.ask(by_phone, json!({})).await["patients"]["totalCount"].clone();
    assert_eq!((count().await, found(&nurse, Some("+442079460123")).await), (json!(0), (json!(0), 0)));
    assert_eq!(found(&nurse, Some("quill")).await, (json!(1), 1));
    let team = json!({ "patientId": id, "carer": { "userId": nurse_id.to_string() }, "role": "NURSE" });
    owner.run("careTeamAdd", "careTeamMember { id } userErrors { code }", team).await;
    assert_eq!(chart(&nurse, &id).await["phone"], "+442079460123");
    assert_eq!((count().await, found(&nurse, Some("+442079460123")).await), (json!(1), (json!(1), 1)));
    Ok(())
}
