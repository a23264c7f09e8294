//! Visits, and what is written down in them.

pub const ARGUMENTS: &[(&str, &str)] = &[
    ("query($id: ID!) { encounter(id: $id) { id } }", "enc"),
    (
        "mutation($id: ID!) { encounterCreate(input: { patientId: $id }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { encounterCreate(input: { appointmentId: $id }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { encounterCreate(input: { patientId: \"PAT\", practitionerId: $id }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { encounterCreate(input: { patientId: \"PAT\", facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { encounterCheckIn(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterTriage(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterStart(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterHold(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterResume(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterCancel(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterReopen(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterParticipantAdd(input: { id: $id, ifVersion: 1, practitionerId: \"PRA\", role: CONSULTANT }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterParticipantAdd(input: { id: \"ENC\", ifVersion: 1, practitionerId: $id, role: CONSULTANT }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { encounterParticipantEnd(input: { id: $id, ifVersion: 1, practitionerId: \"PRA\", role: CONSULTANT }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterParticipantEnd(input: { id: \"ENC\", ifVersion: 1, practitionerId: $id, role: CONSULTANT }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { assessmentRecord(input: { id: $id, ifVersion: 1, text: \"x\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { assessmentRecord(input: { id: \"ENC\", ifVersion: 1, diagnoses: [{ code: \"I10\", rank: 1, conditionId: $id }] }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { planRecord(input: { id: $id, ifVersion: 1, text: \"x\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterClose(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { vitalsRecord(input: { id: $id, heartRate: { value: \"72\", unit: \"/min\" } }) { userErrors { code message path } } }",
        "enc",
    ),
];
