//! Tasks, rules and workflows.

use super::Call;

pub const CALLS: &[Call] = &[
    (
        "taskCreate",
        "task { id version status }",
        r#"{ "code": "CALL", "patientId": "$patient", "ownerId": "$me" }"#,
        &[("task", "/task/id")],
    ),
    ("taskClaim", "task { id version status }", r#"{ "id": "$task", "ifVersion": 1 }"#, &[]),
    ("taskStart", "task { id version status }", r#"{ "id": "$task", "ifVersion": 2 }"#, &[]),
    (
        "taskHold",
        "task { id version status }",
        r#"{ "id": "$task", "ifVersion": 3, "reason": "Waits" }"#,
        &[],
    ),
    ("taskResume", "task { id version status }", r#"{ "id": "$task", "ifVersion": 4 }"#, &[]),
    (
        "taskComplete",
        "task { id version status }",
        r#"{ "id": "$task", "ifVersion": 5, "outcome": "DONE" }"#,
        &[],
    ),
    (
        "taskCreate",
        "task { id version status }",
        r#"{ "code": "CALL", "role": "nurse" }"#,
        &[("other", "/task/id")],
    ),
    (
        "taskAssign",
        "task { id version status }",
        r#"{ "id": "$other", "ifVersion": 1, "to": { "userId": "$me" } }"#,
        &[],
    ),
    (
        "taskReject",
        "task { id version status }",
        r#"{ "id": "$other", "ifVersion": 2, "reason": "No time" }"#,
        &[],
    ),
    ("taskCreate", "task { id version status }", r#"{ "code": "CALL" }"#, &[("third", "/task/id")]),
    ("taskCancel", "task { id version status }", r#"{ "id": "$third", "ifVersion": 1 }"#, &[]),
    (
        "ruleDraft",
        "rule { id version status }",
        r#"{ "code": "low-oxygen-twice", "title": "Low", "cause": "VITALS_RECORDED", "condition": "vitals.spo2 < 92", "severity": "INFO", "actions": [{ "alert": {} }], "cases": [{ "name": "low", "facts": [{ "name": "vitals.spo2", "value": { "number": 80 } }], "fires": true }, { "name": "well", "facts": [{ "name": "vitals.spo2", "value": { "number": 99 } }], "fires": false }] }"#,
        &[("rule", "/rule/id")],
    ),
    ("ruleTest", "rule { id version status }", r#"{ "id": "$rule", "ifVersion": 1 }"#, &[]),
    ("ruleRetire", "rule { id version status }", r#"{ "id": "$rule", "ifVersion": 2 }"#, &[]),
    (
        "workflowDefine",
        "workflowDefinition { id version status }",
        r#"{ "code": "twice", "name": "Twice", "steps": [{ "key": "a", "task": "CALL", "role": "nurse" }] }"#,
        &[("workflow", "/workflowDefinition/id")],
    ),
    (
        "workflowActivate",
        "workflowDefinition { id version status }",
        r#"{ "id": "$workflow", "ifVersion": 1 }"#,
        &[],
    ),
    (
        "workflowStart",
        "workflowInstance { id version status }",
        r#"{ "code": "twice", "patientId": "$patient" }"#,
        &[("instance", "/workflowInstance/id")],
    ),
    (
        "workflowCancel",
        "workflowInstance { id version status }",
        r#"{ "id": "$instance", "ifVersion": 1 }"#,
        &[],
    ),
    (
        "workflowRetire",
        "workflowDefinition { id version status }",
        r#"{ "id": "$workflow", "ifVersion": 2 }"#,
        &[],
    ),
];

/// A rule is written and tested.
pub const WRITTEN: &[Call] = &[
    (
        "ruleDraft",
        "rule { id version status }",
        r#"{ "code": "low-oxygen", "title": "Low", "cause": "VITALS_RECORDED", "condition": "vitals.spo2 < 92", "severity": "WARNING", "actions": [{ "alert": {} }], "cases": [{ "name": "low", "facts": [{ "name": "vitals.spo2", "value": { "number": 80 } }], "fires": true }, { "name": "well", "facts": [{ "name": "vitals.spo2", "value": { "number": 99 } }], "fires": false }] }"#,
        &[("written", "/rule/id")],
    ),
    ("ruleTest", "rule { id version status }", r#"{ "id": "$written", "ifVersion": 1 }"#, &[]),
];

/// Somebody else than its author puts it into use.
pub const APPROVED: &[Call] =
    &[("ruleActivate", "rule { id version status }", r#"{ "id": "$written", "ifVersion": 2 }"#, &[])];
