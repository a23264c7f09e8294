//! Who signs in and where, which programs call, and what a clinic asks for before a field is read.

use super::Call;

pub const CALLS: &[Call] = &[
    (
        "userRename",
        "user { id version displayName }",
        r#"{ "id": "$nurse", "displayName": "Nia Okoro" }"#,
        &[],
    ),
    ("sessionEnd", "session { id endedAt }", r#"{ "id": "$session" }"#, &[]),
    ("userDisable", "user { id version active }", r#"{ "id": "$nurse" }"#, &[]),
    ("userEnable", "user { id version active }", r#"{ "id": "$nurse" }"#, &[]),
    (
        "apiClientCreate",
        "apiClient { id status } secret",
        r#"{ "name": "Lab interface", "permissions": [], "operations": [] }"#,
        &[("program", "/apiClient/id")],
    ),
    (
        "apiClientRotateSecret",
        "apiClient { id secrets { expiresAt } } secret",
        r#"{ "id": "$program" }"#,
        &[],
    ),
    ("apiClientRetire", "apiClient { id status secrets { expiresAt } }", r#"{ "id": "$program" }"#, &[]),
    (
        "identityProviderAdd",
        "identityProvider { id version hasSecret }",
        r#"{ "name": "Hospital", "issuer": "https://idp.example.org", "clientId": "praxis", "clientSecret": "praxis-secret-praxis-secret-0123" }"#,
        &[("provider", "/identityProvider/id")],
    ),
    (
        "identityProviderChange",
        "identityProvider { id version name }",
        r#"{ "id": "$provider", "ifVersion": 1, "name": "Clinic" }"#,
        &[],
    ),
];

/// Two are known at the provider.
pub const LINKED: &[Call] = &[
    ("externalIdentityUnlink", "externalIdentities { providerId }", r#"{ "providerId": "$provider" }"#, &[]),
    (
        "userUnlinkIdentity",
        "user { id version externalIdentities { providerId } }",
        r#"{ "userId": "$nurse", "providerId": "$provider" }"#,
        &[],
    ),
    ("identityProviderRemove", "removedId", r#"{ "id": "$provider", "ifVersion": 2 }"#, &[]),
    (
        "fieldPolicySet",
        "fieldPolicy { id permission }",
        r#"{ "type": "Patient", "field": "phone", "permission": "audit:read", "reason": "House rule" }"#,
        &[("policy", "/fieldPolicy/id")],
    ),
    ("fieldPolicyRemove", "removedId", r#"{ "id": "$policy" }"#, &[]),
];
