//! Whose record somebody reaches: by branch, by the patient's will, by labels, by care team.

use super::*;

#[tokio::test]
async fn a_role_held_at_one_branch_reaches_that_branch_and_the_patients_known_there() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let (east, west) = (owner.facility("EAST").await, owner.facility("WEST").await);
    let doctor = owner.clinician("Osei").await;
    let (here, there) = (
        owner.register("Ada", "Quill", "1990-01-02").await,
        owner.register("Bea", "Rook", "1991-01-02").await,
    );
    let book = |patient: &str, facility: &str, hour: u8| {
        json!({ "patientId": patient, "practitionerId": doctor, "facilityId": facility, "type": "PHONE",
            "startsAt": format!("2027-04-01T{hour:02}:00:00Z") })
    };
    let booked = owner
        .run("appointmentBook", "appointment { id } userErrors { message }", book(&here, &east, 10))
        .await;
    assert_eq!(booked["userErrors"], json!([]));
    let foreign = owner
        .run("appointmentBook", "appointment { id } userErrors { message }", book(&there, &west, 12))
        .await;
    let foreign = foreign["appointment"]["id"].as_str().unwrap();

    // No header names the branch: the role applies at its own all the same.
    let (nurse, _) = staff(&server, "nurse", Some(&east), None).await;
    assert_eq!(found(&nurse, None).await, (json!(1), 1));
    assert_eq!(found(&nurse, Some("quill")).await, (json!(1), 1));
    assert_eq!(found(&nurse, Some("rook")).await, (json!(0), 0));
    assert_eq!(found(&nurse, Some("1991-01-02")).await, (json!(0), 0));
    assert_eq!(chart(&nurse, &here).await["name"]["full"], "Ada Quill");
    assert_eq!(chart(&nurse, &there).await, Value::Null);
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(nurse.ask(node, json!({ "id": foreign })).await["node"], Value::Null);
    let all = nurse.ask("{ appointments { totalCount nodes { facility { code } } } }", json!({})).await;
    assert_eq!(
        all["appointments"],
        json!({ "totalCount": 1, "nodes": [{ "facility": { "code": "EAST" } }] })
    );

    // What can't be seen can't be changed, and another branch is not booked for.
    let amend = "mutation($id: ID!) { patientUpdate(input: { id: $id, ifVersion: 1, email: null }) { userErrors { code } } }";
    let refused = nurse.ask(amend, json!({ "id": there })).await;
    assert_eq!(refused["patientUpdate"]["userErrors"][0]["code"], "NOT_FOUND");
    let elsewhere = "mutation($input: AppointmentBookInput!) { appointmentBook(input: $input) @idempotent(key: \"1\") { appointment { id } } }";
    let refused = nurse.send(elsewhere, json!({ "input": book(&here, &west, 14) }), &[]).await;
    assert_eq!(refused.code(), "FORBIDDEN", "{}", refused.text);
    // Whom a branch registers is known there.
    let new = nurse.register("Cy", "Stone", "1992-01-02").await;
    assert_eq!(chart(&nurse, &new).await["name"]["full"], "Cy Stone");
    // Once the other patient comes to this branch, they are known here too.
    owner.run("appointmentBook", "appointment { id } userErrors { message }", book(&there, &east, 15)).await;
    assert_eq!(chart(&nurse, &there).await["name"]["full"], "Bea Rook");
    // A role for the whole clinic says nothing at a branch.
    let (manager, _) = staff(&server, "practice_manager", Some(&east), None).await;
    let add = "mutation { facilityAdd(input: { code: \"X\", name: \"X\", timeZone: \"UTC\" }) { facility { id } } }";
    assert_eq!(manager.send(add, json!({}), &[]).await.code(), "FORBIDDEN");
    Ok(())
}

