//! Users, and what they or programs sign in with.

pub const ARGUMENTS: &[(&str, &str)] = &[
    ("query($id: ID!) { user(id: $id) { id } }", "usr"),
    (
        "mutation($id: ID!) { userInvite(input: { email: \"a@b.example\", displayName: \"A\", role: \"nurse\", facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { userInvite(input: { email: \"a@b.example\", displayName: \"A\", role: \"nurse\", practitionerId: $id }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { invitationResend(input: { id: $id }) { userErrors { code message path } } }",
        "inv",
    ),
    (
        "mutation($id: ID!) { invitationRevoke(input: { id: $id }) { userErrors { code message path } } }",
        "inv",
    ),
    ("mutation($id: ID!) { userDisable(input: { id: $id }) { userErrors { code message path } } }", "usr"),
    ("mutation($id: ID!) { userEnable(input: { id: $id }) { userErrors { code message path } } }", "usr"),
    (
        "mutation($id: ID!) { userRename(input: { id: $id, displayName: \"A\" }) { userErrors { code message path } } }",
        "usr",
    ),
    ("query($id: ID!) { userSessions(userId: $id) { id } }", "usr"),
    ("mutation($id: ID!) { sessionEnd(input: { id: $id }) { userErrors { code message path } } }", "ses"),
    (
        "mutation($id: ID!) { sessionEndOthers(input: { userId: $id }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { identityProviderChange(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "idp",
    ),
    (
        "mutation($id: ID!) { identityProviderRemove(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "idp",
    ),
    (
        "mutation($id: ID!) { externalIdentityUnlink(input: { providerId: $id }) { userErrors { code message path } } }",
        "idp",
    ),
    (
        "mutation($id: ID!) { userUnlinkIdentity(input: { userId: $id, providerId: \"idp_01jd3k5n8re6ktp1rb6z9q4x2m\" }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { userUnlinkIdentity(input: { userId: \"usr_01jd3k5n8re6ktp1rb6z9q4x2m\", providerId: $id }) { userErrors { code message path } } }",
        "idp",
    ),
    // These ask for a second factor first; tests/it/operations.rs tries them with one.
    (
        "mutation($id: ID!) { apiClientRotateSecret(input: { id: $id }) { userErrors { code message path } } }",
        "cli",
    ),
    (
        "mutation($id: ID!) { apiClientRetire(input: { id: $id }) { userErrors { code message path } } }",
        "cli",
    ),
    (
        "mutation($id: ID!) { passkeyRename(input: { id: $id, name: \"A\" }) { userErrors { code message path } } }",
        "pky",
    ),
    ("mutation($id: ID!) { passkeyRemove(input: { id: $id }) { userErrors { code message path } } }", "pky"),
    (
        "mutation($id: ID!) { userResetSecondFactors(input: { userId: $id }) { userErrors { code message path } } }",
        "usr",
    ),
];
