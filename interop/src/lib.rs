//! What Praxis exchanges with other systems.
//!
//! Every way in passes through an [`OpFactory`](praxis_platform::OpFactory), like the API: the same
//! tenant, the same rules, the same audit. A standard is a view of the domain, never a second truth.

pub mod fhir;
