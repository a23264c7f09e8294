//! Hours, appointments kept and held, series, and who waits.

use super::Call;

pub const CALLS: &[Call] = &[
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
    ("calendarFeedCreate", "path", r#"{ "practitionerId": "$practitioner" }"#, &[]),
    ("calendarFeedRevoke", "revoked", r#"{ "practitionerId": "$practitioner" }"#, &[]),
    (
        "waitlistEntryAdd",
        "waitlistEntry { id version }",
        r#"{ "patientId": "$patient", "type": "PHONE", "latest": "$latest" }"#,
        &[("waiting", "/waitlistEntry/id")],
    ),
];

/// A visit is called off, and so its time is free for whoever waits.
pub const FREED: &[Call] = &[
    (
        "appointmentBook",
        "appointment { id version }",
        r#"{ "patientId": "$patient", "practitionerId": "$practitioner", "type": "PHONE", "startsAt": "$monday" }"#,
        &[("freed", "/appointment/id")],
    ),
    (
        "appointmentCancel",
        "appointment { id version status }",
        r#"{ "id": "$freed", "ifVersion": 1, "code": "pat" }"#,
        &[],
    ),
];

/// They don't want it, and wait on.
pub const DECLINED: &[Call] = &[(
    "waitlistOfferDecline",
    "waitlistEntry { id version status }",
    r#"{ "id": "$waiting", "ifVersion": 2 }"#,
    &[],
)];

/// They take the next one.
pub const ACCEPTED: &[Call] = &[(
    "waitlistOfferAccept",
    "waitlistEntry { id version status appointment { id status } }",
    r#"{ "id": "$waiting", "ifVersion": 4 }"#,
    &[],
)];
