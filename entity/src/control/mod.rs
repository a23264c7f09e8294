//! Tables of the control schema: which clinics there are, and where. No PHI.

pub mod cell;
pub mod tenant;
pub mod tenant_domain;
pub mod tenant_key;
