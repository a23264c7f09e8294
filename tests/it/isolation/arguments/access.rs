//! Who may see what, why, and who saw it.

pub const ARGUMENTS: &[(&str, &str)] = &[
    ("query($id: ID!) { role(id: $id) { id } }", "rol"),
    (
        "mutation($id: ID!) { roleChange(input: { id: $id, ifVersion: 1, name: \"X\" }) { userErrors { code message path } } }",
        "rol",
    ),
    (
        "mutation($id: ID!) { roleRetire(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "rol",
    ),
    (
        "mutation($id: ID!) { roleGrant(input: { userId: $id, roleId: \"rol_01jd3k5n8re6ktp1rb6z9q4x2m\" }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { roleGrant(input: { userId: \"usr_01jd3k5n8re6ktp1rb6z9q4x2m\", roleId: $id }) { userErrors { code message path } } }",
        "rol",
    ),
    (
        "mutation($id: ID!) { roleGrant(input: { userId: \"usr_01jd3k5n8re6ktp1rb6z9q4x2m\", roleId: \"rol_01jd3k5n8re6ktp1rb6z9q4x2m\", facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { roleRevoke(input: { userId: $id, roleId: \"rol_01jd3k5n8re6ktp1rb6z9q4x2m\" }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { roleRevoke(input: { userId: \"usr_01jd3k5n8re6ktp1rb6z9q4x2m\", roleId: $id }) { userErrors { code message path } } }",
        "rol",
    ),
    (
        "mutation($id: ID!) { roleRevoke(input: { userId: \"usr_01jd3k5n8re6ktp1rb6z9q4x2m\", roleId: \"rol_01jd3k5n8re6ktp1rb6z9q4x2m\", facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    ("query($id: ID!) { breakGlass(id: $id) { id } }", "bgl"),
    ("query($id: ID!) { breakGlasses(filter: { userId: $id }) { totalCount nodes { id } } }", "usr"),
    ("query($id: ID!) { breakGlasses(filter: { patientId: $id }) { totalCount nodes { id } } }", "pat"),
    (
        "mutation($id: ID!) { breakGlassDeclare(input: { patientId: $id, category: OTHER, reason: \"Somebody from elsewhere\", classes: [CLINICAL] }) { userErrors { code message path } } }",
        "pat",
    ),
    ("mutation($id: ID!) { breakGlassEnd(input: { id: $id }) { userErrors { code message path } } }", "bgl"),
    (
        "mutation($id: ID!) { breakGlassReview(input: { id: $id, outcome: JUSTIFIED, comment: \"x\" }) { userErrors { code message path } } }",
        "bgl",
    ),
    (
        "mutation($id: ID!) { careTeamAdd(input: { patientId: $id, carer: { practitionerId: \"PRA\" }, role: NURSE }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { careTeamAdd(input: { patientId: \"PAT\", carer: { practitionerId: $id }, role: NURSE }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { careTeamAdd(input: { patientId: \"PAT\", carer: { userId: $id }, role: NURSE }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { careTeamEnd(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "ctm",
    ),
    (
        "mutation($id: ID!) { consentRecord(input: { patientId: $id, decision: DENY, class: ALL, whom: { role: \"nurse\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { consentRecord(input: { patientId: \"PAT\", decision: DENY, class: ALL, whom: { facilityId: $id } }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { consentRecord(input: { patientId: \"PAT\", decision: DENY, class: ALL, whom: { userId: $id } }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { consentRevoke(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "cns",
    ),
    (
        "mutation($id: ID!) { confidentialitySet(input: { id: $id, confidentiality: RESTRICTED }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { fieldPolicyRemove(input: { id: $id }) { userErrors { code message path } } }",
        "fpo",
    ),
    ("query($id: ID!) { auditEntries(filter: { actorIds: [$id] }) { totalCount nodes { id } } }", "usr"),
    ("query($id: ID!) { auditEntries(filter: { patientIds: [$id] }) { totalCount nodes { id } } }", "pat"),
    ("query($id: ID!) { auditEntries(filter: { objectId: $id }) { totalCount nodes { action } } }", "pat"),
    ("query($id: ID!) { auditEntries(filter: { sessionId: $id }) { totalCount nodes { id } } }", "ses"),
    (
        "mutation($id: ID!) { disclosureRecord(input: { patientId: $id, disclosedAt: \"2026-06-01T10:00:00Z\", purpose: RESEARCH, recipient: \"X\", description: \"Y\", reason: \"Z\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { securityAlertClose(input: { id: $id, ifVersion: 1, resolution: DUPLICATE }) { userErrors { code message path } } }",
        "sal",
    ),
];
