//! What a clinic may have a limited number of. The numbers themselves are counted by the database (`quota`), in the
//! transaction that changes them.

use std::fmt;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quota {
    /// Accounts that can sign in.
    Seats,
    /// Bytes of documents, their versions, and what was imported.
    Storage,
}

impl Quota {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Seats, Self::Storage];

    /// The stored name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Seats => "SEATS",
            Self::Storage => "STORAGE",
        }
    }

    /// The quota that a trigger says is exhausted, by the name that it gives.
    pub(crate) fn of_constraint(name: &str) -> Option<Self> {
        match name {
            "quota_seats" => Some(Self::Seats),
            "quota_storage" => Some(Self::Storage),
            _ => None,
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seats => "seats",
            Self::Storage => "storage",
        })
    }
}
