//! What a tenant's state allows.

use praxis_entity::control::tenant::TenantState;

/// How a tenant is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Reads and writes.
    Served,
    /// Reads only. A lock never hides what a clinician needs in mid-care.
    ReadOnly,
    /// Not at all.
    Refused,
}

impl Standing {
    /// The standing of a state.
    pub fn of(state: TenantState) -> Self {
        match state {
            TenantState::Active | TenantState::PastDue => Self::Served,
            TenantState::Locked | TenantState::Offboarding => Self::ReadOnly,
            TenantState::Provisioning
            | TenantState::Suspended
            | TenantState::Archived
            | TenantState::Shredded => Self::Refused,
        }
    }
}
