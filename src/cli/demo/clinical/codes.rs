//! Diseases and kinds of visit, with the codes they go by.

use praxis_entity::value::{CodeableConcept, Coding};

pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const LOINC: &str = "http://loinc.org";
const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";

/// A disease.
#[derive(Debug)]
pub(in crate::cli::demo) struct Disease {
    pub(super) snomed: (&'static str, &'static str),
    pub(super) icd10: &'static str,
    icd10_display: &'static str,
    text: &'static str,
    pub(super) from_age: u32,
    pub(super) percent: u64,
}

impl Disease {
    /// The disease as it is recorded: in words, in SNOMED CT and in ICD-10-CM.
    pub(super) fn concept(&self) -> CodeableConcept {
        let icd10 = coding(ICD10, (self.icd10, self.icd10_display));
        CodeableConcept {
            text: Some(self.text.to_owned()),
            codings: vec![coding(SNOMED, self.snomed), icd10],
        }
    }
}

const fn disease(
    snomed: (&'static str, &'static str),
    icd10: (&'static str, &'static str),
    text: &'static str,
    from_age: u32,
    percent: u64,
) -> Disease {
    Disease { snomed, icd10: icd10.0, icd10_display: icd10.1, text, from_age, percent }
}

/// Diseases that stay: from which age and how common.
pub(super) const CHRONIC: &[Disease] = &[
    disease(
        ("38341003", "Hypertensive disorder"),
        ("I10", "Essential (primary) hypertension"),
        "Hypertension",
        35,
        38,
    ),
    disease(
        ("44054006", "Diabetes mellitus type 2"),
        ("E11.9", "Type 2 diabetes mellitus without complications"),
        "Type 2 diabetes",
        40,
        16,
    ),
    disease(
        ("55822004", "Hyperlipidemia"),
        ("E78.5", "Hyperlipidemia, unspecified"),
        "High cholesterol",
        40,
        25,
    ),
    disease(("195967001", "Asthma"), ("J45.909", "Unspecified asthma, uncomplicated"), "Asthma", 4, 9),
    disease(
        ("13645005", "Chronic obstructive lung disease"),
        ("J44.9", "Chronic obstructive pulmonary disease, unspecified"),
        "COPD",
        50,
        8,
    ),
    disease(
        ("396275006", "Osteoarthritis"),
        ("M19.90", "Unspecified osteoarthritis, unspecified site"),
        "Osteoarthritis",
        55,
        24,
    ),
    disease(
        ("40930008", "Hypothyroidism"),
        ("E03.9", "Hypothyroidism, unspecified"),
        "Underactive thyroid",
        25,
        6,
    ),
    disease(
        ("235595009", "Gastroesophageal reflux disease"),
        ("K21.9", "Gastro-esophageal reflux disease without esophagitis"),
        "Acid reflux",
        20,
        11,
    ),
    disease(
        ("37796009", "Migraine"),
        ("G43.909", "Migraine, unspecified, not intractable, without status migrainosus"),
        "Migraine",
        12,
        8,
    ),
    disease(("35489007", "Depressive disorder"), ("F32.A", "Depression, unspecified"), "Depression", 16, 10),
    disease(("197480006", "Anxiety disorder"), ("F41.9", "Anxiety disorder, unspecified"), "Anxiety", 14, 9),
    disease(
        ("49436004", "Atrial fibrillation"),
        ("I48.91", "Unspecified atrial fibrillation"),
        "Atrial fibrillation",
        60,
        9,
    ),
    disease(
        ("709044004", "Chronic kidney disease"),
        ("N18.9", "Chronic kidney disease, unspecified"),
        "Chronic kidney disease",
        55,
        10,
    ),
    disease(("24079001", "Atopic dermatitis"), ("L20.9", "Atopic dermatitis, unspecified"), "Eczema", 0, 7),
];

/// Diseases that pass.
pub(super) const ACUTE: &[Disease] = &[
    disease(
        ("54150009", "Upper respiratory infection"),
        ("J06.9", "Acute upper respiratory infection, unspecified"),
        "Cold",
        0,
        0,
    ),
    disease(
        ("68566005", "Urinary tract infectious disease"),
        ("N39.0", "Urinary tract infection, site not specified"),
        "Urinary tract infection",
        0,
        0,
    ),
    disease(("15805002", "Acute sinusitis"), ("J01.90", "Acute sinusitis, unspecified"), "Sinusitis", 0, 0),
    disease(("279039007", "Low back pain"), ("M54.50", "Low back pain, unspecified"), "Low back pain", 0, 0),
    disease(
        ("25374005", "Gastroenteritis"),
        ("K52.9", "Noninfective gastroenteritis and colitis, unspecified"),
        "Stomach upset",
        0,
        0,
    ),
    disease(("10509002", "Acute bronchitis"), ("J20.9", "Acute bronchitis, unspecified"), "Bronchitis", 0, 0),
];

/// Kinds of encounter.
pub(super) struct VisitTypes {
    pub(super) check_up: (&'static str, &'static str),
    pub(super) symptom: (&'static str, &'static str),
    pub(super) follow_up: (&'static str, &'static str),
    pub(super) emergency: (&'static str, &'static str),
    pub(super) admission: (&'static str, &'static str),
    pub(super) remote: (&'static str, &'static str),
}

pub(super) const VISIT_TYPES: VisitTypes = VisitTypes {
    check_up: ("185349003", "Encounter for check up"),
    symptom: ("185345009", "Encounter for symptom"),
    follow_up: ("390906007", "Follow-up encounter"),
    emergency: ("50849002", "Emergency room admission"),
    admission: ("32485007", "Hospital admission"),
    remote: ("185317003", "Telephone encounter"),
};

pub(super) fn coding(system: &str, (code, display): (&str, &str)) -> Coding {
    Coding {
        system: system.to_owned(),
        code: code.to_owned(),
        display: Some(display.to_owned()),
        version: None,
    }
}

/// A concept of SNOMED CT.
pub(super) fn snomed(code: (&str, &str)) -> CodeableConcept {
    CodeableConcept { text: None, codings: vec![coding(SNOMED, code)] }
}

/// An observation's code, with the words people use for it.
pub(super) fn loinc(code: (&str, &str), text: &str) -> CodeableConcept {
    CodeableConcept { text: Some(text.to_owned()), codings: vec![coding(LOINC, code)] }
}
