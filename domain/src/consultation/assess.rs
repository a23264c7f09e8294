//! The assessment and the plan of a visit.

use praxis_entity::{encounter, encounter_note::EncounterNoteKind, ids::EncounterId};
use praxis_platform::{Op, Write, access::Permission};

use super::diagnose::{self, NewDiagnosis};
use crate::{Result, ViolationCode, encounters, error::Violations, event::Event};

/// What the clinician makes of it. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct Assessment {
    /// In words.
    pub text: Option<String>,
    /// All diagnoses of the visit as they are now.
    pub diagnoses: Option<Vec<NewDiagnosis>>,
}

/// Records the assessment of a visit.
pub async fn assess(
    op: &Op<Write>,
    id: EncounterId,
    if_version: i32,
    new: Assessment,
) -> Result<encounter::Model> {
    let at = (id, Some(if_version));
    let step = encounters::begin(op, Permission::ENCOUNTER_CONSULT, "assessmentRecord", at).await?;
    let mut found = Violations::default();
    if new.text.is_none() && new.diagnoses.is_none() {
        found.add(ViolationCode::Required, &["text"], "Give a text or diagnoses.");
    }
    let text = new.text.map(|text| encounters::text(&mut found, "text", &text));
    let diagnoses = new.diagnoses.map(|all| diagnose::judged(&mut found, all));
    found.check()?;
    if let Some(text) = text {
        encounters::write(op, &step.stored, EncounterNoteKind::Assessment, text).await?;
    }
    if let Some(diagnoses) = diagnoses {
        diagnose::replace(op, &step.stored, diagnoses).await?;
    }
    let happened = Event::AssessmentRecorded { encounter: id, patient: step.stored.patient_id };
    step.take(op, encounter::ActiveModel::default(), happened).await
}

/// Records the plan of a visit.
pub async fn plan(op: &Op<Write>, id: EncounterId, if_version: i32, text: &str) -> Result<encounter::Model> {
    let at = (id, Some(if_version));
    let step = encounters::begin(op, Permission::ENCOUNTER_CONSULT, "planRecord", at).await?;
    let mut found = Violations::default();
    let text = encounters::text(&mut found, "text", text);
    found.check()?;
    encounters::write(op, &step.stored, EncounterNoteKind::Plan, text).await?;
    let happened = Event::PlanRecorded { encounter: id, patient: step.stored.patient_id };
    step.take(op, encounter::ActiveModel::default(), happened).await
}
