//! Classes: the parts of a patient's record that consent, labels and emergency access speak of.
//!
//! A class is a fixed set of permissions. Whatever takes a class away takes these permissions away, for that
//! patient or row; so fields, lists, counts and filters, which all ask for permissions, agree by construction.

use super::{Permission as P, PermissionSet};

/// Whatever a patient's record lets somebody do: taken away, the patient is not there.
pub const RECORD: PermissionSet = PermissionSet::of(&[
    P::PATIENT_READ,
    P::PATIENT_NAME_READ,
    P::PATIENT_DEMOGRAPHICS_READ,
    P::PATIENT_CONTACT_READ,
    P::PATIENT_IDENTIFIERS_READ,
    P::PATIENT_UPDATE,
    P::PATIENT_DEACTIVATE,
    P::PATIENT_RECORD_DEATH,
    P::APPOINTMENT_READ,
    P::APPOINTMENT_REASON_READ,
    P::APPOINTMENT_BOOK,
    P::APPOINTMENT_RESCHEDULE,
    P::APPOINTMENT_CANCEL,
    P::APPOINTMENT_NO_SHOW,
    P::ENCOUNTER_READ,
    P::ENCOUNTER_CLINICAL_READ,
    P::OBSERVATION_READ,
    P::CONDITION_READ,
    P::CARE_TEAM_READ,
    P::CARE_TEAM_MANAGE,
    P::BILLING_READ,
    P::SENSITIVITY_LABEL,
    P::APPOINTMENT_OVERBOOK,
    P::ENCOUNTER_CREATE,
    P::ENCOUNTER_CHECK_IN,
    P::ENCOUNTER_CANCEL,
    P::ENCOUNTER_TRIAGE,
    P::VITALS_RECORD,
    P::ENCOUNTER_CONSULT,
    P::ENCOUNTER_CLOSE,
    P::ENCOUNTER_REOPEN,
    P::ENCOUNTER_OVERRIDE_CLOSE_GATE,
    P::CONDITION_RECORD,
    P::ALLERGY_READ,
    P::ALLERGY_RECORD,
    P::MEDICATION_READ,
    P::MEDICATION_RECORD,
    P::IMMUNIZATION_READ,
    P::IMMUNIZATION_RECORD,
    P::HISTORY_READ,
    P::HISTORY_RECORD,
    P::DOCUMENT_READ,
    P::DOCUMENT_CONTENT_READ,
    P::DOCUMENT_WRITE,
    P::DOCUMENT_SIGN,
    P::DOCUMENT_COSIGN,
    P::DOCUMENT_AMEND,
    P::ALERT_READ,
    P::ALERT_RESPOND,
    P::TASK_READ,
    P::TASK_CREATE,
    P::TASK_WORK,
    P::TASK_ASSIGN,
    P::AUDIT_CHANGE_READ,
    P::TASK_CONTENT_READ,
]);

/// What was found and said in care: a patient may refuse it, a label `R` closes it, an emergency opens it.
pub const CLINICAL: PermissionSet = PermissionSet::of(&[
    P::ENCOUNTER_CLINICAL_READ,
    P::OBSERVATION_READ,
    P::CONDITION_READ,
    P::ALLERGY_READ,
    P::MEDICATION_READ,
    P::IMMUNIZATION_READ,
    P::HISTORY_READ,
    P::DOCUMENT_CONTENT_READ,
    P::ALERT_READ,
    P::TASK_CONTENT_READ,
]);

/// All that tells what was found and said: closed by a label `R`.
pub const CONTENT: PermissionSet =
    CLINICAL.union(PermissionSet::of(&[P::APPOINTMENT_REASON_READ, P::AUDIT_CHANGE_READ]));

/// What is judged for each patient or row: the record, and what is kept about it.
pub const ON_RECORD: PermissionSet = RECORD.union(PermissionSet::of(&[
    P::PATIENT_RESTRICTED_READ,
    P::ACCESS_LOG_READ,
    P::CONSENT_READ,
    P::CONSENT_RECORD,
    P::DISCLOSURE_RECORD,
]));

/// What is asked of rows that have a branch or a clinician of their own: it may hold for some of them where it does
/// not hold for their patient.
pub const OF_ROWS: PermissionSet = RecordClass::Visits
    .permissions()
    .union(CONTENT)
    .union(PermissionSet::of(&[P::BILLING_READ, P::DOCUMENT_READ]));

/// What concerns the clinic as a whole: a role held at one branch does not give it.
pub const CLINIC: PermissionSet = PermissionSet::of(&[
    P::STAFF_MANAGE,
    P::USER_READ,
    P::USER_MANAGE,
    P::ROLE_MANAGE,
    P::AUDIT_READ,
    P::DATA_IMPORT,
    P::SETTINGS_MANAGE,
    P::SESSION_MANAGE,
    P::POLICY_READ,
    P::POLICY_MANAGE,
    P::BREAK_GLASS_REVIEW,
    P::SECURITY_ALERT_READ,
    P::SECURITY_ALERT_CLOSE,
    P::IDENTITY_PROVIDER_READ,
    P::IDENTITY_PROVIDER_MANAGE,
    P::OPERATION_READ,
    P::OPERATION_MANAGE,
    P::DOCUMENT_TEMPLATE_MANAGE,
    P::WORKFLOW_MANAGE,
    P::RULE_AUTHOR,
    P::RULE_APPROVE,
    P::NOTIFICATION_MANAGE,
]);

/// A class of a patient's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordClass {
    /// The whole record: that there is a patient, too.
    All,
    /// Names, birth date and other demographic details.
    Identity,
    /// How the patient is reached.
    Contact,
    /// Numbers that authorities gave.
    Identifiers,
    /// Appointments and encounters.
    Visits,
    /// What was found and said.
    Clinical,
}

impl RecordClass {
    /// Every class.
    pub const EVERY: [Self; 6] =
        [Self::All, Self::Identity, Self::Contact, Self::Identifiers, Self::Visits, Self::Clinical];

    /// The stored form.
    pub const fn code(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Identity => "IDENTITY",
            Self::Contact => "CONTACT",
            Self::Identifiers => "IDENTIFIERS",
            Self::Visits => "VISITS",
            Self::Clinical => "CLINICAL",
        }
    }

    /// The class with this stored form.
    pub fn parse(code: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|class| class.code() == code)
    }

    /// The permissions it stands for.
    pub const fn permissions(self) -> PermissionSet {
        match self {
            Self::All => RECORD,
            Self::Identity => PermissionSet::of(&[P::PATIENT_NAME_READ, P::PATIENT_DEMOGRAPHICS_READ]),
            Self::Contact => PermissionSet::of(&[P::PATIENT_CONTACT_READ]),
            Self::Identifiers => PermissionSet::of(&[P::PATIENT_IDENTIFIERS_READ]),
            Self::Visits => PermissionSet::of(&[
                P::APPOINTMENT_READ,
                P::APPOINTMENT_REASON_READ,
                P::ENCOUNTER_READ,
                P::ENCOUNTER_CLINICAL_READ,
            ]),
            Self::Clinical => CONTENT,
        }
    }

    /// The stored forms of the classes that a permission belongs to.
    pub fn of(permission: P) -> Vec<String> {
        let holding = Self::EVERY.into_iter().filter(|class| class.permissions().contains(permission));
        holding.map(|class| class.code().to_owned()).collect()
    }
}
