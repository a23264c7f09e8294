//! Tests against a real PostgreSQL, which all of them share.

mod fhir_import;
mod migrate;
mod provision;
mod serving;
mod support;
