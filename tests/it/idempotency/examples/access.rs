//! Who may see and do what: emergencies, invitations, care teams, consents, roles.

use super::Call;

pub const CALLS: &[Call] = &[
    (
        "alertRuleUpdate",
        "alertRule { kind threshold }",
        r#"{ "kind": "BREAK_GLASS_USE", "threshold": 1 }"#,
        &[],
    ),
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
];

/// Somebody else looks into the emergency, and into the alert that it raised.
pub const REVIEWED: &[Call] = &[
    (
        "breakGlassReview",
        "breakGlass { id version status }",
        r#"{ "id": "$breakGlass", "outcome": "JUSTIFIED", "comment": "It was right." }"#,
        &[],
    ),
    (
        "securityAlertClose",
        "securityAlert { id version status resolution }",
        r#"{ "id": "$securityAlert", "ifVersion": 1, "resolution": "JUSTIFIED" }"#,
        &[],
    ),
];
