//! The registry of permissions: every right that can be granted in a clinic.
//!
//! A permission is a code of the form `resource[.part]:action`. Roles hold sets of them, fields and operations ask for
//! them. Codes are what is stored and shown; the number behind one is its place in the list and lives only in memory.
//! The list is append-only: a code, once released, is never renamed, reused or moved.

use std::fmt;

use serde::{Serialize, Serializer};

/// Number of 64-bit words in a [`PermissionSet`].
const WORDS: usize = 2;

/// Declares the registry: one line per permission gives its constant, its code and its description.
macro_rules! permissions {
    ($($name:ident = $code:literal, $description:literal;)+) => {
        #[expect(non_camel_case_types, reason = "numbers the constants of the same names")]
        #[repr(u8)]
        enum Number { $($name),+ }

        impl Permission {
            $(#[doc = concat!("`", $code, "`: ", $description)]
            pub const $name: Self = Self(Number::$name as u8);)+

            /// Every permission, in the order of the registry.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }

        const REGISTRY: &[(&str, &str)] = &[$(($code, $description)),+];

        $(const _: () = assert!(is_constant_of(stringify!($name), $code), "constant and code differ");)+
    };
}

permissions! {
    PATIENT_READ = "patient:read", "See that a patient is registered here, with number, sex and status.";
    PATIENT_NAME_READ = "patient.name:read", "Read the names of patients.";
    PATIENT_DEMOGRAPHICS_READ = "patient.demographics:read", "Read birth dates and other demographic details of patients.";
    PATIENT_CONTACT_READ = "patient.contact:read", "Read addresses, telephone numbers and e-mail addresses of patients.";
    PATIENT_IDENTIFIERS_READ = "patient.identifiers:read", "Read national and insurance numbers of patients.";
    PATIENT_CREATE = "patient:create", "Register patients.";
    PATIENT_UPDATE = "patient:update", "Change the registration of patients.";
    PATIENT_DEACTIVATE = "patient:deactivate", "Deactivate and reactivate patients.";
    PATIENT_RECORD_DEATH = "patient:record-death", "Record that a patient has died.";
    APPOINTMENT_READ = "appointment:read", "See appointments.";
    APPOINTMENT_REASON_READ = "appointment.reason:read", "Read why a patient is coming.";
    APPOINTMENT_BOOK = "appointment:book", "Book appointments.";
    APPOINTMENT_RESCHEDULE = "appointment:reschedule", "Move appointments to another time or practitioner.";
    APPOINTMENT_CANCEL = "appointment:cancel", "Cancel appointments.";
    APPOINTMENT_NO_SHOW = "appointment:no-show", "Record that a patient did not come.";
    SCHEDULE_READ = "schedule:read", "See working hours and free slots.";
    SCHEDULE_MANAGE = "schedule:manage", "Change working hours, absences and visit types.";
    ENCOUNTER_READ = "encounter:read", "See encounters with their times and status.";
    ENCOUNTER_CLINICAL_READ = "encounter.clinical:read", "Read the clinical content of encounters.";
    OBSERVATION_READ = "observation:read", "Read vital signs, laboratory results and other observations.";
    CONDITION_READ = "condition:read", "Read diagnoses and problem lists.";
    STAFF_READ = "staff:read", "See the staff directory.";
    STAFF_MANAGE = "staff:manage", "Add, change and deactivate staff.";
    FACILITY_READ = "facility:read", "See facilities, rooms and opening hours.";
    FACILITY_MANAGE = "facility:manage", "Add, change and close facilities.";
    USER_READ = "user:read", "See user accounts.";
    USER_MANAGE = "user:manage", "Invite, disable and re-enable user accounts and assign roles.";
    ROLE_READ = "role:read", "See roles and what they permit.";
    ROLE_MANAGE = "role:manage", "Change roles and what they permit.";
    AUDIT_READ = "audit:read", "Read and verify the audit trail.";
    DATA_IMPORT = "data:import", "Import data from other systems.";
    BILLING_READ = "billing:read", "See charges, invoices and balances.";
    SETTINGS_READ = "settings:read", "See the settings of the clinic.";
    SETTINGS_MANAGE = "settings:manage", "Change the settings of the clinic.";
    SESSION_MANAGE = "session:manage", "See and end the sessions of other people.";
    POLICY_READ = "policy:read", "See which permissions fields ask for.";
    POLICY_MANAGE = "policy:manage", "Change which permissions fields ask for.";
    PATIENT_RESTRICTED_READ = "patient.restricted:read", "Read what is labelled as restricted, such as psychotherapy.";
    ACCESS_LOG_READ = "access-log:read", "See who read a patient's chart, and to whom it was disclosed.";
    CARE_TEAM_READ = "care-team:read", "See who cares for a patient.";
    CARE_TEAM_MANAGE = "care-team:manage", "Change who cares for a patient.";
    CONSENT_READ = "consent:read", "See what a patient allowed and forbade.";
    CONSENT_RECORD = "consent:record", "Record what a patient allows and forbids.";
    BREAK_GLASS_USE = "break-glass:use", "Open one patient's chart in an emergency, to be reviewed afterwards.";
    BREAK_GLASS_REVIEW = "break-glass:review", "Be told of emergency access, and review it.";
    SECURITY_ALERT_READ = "security-alert:read", "Be told of suspicious access, and see the alerts.";
    SECURITY_ALERT_CLOSE = "security-alert:close", "Close security alerts.";
    IDENTITY_PROVIDER_READ = "identity-provider:read", "See with which identity providers people sign in.";
    IDENTITY_PROVIDER_MANAGE = "identity-provider:manage", "Add, change and remove identity providers.";
    OPERATION_READ = "operation:read", "See registered operations and the clients that may call them.";
    OPERATION_MANAGE = "operation:manage", "Register and retire operations and the clients that may call them.";
    SENSITIVITY_LABEL = "sensitivity:label", "Label records as restricted, and take labels off.";
    DISCLOSURE_RECORD = "disclosure:record", "Write down to whom outside a patient's data were given.";
    APPOINTMENT_OVERBOOK = "appointment:overbook", "Book beyond the capacity of a practitioner, room or device.";
    WAITING_LIST_MANAGE = "waiting-list:manage", "Put patients on the waiting list and take them off.";
    QUEUE_MANAGE = "queue:manage", "Give out and call queue tokens.";
    ENCOUNTER_CREATE = "encounter:create", "Plan encounters.";
    ENCOUNTER_CHECK_IN = "encounter:check-in", "Check patients in.";
    ENCOUNTER_CANCEL = "encounter:cancel", "Cancel planned encounters.";
    ENCOUNTER_TRIAGE = "encounter:triage", "Triage patients.";
    VITALS_RECORD = "vitals:record", "Record vital signs and other observations.";
    ENCOUNTER_CONSULT = "encounter:consult", "Start consultations, record assessment, diagnoses and plan.";
    ENCOUNTER_CLOSE = "encounter:close", "Close encounters.";
    ENCOUNTER_REOPEN = "encounter:reopen", "Reopen closed encounters.";
    ENCOUNTER_OVERRIDE_CLOSE_GATE = "encounter:override-close-gate", "Close encounters although something is missing.";
    CONDITION_RECORD = "condition:record", "Record problems and diagnoses.";
    ALLERGY_READ = "allergy:read", "Read allergies and intolerances.";
    ALLERGY_RECORD = "allergy:record", "Record allergies and intolerances.";
    MEDICATION_READ = "medication:read", "Read which medications patients take.";
    MEDICATION_RECORD = "medication:record", "Record which medications patients take.";
    IMMUNIZATION_READ = "immunization:read", "Read immunisations.";
    IMMUNIZATION_RECORD = "immunization:record", "Record immunisations.";
    HISTORY_READ = "history:read", "Read procedures, family and social history.";
    HISTORY_RECORD = "history:record", "Record procedures, family and social history.";
    DOCUMENT_READ = "document:read", "See which clinical documents exist, with their types, dates and status.";
    DOCUMENT_CONTENT_READ = "document.content:read", "Read clinical documents.";
    DOCUMENT_WRITE = "document:write", "Draft clinical documents.";
    DOCUMENT_SIGN = "document:sign", "Sign clinical documents.";
    DOCUMENT_COSIGN = "document:cosign", "Cosign clinical documents of others.";
    DOCUMENT_AMEND = "document:amend", "Amend signed clinical documents and add addenda.";
    DOCUMENT_TEMPLATE_MANAGE = "document-template:manage", "Change templates of clinical documents.";
    TASK_READ = "task:read", "See tasks.";
    TASK_CREATE = "task:create", "Create tasks.";
    TASK_WORK = "task:work", "Claim, start and complete tasks.";
    TASK_ASSIGN = "task:assign", "Assign tasks to others.";
    WORKFLOW_MANAGE = "workflow:manage", "Change workflows.";
    RULE_READ = "rule:read", "See clinical rules.";
    RULE_AUTHOR = "rule:author", "Write and test clinical rules.";
    RULE_APPROVE = "rule:approve", "Activate and retire clinical rules of other authors.";
    ALERT_READ = "alert:read", "See clinical alerts.";
    ALERT_RESPOND = "alert:respond", "Acknowledge and override clinical alerts.";
    NOTIFICATION_MANAGE = "notification:manage", "Change the words of notices, and see what was sent.";
    AUDIT_CHANGE_READ = "audit.change:read", "Read what changes replaced, in patients' records too.";
    TASK_CONTENT_READ = "task.content:read", "Read what is written about tasks.";
    STATISTICS_READ = "statistics:read", "See how many appointments there are, by month, branch and status.";
}

const _: () = assert!(Permission::ALL.len() <= WORDS * 64, "PermissionSet has too few words");

/// Whether `name` is `code` in capitals with its separators as underscores.
const fn is_constant_of(name: &str, code: &str) -> bool {
    let (mut name, mut code) = (name.as_bytes(), code.as_bytes());
    while let ([n, name_rest @ ..], [c, code_rest @ ..]) = (name, code) {
        let wanted = match *c {
            b'.' | b':' | b'-' => b'_',
            other => other.to_ascii_uppercase(),
        };
        if *n != wanted {
            return false;
        }
        (name, code) = (name_rest, code_rest);
    }
    name.is_empty() && code.is_empty()
}

/// One right that can be granted, such as `patient.name:read`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(u8);

impl Permission {
    /// The permission with this code, if there is one.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.code() == code)
    }

    /// The code that is stored and shown.
    pub fn code(self) -> &'static str {
        self.entry().0
    }

    /// What the permission lets its holder do.
    pub fn description(self) -> &'static str {
        self.entry().1
    }

    fn entry(self) -> (&'static str, &'static str) {
        REGISTRY.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// A set of permissions, as small and quick to ask as two machine words.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet([u64; WORDS]);

impl PermissionSet {
    /// The set of nothing.
    pub const NONE: Self = Self([0; WORDS]);

    /// The set of these permissions.
    pub const fn of(mut list: &[Permission]) -> Self {
        let [mut low, mut high] = Self::NONE.0;
        while let [first, rest @ ..] = list {
            if first.0 < 64 {
                low |= 1 << first.0;
            } else {
                high |= 1 << (first.0 - 64);
            }
            list = rest;
        }
        Self([low, high])
    }

    /// The set of every permission.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Adds a permission.
    pub fn insert(&mut self, permission: Permission) {
        if let Some(word) = self.0.get_mut(usize::from(permission.0 / 64)) {
            *word |= 1 << (permission.0 % 64);
        }
    }

    /// Whether the permission is in the set.
    pub fn contains(&self, permission: Permission) -> bool {
        self.0.get(usize::from(permission.0 / 64)).is_some_and(|word| word & (1 << (permission.0 % 64)) != 0)
    }

    /// Everything that is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        Self([a | c, b | d])
    }

    /// Everything that is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        Self([a & c, b & d])
    }

    /// Everything that is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        Self([a & !c, b & !d])
    }

    /// Whether everything in `other` is in this set too.
    pub fn is_superset(&self, other: &Self) -> bool {
        self.union(*other) == *self
    }

    /// Whether the set grants nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many permissions the set holds.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// The permissions in the set, in the order of the registry.
    pub fn iter(&self) -> impl Iterator<Item = Permission> + use<> {
        let set = *self;
        Permission::ALL.iter().copied().filter(move |permission| set.contains(*permission))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let mut set = Self::default();
        permissions.into_iter().for_each(|permission| set.insert(permission));
        set
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for PermissionSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_back_to_its_permission() {
        for (number, permission) in Permission::ALL.iter().enumerate() {
            assert_eq!(usize::from(permission.0), number);
            assert_eq!(Permission::parse(permission.code()), Some(*permission));
            assert!(permission.description().ends_with('.'));
        }
        assert_eq!(Permission::parse("patient:delete"), None);
        assert_eq!(Permission::parse(""), None);
        assert_eq!(Permission::APPOINTMENT_NO_SHOW.code(), "appointment:no-show");
    }

    #[test]
    fn a_constant_must_match_its_code() {
        assert!(is_constant_of("PATIENT_NAME_READ", "patient.name:read"));
        assert!(!is_constant_of("PATIENT_NAME_READ", "patient.name:write"));
        assert!(!is_constant_of("PATIENT", "patient:read"));
        assert!(!is_constant_of("PATIENT_READ_ALL", "patient:read"));
    }

    #[test]
    fn sets_behave_as_sets() {
        let clerk: PermissionSet =
            [Permission::PATIENT_READ, Permission::SETTINGS_MANAGE].into_iter().collect();
        let auditor: PermissionSet = [Permission::AUDIT_READ].into_iter().collect();
        assert!(clerk.contains(Permission::SETTINGS_MANAGE) && !clerk.contains(Permission::AUDIT_READ));
        let both = clerk.union(auditor);
        assert_eq!(both.len(), 3);
        assert!(both.is_superset(&clerk) && both.is_superset(&auditor) && !clerk.is_superset(&both));
        assert!(clerk.is_superset(&PermissionSet::default()) && PermissionSet::default().is_empty());
        assert_eq!(both.iter().collect::<PermissionSet>(), both);
        assert_eq!(PermissionSet::all().len(), Permission::ALL.len());
        assert_eq!(
            serde_json::to_value(clerk).unwrap(),
            serde_json::json!(["patient:read", "settings:manage"])
        );
    }

    #[test]
    fn the_second_word_is_used() {
        let mut set = PermissionSet::default();
        set.insert(Permission(127));
        assert!(set.contains(Permission(127)) && !set.contains(Permission(63)));
    }
}
