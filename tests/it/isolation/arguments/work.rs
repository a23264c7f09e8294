//! Tasks, alerts, rules and workflows.

pub const ARGUMENTS: &[(&str, &str)] = &[
    (
        "mutation($id: ID!) { taskClaim(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskStart(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskResume(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskHold(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskReject(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskComplete(input: { id: $id, ifVersion: 1, outcome: DONE }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskCancel(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskAssign(input: { id: $id, ifVersion: 1, to: { role: \"nurse\" } }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskCreate(input: { code: \"CALL\", patientId: $id }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { taskCreate(input: { code: \"CALL\", encounterId: $id }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { taskCreate(input: { code: \"CALL\", focusId: $id }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { taskCreate(input: { code: \"CALL\", ownerId: $id }) { userErrors { code message path } } }",
        "usr",
    ),
    ("query($id: ID!) { task(id: $id) { id } }", "tsk"),
    (
        "mutation($id: ID!) { alertAcknowledge(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alt",
    ),
    (
        "mutation($id: ID!) { alertResolve(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alt",
    ),
    (
        "mutation($id: ID!) { alertOverride(input: { id: $id, ifVersion: 1, reason: NOT_APPLICABLE }) { userErrors { code message path } } }",
        "alt",
    ),
    (
        "mutation($id: ID!) { ruleTest(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "rul",
    ),
    (
        "mutation($id: ID!) { ruleActivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "rul",
    ),
    (
        "mutation($id: ID!) { ruleRetire(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "rul",
    ),
    (
        "mutation($id: ID!) { workflowActivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wfd",
    ),
    (
        "mutation($id: ID!) { workflowRetire(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wfd",
    ),
    (
        "mutation($id: ID!) { workflowCancel(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wfi",
    ),
    (
        "mutation($id: ID!) { workflowStart(input: { code: \"none\", patientId: $id }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { workflowStart(input: { code: \"none\", encounterId: $id }) { userErrors { code message path } } }",
        "enc",
    ),
    ("query($id: ID!) { alert(id: $id) { id } }", "alt"),
    ("query($id: ID!) { rule(id: $id) { id } }", "rul"),
    ("query($id: ID!) { workflowInstance(id: $id) { id } }", "wfi"),
    ("query($id: ID!) { decisionSupport(encounterId: $id) { result } }", "enc"),
    ("query($id: ID!) { alerts(filter: { patient: { eq: $id } }) { totalCount nodes { id } } }", "pat"),
    ("query($id: ID!) { tasks(filter: { patient: { eq: $id } }) { totalCount nodes { id } } }", "pat"),
];
