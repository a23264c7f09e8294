//! Condition: a problem or diagnosis, with all its codings.

use praxis_domain::history::RecordCondition;
use praxis_entity::{
    condition::{ClinicalStatus, ConditionCategory, VerificationStatus},
    value::{ConditionClinical, Moment},
};

use super::{
    Context,
    moment::{moment, optional},
    value::{concept, concepts, known, meaning},
};
use crate::fhir::{
    source::{Invalid, Source},
    types::{Annotation, CodeableConcept, Period, Reference},
};

/// Maps a condition. Without a category it is one of the problem list.
pub(in crate::fhir) fn condition(
    source: &mut Source<'_>,
    context: &Context<'_>,
) -> Result<RecordCondition, Invalid> {
    let patient = context.subject(source)?;
    let encounter = context.visit(source, patient)?;
    let code = source.element("code", meaning)?.ok_or_else(|| source.invalid("code", "is missing"))?;
    let category = source.element("category", |many: Vec<CodeableConcept>, loss| {
        // One code is kept of what may be many, with displays.
        loss.note();
        Ok(many.iter().find_map(|one| known(one, category)))
    })?;
    let clinical_status = source.element("clinicalStatus", |one: CodeableConcept, loss| {
        loss.note_if(is_more_than_a_code(&one));
        known(&one, clinical_status).ok_or_else(|| Invalid::at("", "is not one of the codes of FHIR"))
    })?;
    let verification_status = source.element("verificationStatus", |one: CodeableConcept, loss| {
        loss.note_if(is_more_than_a_code(&one));
        known(&one, verification_status).ok_or_else(|| Invalid::at("", "is not one of the codes of FHIR"))
    })?;
    let onset = either(source, "onsetDateTime", "onsetPeriod")?;
    let abatement = either(source, "abatementDateTime", "abatementPeriod")?;
    let recorded = source.element("recordedDate", |text: String, _| moment(text))?;
    let recorder =
        source.element("recorder", |reference: Reference, loss| context.practitioner(&reference, loss))?;
    let severity = source.element("severity", |one: CodeableConcept, loss| Ok(concept(one, loss)))?;
    let body_sites =
        source.element("bodySite", |many: Vec<CodeableConcept>, loss| Ok(concepts(many, loss)))?;
    let notes = source
        .element("note", |many: Vec<Annotation>, _| Ok(many.into_iter().map(|note| note.text).collect()))?;
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
            notes: notes.unwrap_or_default(),
        },
    })
}

fn is_more_than_a_code(concept: &CodeableConcept) -> bool {
    let plain = |coding: &crate::fhir::types::Coding| coding.display.is_none() && coding.version.is_none();
    concept.text.is_some() || !matches!(concept.coding.as_slice(), [only] if plain(only))
}

/// A time, or the start of a period; ages and texts stay in the residual.
fn either(source: &mut Source<'_>, time: &str, period: &str) -> Result<Option<Moment>, Invalid> {
    let at = source.element(time, |text: String, _| moment(text))?;
    let from = source.element(period, |period: Period, loss| {
        loss.note();
        optional("start", period.start)
    })?;
    Ok(at.or(from.flatten()))
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
