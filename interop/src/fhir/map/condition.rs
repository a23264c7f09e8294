//! Condition: a problem or diagnosis, with all its codings.

use praxis_domain::history::RecordCondition;
use praxis_entity::{
    condition::{ClinicalStatus, ConditionCategory, VerificationStatus},
    value::ConditionClinical,
};

use super::{
    Context,
    moment::{either, moment},
    value::{concept, concepts, known, meaning, notes, only},
};
use crate::fhir::{
    source::{Invalid, Source},
    types::{CodeableConcept, Reference},
};

/// Maps a condition. Without a category it is one of the problem list.
pub(in crate::fhir) fn condition(
    source: &mut Source<'_>,
    context: &Context<'_>,
) -> Result<RecordCondition, Invalid> {
    let patient = context.patient(source, "subject")?;
    let encounter = context.visit(source, patient)?;
    let code = source.element("code", meaning)?.ok_or_else(|| source.invalid("code", "is missing"))?;
    let category = source.element("category", |many: Vec<CodeableConcept>, loss| {
        // One code is kept of what may be many, with displays.
        loss.note();
        Ok(many.iter().find_map(|one| known(one, category)))
    })?;
    let clinical_status = source.element("clinicalStatus", |one, loss| only(&one, clinical_status, loss))?;
    let verification_status =
        source.element("verificationStatus", |one, loss| only(&one, verification_status, loss))?;
    let onset = either(source, "onsetDateTime", "onsetPeriod")?;
    let abatement = either(source, "abatementDateTime", "abatementPeriod")?;
    let recorded = source.element("recordedDate", |text: String, _| moment(text))?;
    let recorder =
        source.element("recorder", |reference: Reference, loss| context.practitioner(&reference, loss))?;
    let severity = source.element("severity", |one: CodeableConcept, loss| Ok(concept(one, loss)))?;
    let body_sites =
        source.element("bodySite", |many: Vec<CodeableConcept>, loss| Ok(concepts(many, loss)))?;
    Ok(RecordCondition {
        patient,
        encounter,
        recorder: recorder.flatten(),
        category: category.flatten().unwrap_or(ConditionCategory::ProblemListItem),
        clinical_status,
        verification_status: verification_status.unwrap_or(VerificationStatus::Unconfirmed),
        recorded_at: recorded.as_ref().map(|recorded| recorded.at),
        abated_at: abatement.as_ref().map(|abatement| abatement.at),
        clinical: ConditionClinical {
            code,
            severity,
            body_sites: body_sites.unwrap_or_default(),
            onset,
            abatement,
            recorded,
            notes: notes(source)?,
        },
    })
}

fn category(code: &str) -> Option<ConditionCategory> {
    Some(match code {
        "problem-list-item" => ConditionCategory::ProblemListItem,
        "encounter-diagnosis" => ConditionCategory::EncounterDiagnosis,
        "health-concern" => ConditionCategory::HealthConcern,
        _ => return None,
    })
}

fn clinical_status(code: &str) -> Option<ClinicalStatus> {
    Some(match code {
        "active" => ClinicalStatus::Active,
        "recurrence" => ClinicalStatus::Recurrence,
        "relapse" => ClinicalStatus::Relapse,
        "inactive" => ClinicalStatus::Inactive,
        "remission" => ClinicalStatus::Remission,
        "resolved" => ClinicalStatus::Resolved,
        _ => return None,
    })
}

fn verification_status(code: &str) -> Option<VerificationStatus> {
    Some(match code {
        "unconfirmed" => VerificationStatus::Unconfirmed,
        "provisional" => VerificationStatus::Provisional,
        "differential" => VerificationStatus::Differential,
        "confirmed" => VerificationStatus::Confirmed,
        "refuted" => VerificationStatus::Refuted,
        "entered-in-error" => VerificationStatus::EnteredInError,
        _ => return None,
    })
}
