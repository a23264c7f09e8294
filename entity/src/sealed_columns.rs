//! Every sealed column there is: what a rotation of data keys seals anew, and what a check opens.
//!
//! A test walks the schema and fails for a `bytea` column that stands in neither of the two lists.

use crate::value::{
    AlertWords, AllergyClinical, AppointmentNote, AuditChange, BreakGlassFinding, BreakGlassStatement,
    ConditionClinical, Contact, DisclosureDetails, DocumentBody, EncounterClinical, EncounterText,
    FamilyHistoryClinical, FhirBody, Identifiers, Identity, ImmunizationClinical, MailFacts,
    MedicationClinical, ObservationResult, PhiClass, ProcedureClinical, ProviderSecret, PushAddress,
    RecordNumber, RelatedPersonDetails, RuleExplanation, SocialHistoryClinical, TaskWords, TotpSecret,
};

/// A table with sealed columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedTable {
    /// Its name.
    pub name: &'static str,
    /// The name that is bound into the ciphertext: its own, or that of the table whose earlier rows it keeps.
    pub bound: &'static str,
    /// The column, a `uuid`, that tells its rows apart.
    pub key: &'static str,
    /// The column of the row's id, a `uuid`, as it is bound into the ciphertext.
    pub row: &'static str,
    /// The column that says whose data it is; the clinic's own where it is null, or there is none.
    pub subject: Option<&'static str>,
    /// The sealed columns, each with the class that is bound into the ciphertext.
    pub columns: &'static [(&'static str, &'static str)],
}

/// A table whose rows belong to patients.
const fn of_patients(
    name: &'static str,
    subject: &'static str,
    columns: &'static [(&'static str, &'static str)],
) -> SealedTable {
    SealedTable { name, bound: name, key: "id", row: "id", subject: Some(subject), columns }
}

/// What rows of another table said before they were changed, under the key and in the place of these.
const fn versions_of(bound: &'static str, columns: &'static [(&'static str, &'static str)]) -> SealedTable {
    SealedTable { bound, row: "row_id", ..of_patients("chart_version", "patient_id", columns) }
}

/// A table whose rows belong to the clinic itself: they are under its own key.
const fn of_the_clinic(name: &'static str, columns: &'static [(&'static str, &'static str)]) -> SealedTable {
    SealedTable { name, bound: name, key: "id", row: "id", subject: None, columns }
}

impl SealedTable {
    /// The same where another column than `id` is bound into the ciphertext as the row.
    #[must_use]
    pub const fn with_row(self, row: &'static str) -> Self {
        Self { key: row, row, ..self }
    }
}

