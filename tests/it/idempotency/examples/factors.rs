//! Second factors, from the first to the last; and lost ones.

use super::Call;

/// An app is set up.
pub const APP: &[Call] = &[("totpEnrol", "uri secret", "", &[("secret", "/secret")])];

/// The app shows its first code, and a browser is asked for a passkey.
pub const CODES: &[Call] = &[
    ("totpConfirm", "recoveryCodes secondFactors { totpConfirmedAt }", r#"{ "code": "$code" }"#, &[]),
    ("recoveryCodesRenew", "recoveryCodes", "", &[]),
    ("passkeyRegisterStart", "options", "", &[("options", "/options")]),
];

/// The browser answers.
pub const PASSKEY: &[Call] = &[
    (
        "passkeyRegisterFinish",
        "passkey { id name } recoveryCodes",
        r#"{ "name": "Key", "credential": "$credential" }"#,
        &[("passkey", "/passkey/id")],
    ),
    ("passkeyRename", "passkey { id name }", r#"{ "id": "$passkey", "name": "Desk" }"#, &[]),
    ("passkeyRemove", "secondFactors { passkeys { id } }", r#"{ "id": "$passkey" }"#, &[]),
    ("totpRemove", "secondFactors { totpConfirmedAt }", "", &[]),
];

/// What an administrator does for whoever lost theirs, and asks of a role.
pub const ADMINISTERED: &[Call] = &[
    ("userResetSecondFactors", "user { id version }", r#"{ "userId": "$colleague" }"#, &[]),
    ("roleRequireSecondFactor", "role required", r#"{ "role": "biller", "required": true }"#, &[]),
];
