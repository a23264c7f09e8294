//! Second factors: one's own, other people's, and the roles that ask for them.
//!
//! Showing one is not here but under `/auth`: whoever has to has no session yet, or one that may do
//! nothing else. Enrolling is open to such a session too.

mod mutation;
mod types;

pub(crate) use mutation::{Left, RecoveryCodes, SecondFactorMutation, Told};
pub(crate) use types::SecondFactors;

use praxis_platform::access::Permission;

use crate::policy::{Access, Rule, inherited, needs, open};

pub(crate) const POLICY: &[Rule] = &[
    inherited("SecondFactors", &["required", "totpConfirmedAt", "passkeys", "recoveryCodesLeft"]),
    inherited("Passkey", &["id", "name", "host", "synced", "createdAt", "lastUsedAt", "clonedAt"]),
    open(
        "Mutation",
        Access::Enrolling,
        &["totpEnrol", "totpConfirm", "passkeyRegisterStart", "passkeyRegisterFinish"],
    ),
    open(
        "Mutation",
        Access::SignedIn,
        &["totpRemove", "passkeyRename", "passkeyRemove", "recoveryCodesRenew"],
    ),
    needs("Mutation", Permission::USER_MANAGE, &["userResetSecondFactors"]),
    needs("Mutation", Permission::ROLE_MANAGE, &["roleRequireSecondFactor"]),
    inherited("TotpEnrolPayload", &["uri", "secret", "userErrors"]),
    inherited("TotpConfirmPayload", &["secondFactors", "recoveryCodes", "userErrors"]),
    inherited("TotpRemovePayload", &["secondFactors", "userErrors"]),
    inherited("PasskeyRegisterStartPayload", &["options", "userErrors"]),
    inherited("PasskeyRegisterFinishPayload", &["passkey", "recoveryCodes", "userErrors"]),
    inherited("PasskeyRenamePayload", &["passkey", "userErrors"]),
    inherited("PasskeyRemovePayload", &["secondFactors", "userErrors"]),
    inherited("RecoveryCodesRenewPayload", &["recoveryCodes", "userErrors"]),
    inherited("UserResetSecondFactorsPayload", &["user", "userErrors"]),
    inherited("RoleRequireSecondFactorPayload", &["role", "required", "userErrors"]),
];
