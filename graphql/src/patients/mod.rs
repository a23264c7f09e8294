//! Persons in care.

mod inputs;
mod mutation;
mod query;
mod related_person;
mod types;

pub(crate) use inputs::{DateTimeFilter, ExactFilter, IdFilter, too_deep};
pub(crate) use mutation::PatientMutation;
pub(crate) use query::PatientQuery;
pub(crate) use related_person::RelatedPerson;
pub(crate) use types::{Patient, PatientConnection};

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "Patient",
        Permission::PATIENT_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "redactions",
            "status",
            "administrativeSex",
            "viewerPermissions",
            "allowedActions",
            "confidentiality",
            "relatedPersons",
        ],
    ),
    phi("Patient", Permission::PATIENT_READ, PhiCategory::GovernmentId, &["mrn"]),
    phi("Patient", Permission::PATIENT_NAME_READ, PhiCategory::Name, &["name", "names"]),
    phi("Patient", Permission::PATIENT_DEMOGRAPHICS_READ, PhiCategory::BirthDate, &["birthDate", "age"]),
    phi(
        "Patient",
        Permission::PATIENT_DEMOGRAPHICS_READ,
        PhiCategory::Clinical,
        &["deceasedAt", "maritalStatus", "languages"],
    ),
    phi(
        "Patient",
        Permission::PATIENT_CONTACT_READ,
        PhiCategory::Contact,
        &["email", "phone", "contactPoints", "addresses"],
    ),
    phi(
        "Patient",
        Permission::PATIENT_IDENTIFIERS_READ,
        PhiCategory::GovernmentId,
        &["nationalId", "identifiers"],
    ),
    needs("Patient", Permission::APPOINTMENT_READ, &["appointments"]),
    needs("Patient", Permission::ENCOUNTER_READ, &["encounters"]),
    needs("Patient", Permission::OBSERVATION_READ, &["observations"]),
    needs("Patient", Permission::CONDITION_READ, &["conditions"]),
    inherited("PatientConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("PatientEdge", &["cursor", "node"]),
    needs(
        "RelatedPerson",
        Permission::PATIENT_READ,
        &["id", "version", "createdAt", "updatedAt", "redactions", "active", "guardian", "emergencyContact"],
    ),
    phi("RelatedPerson", Permission::PATIENT_NAME_READ, PhiCategory::Name, &["name", "relationship"]),
    phi("RelatedPerson", Permission::PATIENT_CONTACT_READ, PhiCategory::Contact, &["contactPoints"]),
    needs("Query", Permission::PATIENT_READ, &["patient", "patients"]),
    needs("Mutation", Permission::PATIENT_CREATE, &["patientCreate"]),
    needs("Mutation", Permission::PATIENT_UPDATE, &["patientUpdate", "relatedPersonAdd", "relatedPersonEnd"]),
    needs("Mutation", Permission::PATIENT_DEACTIVATE, &["patientDeactivate", "patientReactivate"]),
    needs("Mutation", Permission::PATIENT_RECORD_DEATH, &["patientRecordDeath"]),
    inherited("PatientCreatePayload", &["patient", "userErrors", "duplicateCandidates"]),
    inherited("PatientUpdatePayload", &["patient", "userErrors"]),
    inherited("PatientDeactivatePayload", &["patient", "userErrors"]),
    inherited("PatientReactivatePayload", &["patient", "userErrors"]),
    inherited("PatientRecordDeathPayload", &["patient", "userErrors"]),
    inherited("RelatedPersonAddPayload", &["relatedPerson", "userErrors"]),
    inherited("RelatedPersonEndPayload", &["relatedPerson", "userErrors"]),
];
