//! A death; and what a clinic and its people decide of sessions, disclosures and notices.

use super::Call;

pub const CALLS: &[Call] = &[
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
    (
        "visitPolicySet",
        "visitPolicy { class version needsVitals reopenDays }",
        r#"{ "class": "HOME", "ifVersion": 1, "needsVitals": true, "reopenDays": 14 }"#,
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
        "pushDeviceRegister",
        "device { id }",
        r#"{ "name": "Phone", "address": "https://push.example.org/abc" }"#,
        &[("device", "/device/id")],
    ),
    ("pushDeviceRemove", "device { id }", r#"{ "id": "$device" }"#, &[]),
];

/// A notice that was given up is tried anew.
pub const GIVEN_UP: &[Call] =
    &[("notificationRetry", "delivery { id status }", r#"{ "id": "$notice" }"#, &[])];
