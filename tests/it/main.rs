//! Tests against a real PostgreSQL, which all of them share.

mod appointments;
mod fhir_import;
mod migrate;
mod patients;
mod provision;
mod serving;
mod support;
