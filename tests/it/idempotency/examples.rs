//! What is sent many times: examples of every mutation, a chapter a file.

pub mod access;
pub mod administration;
pub mod factors;
pub mod patients;
pub mod scheduling;
pub mod settings;
pub mod visits;
pub mod work;

/// One call of a mutation: the mutation, what to select, the input, and what later calls know of the
/// answer. `"$name"` in an input is what was kept by then; an empty one stands for a mutation that takes none.
pub type Call = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

/// What is told to one caller only, and to no retry: secrets, which are stored nowhere as they are.
pub const TOLD_ONCE: &[(&str, &str)] = &[
    ("apiClientCreate", "secret"),
    ("apiClientRotateSecret", "secret"),
    ("calendarFeedCreate", "path"),
    ("recoveryCodesRenew", "recoveryCodes"),
    ("totpConfirm", "recoveryCodes"),
];
