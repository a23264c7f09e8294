//! Every mutation, sent with one key to two servers, two to ten times at once, is done once and answered alike.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use axum::{body::Body, http::Request};
use chrono::{SecondsFormat, TimeDelta};
use futures::future::join_all;
use praxis::App;
use serde_json::{Value, json};

use crate::support::{
    people::Person,
    server::{self, TestServer},
};

/// One call of each mutation: the mutation, what to select, the input, and what later calls know of
/// the answer. `$name` in an input is what an earlier call kept.
///
/// They run in this order, as one story. A mutation that can't be part of it is tried elsewhere.
type Call = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

/// What the owner does, who has shown a second factor.
const STORY: &[Call] = &[
    (
        "facilityAdd",
        "facility { id }",
        r#"{ "code": "MAIN", "name": "Main", "timeZone": "UTC" }"#,
        &[("facility", "/facility/id")],
    ),
    ("roomAdd", "room { id name }", r#"{ "facilityId": "$facility", "name": "One" }"#, &[]),
    (
        "practitionerRegister",
        "practitioner { id displayName }",
        r#"{ "family": "Osei", "given": ["Ada"] }"#,
        &[("practitioner", "/practitioner/id")],
    ),
    (
        "patientCreate",
        "patient { id version } duplicateCandidates { id }",
        r#"{ "name": { "given": ["Ada"], "family": "Quill" }, "birthDate": "1990-01-02" }"#,
        &[("patient", "/patient/id")],
    ),
    (
        "patientUpdate",
        "patient { id version }",
        r#"{ "id": "$patient", "ifVersion": 1, "email": "ada@example.org" }"#,
        &[],
    ),
    ("patientDeactivate", "patient { id version }", r#"{ "id": "$patient", "ifVersion": 2 }"#, &[]),
    ("patientReactivate", "patient { id version }", r#"{ "id": "$patient", "ifVersion": 3 }"#, &[]),
    (
        "relatedPersonAdd",
        "relatedPerson { id version }",
        r#"{ "patientId": "$patient", "relationship": { "text": "mother" }, "name": { "given": ["Eve"], "family": "Quill" } }"#,
        &[("relatedPerson", "/relatedPerson/id")],
    ),
    (
        "relatedPersonEnd",
        "relatedPerson { id version }",
        r#"{ "id": "$relatedPerson", "ifVersion": 1 }"#,
        &[],
    ),
    (
        "appointmentBook",
        "appointment { id version }",
        r#"{ "patientId": "$patient", "practitionerId": "$practitioner", "type": "PHONE", "startsAt": "$past" }"#,
        &[("missed", "/appointment/id")],
    ),
    (
        "appointmentMarkNoShow",
        "appointment { id version status }",
        r#"{ "id": "$missed", "ifVersion": 1 }"#,
        &[],
    ),
    (
        "appointmentBook",
        "appointment { id version }",
        r#"{ "patientId": "$patient", "practitionerId": "$practitioner", "type": "PHONE", "startsAt": "2027-04-01T10:00:00Z" }"#,
        &[("appointment", "/appointment/id")],
    ),
    (
        "appointmentReschedule",
        "appointment { id version startsAt }",
        r#"{ "id": "$appointment", "ifVersion": 1, "startsAt": "2027-04-01T11:00:00Z" }"#,
        &[],
    ),
    (
        "appointmentCancel",
        "appointment { id version status }",
        r#"{ "id": "$appointment", "ifVersion": 2, "code": "pat" }"#,
        &[],
    ),
    (
        "problemRecord",
        "condition { id version }",
        r#"{ "patientId": "$patient", "code": { "text": "Asthma" } }"#,
        &[("problem", "/condition/id")],
    ),
    (
        "problemRemit",
        "condition { id version clinicalStatus }",
        r#"{ "id": "$problem", "ifVersion": 1 }"#,
        &[],
    ),
    (
        "problemRelapse",
        "condition { id version clinicalStatus }",
        r#"{ "id": "$problem", "ifVersion": 2 }"#,
        &[],
    ),
    (
        "problemInactivate",
        "condition { id version clinicalStatus }",
        r#"{ "id": "$problem", "ifVersion": 3 }"#,
        &[],
    ),
    (
        "problemResolve",
        "condition { id version clinicalStatus }",
        r#"{ "id": "$problem", "ifVersion": 4 }"#,
        &[],
    ),
    (
        "problemRecur",
        "condition { id version clinicalStatus }",
        r#"{ "id": "$problem", "ifVersion": 5, "reason": "Wheezes again" }"#,
        &[],
    ),
    (
        "problemEnterInError",
        "condition { id version verificationStatus }",
        r#"{ "id": "$problem", "ifVersion": 6, "reason": "Another patient" }"#,
        &[],
    ),
    (
        "allergyRecord",
        "allergy { id version }",
        r#"{ "patientId": "$patient", "code": { "text": "Penicillin" } }"#,
        &[("allergy", "/allergy/id")],
    ),
    ("allergyInactivate", "allergy { id version status }", r#"{ "id": "$allergy", "ifVersion": 1 }"#, &[]),
    ("allergyReactivate", "allergy { id version status }", r#"{ "id": "$allergy", "ifVersion": 2 }"#, &[]),
    ("allergyResolve", "allergy { id version status }", r#"{ "id": "$allergy", "ifVersion": 3 }"#, &[]),
    (
        "allergyEnterInError",
        "allergy { id version status }",
        r#"{ "id": "$allergy", "ifVersion": 4, "reason": "Another patient" }"#,
        &[],
    ),
    (
        "allergyRecord",
        "allergy { id version }",
        r#"{ "patientId": "$patient", "code": { "text": "Nuts" } }"#,
        &[("refuted", "/allergy/id")],
    ),
    ("allergyRefute", "allergy { id version status }", r#"{ "id": "$refuted", "ifVersion": 1 }"#, &[]),
    (
        "medicationStatementRecord",
        "medicationStatement { id version }",
        r#"{ "patientId": "$patient", "code": { "text": "Metformin" } }"#,
        &[("medication", "/medicationStatement/id")],
    ),
    (
        "medicationStatementStop",
        "medicationStatement { id version status }",
        r#"{ "id": "$medication", "ifVersion": 1 }"#,
        &[],
    ),
    (
        "medicationStatementEnterInError",
        "medicationStatement { id version status }",
        r#"{ "id": "$medication", "ifVersion": 2, "reason": "Another patient" }"#,
        &[],
    ),
    (
        "medicationStatementRecord",
        "medicationStatement { id version }",
        r#"{ "patientId": "$patient", "code": { "text": "Amoxicillin" } }"#,
        &[("completed", "/medicationStatement/id")],
    ),
    (
        "medicationStatementComplete",
        "medicationStatement { id version status }",
        r#"{ "id": "$completed", "ifVersion": 1 }"#,
        &[],
    ),
    (
        "immunizationRecord",
        "immunization { id version }",
        r#"{ "patientId": "$patient", "vaccine": { "text": "Tetanus" }, "givenAt": "2020" }"#,
        &[("immunization", "/immunization/id")],
    ),
    (
        "immunizationEnterInError",
        "immunization { id version status }",
        r#"{ "id": "$immunization", "ifVersion": 1, "reason": "Another patient" }"#,
        &[],
    ),
    (
        "procedureRecord",
        "procedure { id version }",
        r#"{ "patientId": "$patient", "code": { "text": "Appendectomy" } }"#,
        &[("procedure", "/procedure/id")],
    ),
    (
        "procedureEnterInError",
        "procedure { id version status }",
        r#"{ "id": "$procedure", "ifVersion": 1, "reason": "Another patient" }"#,
        &[],
    ),
    (
        "familyHistoryRecord",
        "familyHistory { id version }",
        r#"{ "patientId": "$patient", "relationship": { "text": "mother" } }"#,
        &[("family", "/familyHistory/id")],
    ),
    (
        "familyHistoryEnterInError",
        "familyHistory { id version status }",
        r#"{ "id": "$family", "ifVersion": 1, "reason": "Another patient" }"#,
        &[],
    ),
    (
        "socialHistoryRecord",
        "socialHistory { id version }",
        r#"{ "patientId": "$patient", "code": { "text": "Smoking" }, "value": { "text": "Never" } }"#,
        &[("social", "/socialHistory/id")],
    ),
    (
        "socialHistoryEnterInError",
        "socialHistory { id version status }",
        r#"{ "id": "$social", "ifVersion": 1, "reason": "Another patient" }"#,
        &[],
    ),
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
    (
        "availabilitySet",
        "practitioner { id }",
        r#"{ "practitionerId": "$practitioner", "facilityId": "$facility", "hours": [{ "weekday": "MONDAY", "startsLocal": "09:00", "endsLocal": "17:00" }] }"#,
        &[],
    ),
    (
        "deviceAdd",
        "device { id version }",
        r#"{ "facilityId": "$facility", "kind": "ECG", "name": "One" }"#,
        &[("device", "/device/id")],
    ),
    (
        "resourceCapacitySet",
        "device { id version capacity }",
        r#"{ "id": "$device", "ifVersion": 1, "capacity": 2, "overbookLimit": 1 }"#,
        &[],
    ),
    (
        "visitKindConfigure",
        "visitKind { id version leadMinutes }",
        r#"{ "id": "$kind", "ifVersion": 1, "leadMinutes": 5 }"#,
        &[],
    ),
    (
        "availabilityExceptionAdd",
        "availabilityException { id version }",
        r#"{ "facilityId": "$facility", "kind": "CLOSED", "firstDay": "2027-12-25" }"#,
        &[("exception", "/availabilityException/id")],
    ),
    ("availabilityExceptionRemove", "removedId", r#"{ "id": "$exception", "ifVersion": 1 }"#, &[]),
    (
        "appointmentUndoNoShow",
        "appointment { id version status }",
        r#"{ "id": "$missed", "ifVersion": 2 }"#,
        &[],
    ),
    ("appointmentConfirm", "appointment { id version }", r#"{ "id": "$missed", "ifVersion": 3 }"#, &[]),
    ("appointmentArrive", "appointment { id version }", r#"{ "id": "$missed", "ifVersion": 4 }"#, &[]),
    ("appointmentCheckIn", "appointment { id version }", r#"{ "id": "$missed", "ifVersion": 5 }"#, &[]),
    ("appointmentRoom", "appointment { id version }", r#"{ "id": "$missed", "ifVersion": 6 }"#, &[]),
    ("appointmentStart", "appointment { id version }", r#"{ "id": "$missed", "ifVersion": 7 }"#, &[]),
    ("appointmentComplete", "appointment { id version }", r#"{ "id": "$missed", "ifVersion": 8 }"#, &[]),
    ("appointmentEnterInError", "appointment { id version }", r#"{ "id": "$missed", "ifVersion": 9 }"#, &[]),
    (
        "appointmentHold",
        "appointment { id version status }",
        r#"{ "visit": { "patientId": "$patient", "practitionerId": "$practitioner", "type": "PHONE", "startsAt": "2027-04-02T10:00:00Z" } }"#,
        &[("held", "/appointment/id")],
    ),
    (
        "appointmentHoldConfirm",
        "appointment { id version status }",
        r#"{ "id": "$held", "ifVersion": 1 }"#,
        &[],
    ),
    (
        "appointmentSeriesBook",
        "series { id version appointments { id } }",
        r#"{ "first": { "patientId": "$patient", "practitionerId": "$practitioner", "type": "PHONE", "startsAt": "2027-05-03T10:00:00Z" }, "rule": "FREQ=WEEKLY;COUNT=3" }"#,
        &[("series", "/series/id")],
    ),
    (
        "appointmentSeriesReplace",
        "series { id version rule }",
        r#"{ "id": "$series", "ifVersion": 1, "startsAt": "2027-05-04T10:00:00Z", "rule": "FREQ=WEEKLY;COUNT=2" }"#,
        &[("next", "/series/id")],
    ),
    ("appointmentSeriesCancel", "series { id version status }", r#"{ "id": "$next", "ifVersion": 1 }"#, &[]),
    (
        "waitlistEntryAdd",
        "waitlistEntry { id version }",
        r#"{ "patientId": "$patient", "type": "PHONE", "latest": "2027-06-01T00:00:00Z" }"#,
        &[("waiting", "/waitlistEntry/id")],
    ),
    ("waitlistEntryRemove", "waitlistEntry { id version }", r#"{ "id": "$waiting", "ifVersion": 1 }"#, &[]),
    (
        "queueTokenIssue",
        "token { id number }",
        r#"{ "facilityId": "$facility", "patientId": "$patient" }"#,
        &[("token", "/token/id")],
    ),
    (
        "queueTokenCallNext",
        "token { id number version status }",
        r#"{ "facilityId": "$facility", "desk": "2" }"#,
        &[],
    ),
    ("queueTokenSkip", "token { id version }", r#"{ "id": "$token", "ifVersion": 2 }"#, &[]),
    ("queueTokenCall", "token { id version }", r#"{ "id": "$token", "ifVersion": 3 }"#, &[]),
    ("queueTokenServe", "token { id version }", r#"{ "id": "$token", "ifVersion": 4 }"#, &[]),
    (
        "breakGlassDeclare",
        "breakGlass { id version }",
        r#"{ "patientId": "$patient", "category": "OTHER", "reason": "Somebody sends this twice", "classes": ["CLINICAL"] }"#,
        &[("breakGlass", "/breakGlass/id")],
    ),
    ("breakGlassEnd", "breakGlass { id version status }", r#"{ "id": "$breakGlass" }"#, &[]),
    (
        "userInvite",
        "invitation { id version }",
        r#"{ "email": "nia@praxis.test", "displayName": "Nia", "role": "nurse", "facilityId": "$facility" }"#,
        &[("invitation", "/invitation/id")],
    ),
    ("invitationResend", "invitation { id version }", r#"{ "id": "$invitation" }"#, &[]),
    ("invitationRevoke", "invitation { id status version }", r#"{ "id": "$invitation" }"#, &[]),
    (
        "careTeamAdd",
        "careTeamMember { id version }",
        r#"{ "patientId": "$patient", "carer": { "practitionerId": "$practitioner" }, "role": "ATTENDING" }"#,
        &[("member", "/careTeamMember/id")],
    ),
    ("careTeamEnd", "careTeamMember { id version }", r#"{ "id": "$member", "ifVersion": 1 }"#, &[]),
    (
        "consentRecord",
        "consent { id version }",
        r#"{ "patientId": "$patient", "decision": "DENY", "class": "CLINICAL", "whom": { "role": "biller" } }"#,
        &[("consent", "/consent/id")],
    ),
    ("consentRevoke", "consent { id version revokedAt }", r#"{ "id": "$consent", "ifVersion": 1 }"#, &[]),
    (
        "confidentialitySet",
        "confidentiality node { id }",
        r#"{ "id": "$patient", "confidentiality": "RESTRICTED" }"#,
        &[],
    ),
    (
        "roleCreate",
        "role { id version }",
        r#"{ "code": "planner", "name": "Planner", "description": "Plans.", "permissions": ["schedule:read"] }"#,
        &[("role", "/role/id")],
    ),
    ("roleChange", "role { id version name }", r#"{ "id": "$role", "ifVersion": 1, "name": "Plans" }"#, &[]),
    ("roleGrant", "grant { id role }", r#"{ "userId": "$me", "roleId": "$role" }"#, &[]),
    ("roleRevoke", "role { id version }", r#"{ "userId": "$me", "roleId": "$role" }"#, &[]),
    ("roleRetire", "role { id version retired }", r#"{ "id": "$role", "ifVersion": 2 }"#, &[]),
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
    (
        "patientRecordDeath",
        "patient { id version }",
        r#"{ "id": "$patient", "ifVersion": 4, "deceasedAt": "$past" }"#,
        &[],
    ),
    (
        "sessionPolicySet",
        "sessionPolicy { version idleMinutes }",
        r#"{ "idleMinutes": 20, "ifVersion": 0 }"#,
        &[],
    ),
    ("sessionEndOthers", "ended", r#"{}"#, &[]),
    (
        "disclosureRecord",
        "disclosure { id recipient }",
        r#"{ "patientId": "$patient", "disclosedAt": "$past", "purpose": "RESEARCH", "recipient": "A registry", "description": "Diagnoses", "reason": "A study" }"#,
        &[],
    ),
    ("notificationMarkRead", "marked", "{}", &[]),
    (
        "notificationPreferenceSet",
        "preference { topic channel enabled }",
        r#"{ "topic": "TASK_ASSIGNED", "channel": "EMAIL", "enabled": true }"#,
        &[],
    ),
    (
        "notificationProfileSet",
        "profile { locale timeZone quietFrom quietUntil }",
        r#"{ "locale": "de", "timeZone": "Europe/Vienna", "quietFrom": "22:00", "quietUntil": "07:00" }"#,
        &[],
    ),
    (
        "notificationTemplateSave",
        "template { id version }",
        r#"{ "topic": "APPOINTMENT_REMINDER", "channel": "SMS", "locale": "en", "body": "{{ clinic }}: {{ date }}", "ifVersion": 0 }"#,
        &[],
    ),
    (
        "channelConsentSet",
        "patient { id }",
        r#"{ "patientId": "$patient", "channel": "EMAIL", "allowed": true }"#,
        &[],
    ),
    (
        "pushDeviceRegister",
        "device { id }",
        r#"{ "name": "Phone", "address": "https://push.example.org/abc" }"#,
        &[("device", "/device/id")],
    ),
    ("pushDeviceRemove", "device { id }", r#"{ "id": "$device" }"#, &[]),
    (
        "alertRuleUpdate",
        "alertRule { kind threshold }",
        r#"{ "kind": "MASS_READING", "threshold": 77 }"#,
        &[],
    ),
];

/// What only somebody else may do: the privacy officer.
const BY_ANOTHER: &[Call] = &[(
    "breakGlassReview",
    "breakGlass { id version status }",
    r#"{ "id": "$breakGlass", "outcome": "JUSTIFIED", "comment": "It was right." }"#,
    &[],
)];

/// Mutations that need somebody or something that the story has not, and the test that sends them twice.
const ELSEWHERE: &[(&str, &str)] = &[
    ("calendarFeedCreate", "scheduling::feed::the_address_is_told_once_even_to_a_retry"),
    ("calendarFeedRevoke", "scheduling::feed::the_address_is_told_once_even_to_a_retry"),
    ("waitlistOfferAccept", "scheduling::waiting::an_answer_to_an_offer_sent_twice_counts_once"),
    ("waitlistOfferDecline", "scheduling::waiting::an_answer_to_an_offer_sent_twice_counts_once"),
    ("ruleActivate", "rules::what_is_done_under_one_key_is_done_once"),
    ("alertAcknowledge", "rules::what_is_done_under_one_key_is_done_once"),
    ("alertResolve", "rules::what_is_done_under_one_key_is_done_once"),
    ("alertOverride", "rules::what_is_done_under_one_key_is_done_once"),
    ("notificationRetry", "notifications::what_may_pass_is_tried_again_and_what_can_not_is_given_up"),
    ("userDisable", "identity::what_is_done_to_a_user_under_one_key_is_done_once"),
    ("userEnable", "identity::what_is_done_to_a_user_under_one_key_is_done_once"),
    ("userRename", "identity::what_is_done_to_a_user_under_one_key_is_done_once"),
    ("fieldPolicySet", "conditions::a_field_policy_sent_twice_is_set_once"),
    ("fieldPolicyRemove", "conditions::a_field_policy_sent_twice_is_set_once"),
    ("documentCosign", "documents::a_cosignature_sent_twice_is_given_once"),
    ("sessionEnd", "sessions::people_see_their_sessions_and_end_them"),
    ("identityProviderAdd", "oidc::providers_are_changed_by_whoever_may_and_shows_a_second_factor"),
    ("identityProviderChange", "oidc::providers_are_changed_by_whoever_may_and_shows_a_second_factor"),
    ("identityProviderRemove", "oidc::providers_are_changed_by_whoever_may_and_shows_a_second_factor"),
    (
        "securityAlertClose",
        "audit::reading::suspicious_access_raises_one_alert_each_and_somebody_else_closes_it",
    ),
    ("apiClientCreate", "operations::a_retried_creation_tells_no_secret_twice"),
    ("apiClientRotateSecret", "operations::a_retried_creation_tells_no_secret_twice"),
    ("apiClientRetire", "operations::a_retried_creation_tells_no_secret_twice"),
    ("totpEnrol", "factors::a_secret_is_told_once_even_to_a_retry"),
    ("totpConfirm", "factors::a_secret_is_told_once_even_to_a_retry"),
    ("totpRemove", "factors::a_secret_is_told_once_even_to_a_retry"),
    ("passkeyRegisterStart", "factors::a_secret_is_told_once_even_to_a_retry"),
    ("passkeyRegisterFinish", "factors::a_secret_is_told_once_even_to_a_retry"),
    ("passkeyRename", "factors::a_secret_is_told_once_even_to_a_retry"),
    ("passkeyRemove", "factors::a_secret_is_told_once_even_to_a_retry"),
    ("recoveryCodesRenew", "factors::a_secret_is_told_once_even_to_a_retry"),
    ("userResetSecondFactors", "factors::a_secret_is_told_once_even_to_a_retry"),
    ("roleRequireSecondFactor", "factors::a_secret_is_told_once_even_to_a_retry"),
];

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "root@northside.test", "owner")]).await
}

fn query(mutation: &str, select: &str) -> String {
    let (first, rest) = mutation.split_at(1);
    format!(
        "mutation($input: {}{rest}Input!) {{ {mutation}(input: $input) {{ {select} userErrors {{ code message path }} }} }}",
        first.to_uppercase()
    )
}

async fn send(person: &Person<'_>, mutation: &str, select: &str, input: &Value, key: &str) -> Value {
    person.send(&query(mutation, select), json!({ "input": input }), &[("idempotency-key", key)]).await.body
}

/// The same, to any server of the installation.
#[expect(clippy::unwrap_used, reason = "a request of fixed parts")]
async fn send_to(app: &App, person: &Person<'_>, query: &str, input: &Value, key: &str) -> Value {
    let body = json!({ "query": query, "variables": { "input": input } }).to_string();
    let request = Request::post("/graphql")
        .header("host", &person.host)
        .header("authorization", &person.bearer)
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    server::send(&app.router, request.body(Body::from(body)).unwrap()).await.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mutation_sent_many_times_at_once_to_two_servers_with_one_key_is_done_once() -> Result<()> {
    let server = clinic().await?;
    let other = server.another().await?;
    let (owner, officer) =
        (server.proven("northside", "owner").await, server.proven("northside", "privacy_officer").await);
    let now = server.installation.clock.now();
    // On the same day in any case: not having come is taken back on the same day only.
    let past = (now - TimeDelta::hours(1)).max(now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc());
    let me = owner.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].as_str().unwrap().to_owned();
    let kind = owner.ask("{ visitKinds { id } }", json!({})).await["visitKinds"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let past = past.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut kept =
        HashMap::from([("past".to_owned(), past), ("me".to_owned(), me), ("kind".to_owned(), kind)]);
    let story = STORY.iter().map(|call| (&owner, call)).chain(BY_ANOTHER.iter().map(|call| (&officer, call)));
    for (number, (person, (mutation, select, input, keep))) in story.enumerate() {
        let input = kept.iter().fold((*input).to_owned(), |input, (name, value)| {
            input.replace(&format!("\"${name}\""), &format!("\"{value}\""))
        });
        let (input, key) = (serde_json::from_str(&input)?, number.to_string());
        let query = query(mutation, select);
        let times = 2 + number % 9;
        let at_once = (0..times).map(|turn| {
            let app = if turn % 2 == 0 { &server.app } else { &other };
            send_to(app, person, &query, &input, &key)
        });
        let answers = join_all(at_once).await;
        let is_replay = |answer: &&Value| answer["extensions"]["idempotentReplay"] == json!([mutation]);
        assert_eq!(answers.iter().filter(is_replay).count(), times - 1, "{mutation}: {answers:#?}");
        let first = &answers[0];
        assert!(first["errors"].is_null(), "{mutation}: {first}");
        assert_eq!(first["data"][mutation]["userErrors"], json!([]), "{mutation}: {first}");
        assert!(answers.iter().all(|answer| answer["data"] == first["data"]), "{mutation}: {answers:#?}");
        for (name, pointer) in *keep {
            let value = first["data"][mutation].pointer(pointer).unwrap();
            kept.insert((*name).to_owned(), value.as_str().unwrap().to_owned());
        }
    }

    let fields = owner.ask("{ __type(name: \"Mutation\") { fields { name } } }", json!({})).await;
    let fields = fields["__type"]["fields"].as_array().unwrap();
    let published: BTreeSet<_> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    let calls = STORY.iter().chain(BY_ANOTHER).map(|(mutation, ..)| *mutation);
    let tried = calls.chain(ELSEWHERE.iter().map(|(name, _)| *name));
    assert_eq!(published, tried.collect(), "a mutation whose retry nobody tried, or an example too many");
    Ok(())
}

#[tokio::test]
async fn thirty_two_at_once_with_one_key_add_one_room() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let facility = owner.facility("MAIN").await;
    let input = json!({ "facilityId": facility, "name": "One" });
    let answers =
        join_all((0..32).map(|_| send(&owner, "roomAdd", "room { id name }", &input, "same"))).await;
    assert!(answers[0]["data"]["roomAdd"]["room"]["id"].is_string(), "{}", answers[0]);
    assert!(answers.iter().all(|answer| answer["data"] == answers[0]["data"]));
    let first = answers.iter().filter(|answer| answer["extensions"]["idempotentReplay"].is_null());
    assert_eq!(first.count(), 1);
    let mut sql = server.installation.tenant_connection("northside").await?;
    let rooms: i64 = sqlx::query_scalar("SELECT count(*) FROM room").fetch_one(&mut sql).await?;
    assert_eq!(rooms, 1);
    Ok(())
}

#[tokio::test]
async fn the_same_input_written_in_another_way_is_the_same_input() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let facility = owner.facility("MAIN").await;
    let input = json!({ "facilityId": facility, "name": "One" });
    let first = send(&owner, "roomAdd", "room { id }", &input, "same").await;
    let turned = format!(
        "mutation {{ roomAdd(input: {{ name: \"One\", facilityId: \"{facility}\" }}) @idempotent(key: \"same\") {{ room {{ id }} }} }}"
    );
    let again = owner.ask(&turned, json!({})).await;
    assert_eq!(again["roomAdd"]["room"], first["data"]["roomAdd"]["room"]);

    let other = json!({ "facilityId": facility, "name": "Two" });
    let conflict = send(&owner, "roomAdd", "room { id }", &other, "same").await;
    assert_eq!(conflict["errors"][0]["extensions"]["code"], "IDEMPOTENCY_CONFLICT");
    Ok(())
}