#[tokio::test]
async fn what_a_patient_forbids_is_kept_back_and_told_as_their_will() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    visit(&server, &id, None).await;
    let (physician, _) = staff(&server, "physician", None, None).await;
    let (nurse, nurse_id) = staff(&server, "nurse", None, None).await;
    let select = "consent { id version } userErrors { code path }";
    let deny = |class: &str, whom: Value| json!({ "patientId": id, "decision": "DENY", "class": class, "whom": whom });

    assert_eq!(chart(&nurse, &id).await["conditions"]["totalCount"], 1);
    owner.run("consentRecord", select, deny("CLINICAL", json!({ "role": "nurse" }))).await;
    let seen = chart(&nurse, &id).await;
    assert_eq!((&seen["name"]["full"], &seen["conditions"]), (&json!("Ada Quill"), &Value::Null));
    assert_eq!(redaction(&seen, "conditions")["reason"], "CONSENT");
    assert_eq!(redaction(&seen, "conditions")["breakGlass"], true);
    let encounter = &seen["encounters"]["nodes"][0];
    assert_eq!(encounter["reasons"], Value::Null);
    assert_eq!(redaction(encounter, "reasons")["reason"], "CONSENT");
    // A filter by what is kept back finds nothing, whatever the code.
    let by_code = "query($id: ID!, $code: String!) { patient(by: { id: $id }) { encounters(filter: { code: { eq: $code } }) { totalCount } } }";
    let code = "http://snomed.info/sct|35489007";
    let count = async |person: &Person<'_>| {
        person.ask(by_code, json!({ "id": id, "code": code })).await["patient"]["encounters"]["totalCount"]
            .clone()
    };
    assert_eq!((count(&nurse).await, count(&physician).await), (json!(0), json!(1)));
    assert_eq!(chart(&physician, &id).await["conditions"]["totalCount"], 1);

    // More specific: this nurse may. Then: this nurse may not know of the patient at all.
    let permit = json!({ "patientId": id, "decision": "PERMIT", "class": "CLINICAL", "whom": { "userId": nurse_id.to_string() } });
    owner.run("consentRecord", select, permit).await;
    assert_eq!(chart(&nurse, &id).await["conditions"]["totalCount"], 1);
    let given =
        owner.run("consentRecord", select, deny("ALL", json!({ "userId": nurse_id.to_string() }))).await;
    assert_eq!(chart(&nurse, &id).await, Value::Null);
    for search in
        [None, Some("quill"), Some("ada@example.org"), Some("quill@example.org"), Some("1990-01-02")]
    {
        assert_eq!(found(&nurse, search).await, (json!(0), 0), "{search:?}");
    }
    // Registering the same person again does not tell that they are here.
    let again = nurse.register("Ada", "Quill", "1990-01-02").await;
    assert_ne!(again, id);

    let revoked = owner
        .run(
            "consentRevoke",
            "consent { revokedAt } userErrors { code }",
            json!({ "id": given["consent"]["id"], "ifVersion": 1 }),
        )
        .await;
    assert!(revoked["consent"]["revokedAt"].is_string(), "{revoked}");
    assert_eq!(chart(&nurse, &id).await["name"]["full"], "Ada Quill");
    let list = owner
        .ask(
            "query($id: ID!) { patient(by: { id: $id }) { consents { decision class scope revokedAt } } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(list["patient"]["consents"].as_array().unwrap().len(), 3);
    Ok(())
}

#[tokio::test]
async fn what_rules_say_of_a_restricted_visit_is_told_to_its_clinician_and_kept_from_others() -> Result<()> {
    let server = rules::clinic().await?;
    rules::low_oxygen_in_use(&server, "CRITICAL").await;
    let owner = server.person(SLUG, "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    let doctor = owner.clinician("Osei").await;
    let (author, _) = staff(&server, "physician", None, Some(&doctor)).await;
    let other = owner.clinician("Rook").await;
    let (colleague, _) = staff(&server, "physician", None, Some(&other)).await;
    // Measured before anybody answers for the visit; whoever takes it on sees what came of it.
    let made = owner.run("encounterCreate", "encounter { id }", json!({ "patientId": id })).await;
    let encounter = made["encounter"]["id"].as_str().unwrap().to_owned();
    let label = json!({ "id": encounter, "confidentiality": "RESTRICTED" });
    owner.run("confidentialitySet", "userErrors { code }", label).await;
    rules::measure(&server, &id, encounter.parse()?, &[("59408-5", "85", "%")]).await;
    rules::ask(&server, &id, encounter.parse()?, server.installation.clock.new_id()).await;
    for (step, version) in [("encounterCheckIn", 1), ("encounterStart", 2)] {
        let input = json!({ "id": encounter, "ifVersion": version });
        let done = author.run(step, "userErrors { code message }", input).await;
        assert_eq!(done["userErrors"], json!([]));
    }
    let seen =
        "query($id: ID!) { alerts(filter: { encounter: { eq: $id } }) { nodes { id severity version } }
        decisionSupport(encounterId: $id) { rule { code } result parts { held } } }";
    let own = author.ask(seen, json!({ "id": encounter })).await;
    assert_eq!(own["alerts"]["nodes"][0]["severity"], "CRITICAL", "{own}");
    let checks = own["decisionSupport"].as_array().unwrap();
    let check = checks.iter().find(|check| check["rule"]["code"] == "low-oxygen").unwrap();
    assert_eq!((&check["result"], &check["parts"]), (&json!("FIRED"), &json!([{ "held": true }])));
    // So they can reply, and close the visit.
    let alert = &own["alerts"]["nodes"][0];
    let input = json!({ "id": alert["id"], "ifVersion": alert["version"] });
    let replied = author.run("alertAcknowledge", "alert { status } userErrors { code }", input).await;
    assert_eq!(replied["alert"]["status"], "ACKNOWLEDGED", "{replied}");
    // Others learn nothing, and are not told that nothing was asked.
    let others = colleague.ask(seen, json!({ "id": encounter })).await;
    assert_eq!(others, json!({ "alerts": { "nodes": [] }, "decisionSupport": null }));
    Ok(())
}

