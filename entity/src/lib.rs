//! What is stored: one file per table, typed ids and stored value types.
//!
//! This package holds shapes only. Queries live in `domain`, access to a connection in
//! `platform`, and nothing here knows a runtime or a driver.

pub mod ids;
pub mod value;

pub mod account_link;
pub mod alert_rule;
pub mod api_client;
pub mod api_client_secret;
pub mod appointment;
pub mod appointment_resource;
pub mod audit_change;
pub mod audit_checkpoint;
pub mod audit_entry;
pub mod audit_leaf;
pub mod audit_node;
pub mod audit_sealer;
pub mod availability_rule;
pub mod break_glass;
pub mod care_team_member;
pub mod condition;
pub mod consent_directive;
pub mod control;
pub mod disclosure;
pub mod encounter;
pub mod encounter_participant;
pub mod external_identity;
pub mod facility;
pub mod fhir_resource;
pub mod field_policy;
pub mod finished_sign_in;
pub mod idempotency_key;
pub mod identity_provider;
pub mod import_source;
pub mod invitation;
pub mod mail_message;
pub mod membership;
pub mod note_template;
pub mod observation;
pub mod organization;
pub mod organization_identifier;
pub mod patient;
pub mod patient_facility;
pub mod patient_token;
pub mod phi_key;
pub mod practitioner;
pub mod practitioner_identifier;
pub mod refresh_token;
pub mod registered_operation;
pub mod related_person;
pub mod role;
pub mod role_permission;
pub mod room;
pub mod security_alert;
pub mod sensitivity_label;
pub mod session;
pub mod session_policy;
pub mod specialty;
pub mod status_transition;
pub mod user_account;
pub mod visit_type;
