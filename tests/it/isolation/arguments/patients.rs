//! Patients and who belongs to them; and what opens anything by its id.

pub const ARGUMENTS: &[(&str, &str)] = &[
    ("query($id: ID!) { node(id: $id) { id } }", "any"),
    ("query($id: ID!) { nodes(ids: [$id]) { id } }", "any"),
    ("query($id: ID!) { patient(by: { id: $id }) { id } }", "pat"),
    (
        "mutation($id: ID!) { patientUpdate(input: { id: $id, ifVersion: 1, email: null }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { patientDeactivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { patientReactivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { patientRecordDeath(input: { id: $id, ifVersion: 1, deceasedAt: \"2026-01-01T00:00:00Z\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { relatedPersonAdd(input: { patientId: $id, relationship: { text: \"mother\" }, name: { given: [], family: \"X\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { relatedPersonEnd(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "rel",
    ),
    (
        "mutation($id: ID!) { patientCreate(input: { name: { given: [], family: \"\" }, birthDate: \"1990\", acceptDuplicates: [$id] }) { userErrors { code message path } } }",
        "pat",
    ),
];
