//! What is known of a patient: findings, problems, allergies, what they take and were given, histories.

pub const ARGUMENTS: &[(&str, &str)] = &[
    ("query($id: ID!) { observation(id: $id) { id } }", "obs"),
    (
        "mutation($id: ID!) { observationEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "obs",
    ),
    ("query($id: ID!) { condition(id: $id) { id } }", "con"),
    (
        "mutation($id: ID!) { problemRecord(input: { patientId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { problemRecord(input: { patientId: \"PAT\", encounterId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { allergyRecord(input: { patientId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { allergyRecord(input: { patientId: \"PAT\", encounterId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { medicationStatementRecord(input: { patientId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { medicationStatementRecord(input: { patientId: \"PAT\", encounterId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { immunizationRecord(input: { patientId: $id, vaccine: { text: \"x\" }, givenAt: \"2020\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { immunizationRecord(input: { patientId: \"PAT\", encounterId: $id, vaccine: { text: \"x\" }, givenAt: \"2020\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { procedureRecord(input: { patientId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { procedureRecord(input: { patientId: \"PAT\", encounterId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { familyHistoryRecord(input: { patientId: $id, relationship: { text: \"mother\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { familyHistoryRecord(input: { patientId: \"PAT\", encounterId: $id, relationship: { text: \"mother\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { socialHistoryRecord(input: { patientId: $id, code: { text: \"x\" }, value: { text: \"y\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { socialHistoryRecord(input: { patientId: \"PAT\", encounterId: $id, code: { text: \"x\" }, value: { text: \"y\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    ("query($id: ID!) { allergy(id: $id) { id } }", "alg"),
    ("query($id: ID!) { medicationStatement(id: $id) { id } }", "mst"),
    ("query($id: ID!) { immunization(id: $id) { id } }", "imm"),
    ("query($id: ID!) { procedure(id: $id) { id } }", "prc"),
    ("query($id: ID!) { familyHistory(id: $id) { id } }", "fah"),
    ("query($id: ID!) { socialHistory(id: $id) { id } }", "soh"),
    (
        "mutation($id: ID!) { problemRemit(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { problemInactivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { problemResolve(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { problemRecur(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { problemRelapse(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { allergyInactivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alg",
    ),
    (
        "mutation($id: ID!) { allergyResolve(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alg",
    ),
    (
        "mutation($id: ID!) { allergyReactivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alg",
    ),
    (
        "mutation($id: ID!) { allergyRefute(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alg",
    ),
    (
        "mutation($id: ID!) { medicationStatementStop(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "mst",
    ),
    (
        "mutation($id: ID!) { medicationStatementComplete(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "mst",
    ),
    (
        "mutation($id: ID!) { problemEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { allergyEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "alg",
    ),
    (
        "mutation($id: ID!) { medicationStatementEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "mst",
    ),
    (
        "mutation($id: ID!) { immunizationEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "imm",
    ),
    (
        "mutation($id: ID!) { procedureEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "prc",
    ),
    (
        "mutation($id: ID!) { familyHistoryEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "fah",
    ),
    (
        "mutation($id: ID!) { socialHistoryEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "soh",
    ),
];
