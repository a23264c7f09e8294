//! Tests against a real PostgreSQL, which all of them share.

mod access;
mod appointments;
mod audit;
mod break_glass;
mod browser;
mod conditions;
mod factors;
mod fhir_import;
mod generated;
mod idempotency;
mod identity;
mod isolation;
mod leak;
mod limits;
mod mail;
mod migrate;
mod oidc;
mod operations;
mod patients;
mod policy;
mod provision;
mod roles;
mod serving;
mod sessions;
mod staff;
mod support;
