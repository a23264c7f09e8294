//! Second factors: one's own, other people's, and the roles that ask for them.
//!
//! Nothing about them changes unless one was shown a short while ago, and whoever they belong to is
//! told by mail.

mod own;
mod passkeys;
mod read;
mod recovery_codes;
mod require;
mod reset;
mod totp;

pub use passkeys::{
    NewPasskey, PasskeyCreation, own_passkey, passkey_register_again, passkey_register_finish,
    passkey_register_start, passkey_remove, passkey_rename,
};
pub use read::{SecondFactors, second_factors};
pub use recovery_codes::recovery_codes_renew;
pub use require::{role_by_code, role_require_second_factor};
pub use reset::reset_second_factors;
pub use totp::{TotpEnrolment, totp_confirm, totp_enrol, totp_enrolment, totp_remove};
