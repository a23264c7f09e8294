//! How people get in and stay in: sessions, the identity providers of the clinic, and who people are there.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::{Identities, SignInMutation};
pub(crate) use query::SignInQuery;
pub(crate) use types::{ExternalIdentity, IdentityProvider, Session};

use praxis_platform::access::Permission;

use crate::policy::{Access, Rule, inherited, needs, open};

pub(crate) const POLICY: &[Rule] = &[
    inherited(
        "Session",
        &[
            "id",
            "kind",
            "createdAt",
            "lastSeenAt",
            "expiresAt",
            "endedAt",
            "methods",
            "secondFactorAt",
            "sourceAddress",
            "userAgent",
            "current",
        ],
    ),
    inherited("SessionPolicy", &["version", "idleMinutes", "absoluteMinutes"]),
    inherited("ExternalIdentity", &["providerId", "providerName", "linkedAt", "lastUsedAt"]),
    inherited(
        "IdentityProvider",
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "name",
            "issuer",
            "clientId",
            "hasSecret",
            "scopes",
            "multiFactorAcr",
            "active",
        ],
    ),
    needs("Query", Permission::SESSION_MANAGE, &["userSessions"]),
    needs("Query", Permission::SETTINGS_READ, &["sessionPolicy"]),
    needs("Query", Permission::IDENTITY_PROVIDER_READ, &["identityProviders"]),
    open("Mutation", Access::SignedIn, &["sessionEnd", "sessionEndOthers", "externalIdentityUnlink"]),
    needs("Mutation", Permission::USER_MANAGE, &["userUnlinkIdentity"]),
    needs("Mutation", Permission::SETTINGS_MANAGE, &["sessionPolicySet"]),
    needs(
        "Mutation",
        Permission::IDENTITY_PROVIDER_MANAGE,
        &["identityProviderAdd", "identityProviderChange", "identityProviderRemove"],
    ),
    inherited("ExternalIdentityUnlinkPayload", &["externalIdentities", "userErrors"]),
    inherited("UserUnlinkIdentityPayload", &["user", "userErrors"]),
    inherited("SessionEndPayload", &["session", "userErrors"]),
    inherited("SessionEndOthersPayload", &["ended", "userErrors"]),
    inherited("SessionPolicySetPayload", &["sessionPolicy", "userErrors"]),
    inherited("IdentityProviderAddPayload", &["identityProvider", "userErrors"]),
    inherited("IdentityProviderChangePayload", &["identityProvider", "userErrors"]),
    inherited("IdentityProviderRemovePayload", &["removedId", "userErrors"]),
];