#[tokio::test]
async fn a_label_closes_content_and_a_higher_one_the_object() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    let doctor = owner.clinician("Osei").await;
    let (encounter, condition) = visit(&server, &id, Some(&doctor)).await;
    let (author, _) = staff(&server, "physician", None, Some(&doctor)).await;
    let (colleague, colleague_id) = staff(&server, "physician", None, None).await;
    let label = async |person: &Person<'_>, of: &str, level: &str| {
        let input = json!({ "id": of, "confidentiality": level });
        person.run("confidentialitySet", "confidentiality userErrors { code }", input).await
    };

    assert_eq!(label(&owner, &encounter, "RESTRICTED").await["confidentiality"], "RESTRICTED");
    let seen = chart(&colleague, &id).await;
    let visit = &seen["encounters"]["nodes"][0];
    assert_eq!((&visit["id"], &visit["confidentiality"]), (&json!(encounter), &json!("RESTRICTED")));
    assert_eq!(visit["reasons"], Value::Null);
    assert_eq!(redaction(visit, "reasons")["reason"], "SENSITIVITY");
    assert_eq!(redaction(visit, "reasons")["breakGlass"], true);
    // What hangs on the encounter is as sensitive: it is not there.
    assert_eq!(seen["conditions"], json!({ "totalCount": 0, "nodes": [] }));
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(colleague.ask(node, json!({ "id": condition })).await["node"], Value::Null);
    let own = chart(&author, &id).await;
    assert_eq!(own["encounters"]["nodes"][0]["reasons"][0]["text"], "35489007");
    assert_eq!(own["conditions"]["totalCount"], 1);

    // Nobody puts a label on that they could not take off again.
    let refused = label(&owner, &encounter, "VERY_RESTRICTED").await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID", "{refused}");
    assert_eq!(label(&owner, &encounter, "NORMAL").await["userErrors"], json!([]));
    assert_eq!(chart(&colleague, &id).await["conditions"]["totalCount"], 1);

    // A patient of note is there for those only who care for them and may read what is restricted.
    execute(&server, "INSERT INTO role_permission (role_id, permission) SELECT id, 'patient.restricted:read' FROM role WHERE code = 'physician'").await;
    two_seconds().await;
    let select = "careTeamMember { id version } userErrors { code }";
    let team =
        json!({ "patientId": id, "carer": { "userId": colleague_id.to_string() }, "role": "ATTENDING" });
    let member = owner.run("careTeamAdd", select, team.clone()).await;
    let twice = owner.run("careTeamAdd", select, team).await;
    assert_eq!(twice["userErrors"][0]["code"], "ALREADY_EXISTS");
    assert_eq!(label(&colleague, &encounter, "VERY_RESTRICTED").await["userErrors"], json!([]));
    // The author recorded it, the colleague cares for the patient; the owner does neither.
    let visits = async |person: &Person<'_>| chart(person, &id).await["encounters"]["totalCount"].clone();
    assert_eq!(
        (visits(&author).await, visits(&colleague).await, visits(&owner).await),
        (json!(1), json!(1), json!(0))
    );
    assert_eq!(label(&colleague, &id, "VERY_RESTRICTED").await["userErrors"], json!([]));
    assert_eq!(chart(&colleague, &id).await["conditions"]["totalCount"], 1);
    assert_eq!(chart(&author, &id).await, Value::Null);
    assert_eq!(found(&author, Some("quill")).await, (json!(0), 0));
    assert_eq!(found(&owner, Some("quill")).await, (json!(0), 0));
    let ended = json!({ "id": member["careTeamMember"]["id"], "ifVersion": 1 });
    // Whoever may not see the patient can't end it, whoever cares for them can.
    let refused = owner.run("careTeamEnd", select, ended.clone()).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
    let done = colleague.run("careTeamEnd", select, ended).await;
    assert_eq!(done["userErrors"], json!([]));
    assert_eq!(chart(&colleague, &id).await, Value::Null);
    Ok(())
}

#[tokio::test]
async fn a_permission_can_be_bound_to_the_care_team() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let (mine, other) = (
        owner.register("Ada", "Quill", "1990-01-02").await,
        owner.register("Bea", "Rook", "1991-01-02").await,
    );
    for id in [&mine, &other] {
        visit(&server, id, None).await;
    }
    execute(&server, "UPDATE role_permission SET condition = 'CARE_TEAM' FROM role WHERE role.id = role_id AND code = 'nurse' AND permission = 'condition:read'").await;
    let (nurse, nurse_id) = staff(&server, "nurse", None, None).await;
    let team = json!({ "patientId": mine, "carer": { "userId": nurse_id.to_string() }, "role": "NURSE" });
    owner.run("careTeamAdd", "careTeamMember { id } userErrors { code }", team).await;
    assert_eq!(chart(&nurse, &mine).await["conditions"]["totalCount"], 1);
    let seen = chart(&nurse, &other).await;
    assert_eq!(seen["conditions"]["totalCount"], 0);
    assert!(!seen["viewerPermissions"].as_array().unwrap().contains(&json!("condition:read")));
    let listed = nurse.ask("{ patients { nodes { conditions { totalCount } } } }", json!({})).await;
    let counts: Vec<_> = listed["patients"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| &node["conditions"]["totalCount"])
        .collect();
    assert_eq!(counts, [&json!(1), &json!(0)]);
    Ok(())
}
