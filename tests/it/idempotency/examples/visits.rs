//! Documents are written, and the patient is seen.

use super::Call;

pub const CALLS: &[Call] = &[
    (
        "documentTemplateAdd",
        "documentTemplate { id version }",
        r#"{ "title": "Travel advice", "type": "34748-4", "sections": [{ "code": "18776-5", "title": "Plan", "required": true }] }"#,
        &[("template", "/documentTemplate/id")],
    ),
    (
        "documentTemplateChange",
        "documentTemplate { id version title }",
        r#"{ "id": "$template", "ifVersion": 1, "title": "Travel", "type": "34748-4", "sections": [{ "code": "18776-5", "title": "Plan", "required": true }] }"#,
        &[],
    ),
    (
        "documentDraft",
        "document { id version }",
        r#"{ "patientId": "$patient", "templateId": "$template" }"#,
        &[("discarded", "/document/id")],
    ),
    ("documentDiscard", "document { id version status }", r#"{ "id": "$discarded", "ifVersion": 1 }"#, &[]),
    (
        "documentDraft",
        "document { id version }",
        r#"{ "patientId": "$patient", "templateId": "$template" }"#,
        &[("document", "/document/id")],
    ),
    (
        "documentSave",
        "document { id version draft { text } }",
        r#"{ "id": "$document", "ifVersion": 1, "sections": [{ "code": "18776-5", "text": "Vaccines" }] }"#,
        &[],
    ),
    ("documentLeaseTake", "document { id version }", r#"{ "id": "$document", "ifVersion": 2 }"#, &[]),
    ("documentLeaseRelease", "document { id version }", r#"{ "id": "$document", "ifVersion": 3 }"#, &[]),
    ("documentSign", "document { id version status }", r#"{ "id": "$document", "ifVersion": 4 }"#, &[]),
    (
        "documentAmend",
        "document { id version current { number } }",
        r#"{ "id": "$document", "ifVersion": 5, "sections": [{ "code": "18776-5", "text": "No vaccines" }], "reason": "Had them" }"#,
        &[],
    ),
    (
        "documentAddendum",
        "document { id version }",
        r#"{ "id": "$document", "ifVersion": 6, "text": "Called" }"#,
        &[],
    ),
    (
        "documentEnterInError",
        "document { id version status }",
        r#"{ "id": "$document", "ifVersion": 6, "reason": "Another patient's" }"#,
        &[],
    ),
    (
        "documentTemplateRetire",
        "documentTemplate { id version retired }",
        r#"{ "id": "$template", "ifVersion": 2 }"#,
        &[],
    ),
    (
        "encounterCreate",
        "encounter { id version status }",
        r#"{ "patientId": "$patient" }"#,
        &[("visit", "/encounter/id")],
    ),
    (
        "encounterParticipantAdd",
        "encounter { id version }",
        r#"{ "id": "$visit", "ifVersion": 1, "practitionerId": "$practitioner", "role": "CONSULTANT" }"#,
        &[],
    ),
    (
        "encounterParticipantEnd",
        "encounter { id version }",
        r#"{ "id": "$visit", "ifVersion": 2, "practitionerId": "$practitioner", "role": "CONSULTANT" }"#,
        &[],
    ),
    ("encounterCheckIn", "encounter { id version status }", r#"{ "id": "$visit", "ifVersion": 3 }"#, &[]),
    ("encounterTriage", "encounter { id version status }", r#"{ "id": "$visit", "ifVersion": 4 }"#, &[]),
    (
        "vitalsRecord",
        "encounter { id version } vitalSigns { observations { id } }",
        r#"{ "id": "$visit", "heartRate": { "value": "72", "unit": "/min" } }"#,
        &[("pulse", "/vitalSigns/observations/0/id")],
    ),
    (
        "observationEnterInError",
        "observation { id version status }",
        r#"{ "id": "$pulse", "ifVersion": 1, "reason": "Another patient" }"#,
        &[],
    ),
    ("encounterStart", "encounter { id version status }", r#"{ "id": "$visit", "ifVersion": 5 }"#, &[]),
    ("encounterHold", "encounter { id version status }", r#"{ "id": "$visit", "ifVersion": 6 }"#, &[]),
    ("encounterResume", "encounter { id version status }", r#"{ "id": "$visit", "ifVersion": 7 }"#, &[]),
    (
        "assessmentRecord",
        "encounter { id version }",
        r#"{ "id": "$visit", "ifVersion": 8, "text": "Well", "diagnoses": [{ "code": "J20.9", "rank": 1 }] }"#,
        &[],
    ),
    (
        "planRecord",
        "encounter { id version }",
        r#"{ "id": "$visit", "ifVersion": 9, "text": "Nothing" }"#,
        &[],
    ),
    (
        "encounterClose",
        "encounter { id version status }",
        r#"{ "id": "$visit", "ifVersion": 10, "overrideReason": "Sent twice" }"#,
        &[],
    ),
    (
        "encounterReopen",
        "encounter { id version status }",
        r#"{ "id": "$visit", "ifVersion": 11, "reason": "Sent twice" }"#,
        &[],
    ),
    (
        "encounterCreate",
        "encounter { id version status }",
        r#"{ "patientId": "$patient", "class": "HOME" }"#,
        &[("called", "/encounter/id")],
    ),
    (
        "encounterCancel",
        "encounter { id version status }",
        r#"{ "id": "$called", "ifVersion": 1, "reason": "Sent twice" }"#,
        &[],
    ),
];

/// What somebody writes and signs who may not do so alone.
pub const SIGNED: &[Call] = &[
    (
        "documentDraft",
        "document { id version }",
        r#"{ "patientId": "$patient", "templateId": "$soap", "sections": [{ "code": "61150-9", "text": "Coughs" }, { "code": "61149-1", "text": "Clear" }, { "code": "51848-0", "text": "Bronchitis" }, { "code": "18776-5", "text": "Rest" }] }"#,
        &[("note", "/document/id")],
    ),
    ("documentSign", "document { id version status }", r#"{ "id": "$note", "ifVersion": 1 }"#, &[]),
];

/// It is signed by a second person.
pub const COSIGNED: &[Call] = &[(
    "documentCosign",
    "document { id version status current { signatures { id } } }",
    r#"{ "id": "$note", "ifVersion": 2 }"#,
    &[],
)];

/// A measurement by which a rule raises an alert.
pub const ALARMING: &[Call] = &[(
    "vitalsRecord",
    "encounter { id version } vitalSigns { observations { id } }",
    r#"{ "id": "$visit", "oxygenSaturation": { "value": "80", "unit": "%" } }"#,
    &[],
)];

/// What is done about two alerts.
pub const ALERTED: &[Call] = &[
    ("alertAcknowledge", "alert { id version status }", r#"{ "id": "$alert", "ifVersion": 1 }"#, &[]),
    ("alertResolve", "alert { id version status }", r#"{ "id": "$alert", "ifVersion": 2 }"#, &[]),
    (
        "alertOverride",
        "alert { id version status }",
        r#"{ "id": "$otherAlert", "ifVersion": 1, "reason": "NOT_APPLICABLE" }"#,
        &[],
    ),
];