/// Sealed columns, table by table.
pub const SEALED: &[SealedTable] = &[
    of_patients(
        "patient",
        "id",
        &[
            ("record_number", RecordNumber::CLASS),
            ("identity", Identity::CLASS),
            ("contact", Contact::CLASS),
            ("identifiers", Identifiers::CLASS),
        ],
    ),
    of_patients("related_person", "patient_id", &[("details", RelatedPersonDetails::CLASS)]),
    of_patients("appointment", "patient_id", &[("note", AppointmentNote::CLASS)]),
    of_patients("encounter", "patient_id", &[("clinical", EncounterClinical::CLASS)]),
    of_patients("encounter_note", "patient_id", &[("body", EncounterText::CLASS)]),
    of_patients("observation", "patient_id", &[("result", ObservationResult::CLASS)]),
    of_patients("condition", "patient_id", &[("clinical", ConditionClinical::CLASS)]),
    of_patients("allergy", "patient_id", &[("clinical", AllergyClinical::CLASS)]),
    of_patients("medication_statement", "patient_id", &[("clinical", MedicationClinical::CLASS)]),
    of_patients("immunization", "patient_id", &[("clinical", ImmunizationClinical::CLASS)]),
    of_patients("procedure", "patient_id", &[("clinical", ProcedureClinical::CLASS)]),
    of_patients("family_history", "patient_id", &[("clinical", FamilyHistoryClinical::CLASS)]),
    of_patients("social_history", "patient_id", &[("clinical", SocialHistoryClinical::CLASS)]),
    versions_of("encounter", &[("sealed", EncounterClinical::CLASS)]),
    versions_of("observation", &[("sealed", ObservationResult::CLASS)]),
    versions_of("condition", &[("sealed", ConditionClinical::CLASS)]),
    versions_of("allergy", &[("sealed", AllergyClinical::CLASS)]),
    versions_of("medication_statement", &[("sealed", MedicationClinical::CLASS)]),
    versions_of("immunization", &[("sealed", ImmunizationClinical::CLASS)]),
    versions_of("procedure", &[("sealed", ProcedureClinical::CLASS)]),
    versions_of("family_history", &[("sealed", FamilyHistoryClinical::CLASS)]),
    versions_of("social_history", &[("sealed", SocialHistoryClinical::CLASS)]),
    of_patients("clinical_document", "patient_id", &[("draft", DocumentBody::CLASS)]),
    of_patients("document_version", "patient_id", &[("body", DocumentBody::CLASS)]),
    of_patients("fhir_resource", "patient_id", &[("body", FhirBody::CLASS)]),
    of_patients(
        "break_glass",
        "patient_id",
        &[("statement", BreakGlassStatement::CLASS), ("finding", BreakGlassFinding::CLASS)],
    ),
    of_patients("audit_change", "subject", &[("sealed", AuditChange::CLASS)]).with_row("entry_id"),
    of_patients("disclosure", "patient_id", &[("details", DisclosureDetails::CLASS)]),
    of_patients("task", "patient_id", &[("words", TaskWords::CLASS)]),
    of_patients("rule_evaluation", "patient_id", &[("explanation", RuleExplanation::CLASS)]),
    of_patients("alert", "patient_id", &[("words", AlertWords::CLASS)]),
    of_the_clinic("identity_provider", &[("client_secret", ProviderSecret::CLASS)]),
    of_the_clinic("totp", &[("secret", TotpSecret::CLASS)]).with_row("user_id"),
    of_the_clinic("mail_message", &[("facts", MailFacts::CLASS)]),
    of_the_clinic("push_device", &[("address", PushAddress::CLASS)]),
];

/// Other columns of bytes, which no data key seals: keyed hashes, wrapped keys and what is public.
pub const NOT_SEALED: &[(&str, &str)] = &[
    ("phi_key", "wrapped"),
    ("phi_key", "commitment"),
    ("idempotency_key", "key_hash"),
    ("idempotency_key", "request_hash"),
    ("session", "token_hash"),
    ("refresh_token", "token_hash"),
    ("refresh_token", "attempt_hash"),
    ("finished_sign_in", "state_hash"),
    ("recovery_code", "code_hash"),
    ("passkey", "credential_id"),
    ("passkey", "public_key"),
    ("spent_challenge", "hash"),
    ("calendar_feed", "token_hash"),
    ("api_client_secret", "secret_hash"),
    ("invitation", "token_hash"),
    ("account_link", "token_hash"),
    ("account_link", "device_hash"),
    ("patient_token", "token"),
    ("encounter", "code_tokens"),
    ("encounter_diagnosis", "code_token"),
    ("observation", "code_tokens"),
    ("condition", "code_tokens"),
    ("allergy", "code_tokens"),
    ("medication_statement", "code_tokens"),
    ("immunization", "code_tokens"),
    ("procedure", "code_tokens"),
    ("family_history", "code_tokens"),
    ("social_history", "code_tokens"),
    ("import_source", "source_token"),
    ("rule_evaluation", "inputs_hash"),
    ("audit_entry", "change_hash"),
    ("audit_entry", "mac"),
    ("audit_leaf", "leaf_hash"),
    ("audit_leaf", "line_hash"),
    ("audit_node", "hash"),
    ("audit_checkpoint", "edge"),
    ("audit_checkpoint", "line_hash"),
    ("document_version", "sha256"),
    ("document_signature", "sha256"),
    ("channel_consent", "contact_token"),
    ("suppression", "contact_token"),
    ("push_device", "address_hash"),
];
