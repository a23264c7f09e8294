//! AllergyIntolerance: what is not tolerated, or that there is nothing.
//!
//! One status stands here for the two of FHIR: what was refuted or a mistake is that, whatever it was before. Where no
//! clinical status is given, the allergy counts as present: to overlook one is worse than to ask about it.

use praxis_domain::history::chapter::Statement;
use praxis_entity::{
    allergy::{self, AllergyStatus},
    value::{AllergyClinical, AllergyReaction, Criticality, ReactionSeverity},
};

use super::{
    Context,
    moment::{either, recorded},
    value::{concepts, meaning, notes, only, unknown_code},
};
use crate::fhir::{
    source::{Invalid, Loss, Source},
    types::{Reaction, Reference},
};

/// Maps an allergy.
pub(in crate::fhir) fn allergy(
    source: &mut Source<'_>,
    context: &Context<'_>,
) -> Result<Statement<allergy::Entity>, Invalid> {
    let patient = context.patient(source, "patient")?;
    let encounter = context.visit(source, patient)?;
    let code = source.element("code", meaning)?.ok_or_else(|| source.invalid("code", "is missing"))?;
    let verified = source.element("verificationStatus", |one, loss| only(&one, verification, loss))?;
    let (overruled, confirmed) = verified.unwrap_or((None, false));
    let present = source.element("clinicalStatus", |one, loss| {
        loss.note_if(overruled.is_some());
        only(&one, clinical_status, loss)
    })?;
    let intolerance = source.element("type", |code: String, _| match code.as_str() {
        "allergy" => Ok(false),
        "intolerance" => Ok(true),
        _ => Err(unknown_code()),
    })?;
    let criticality =
        source.element("criticality", |code: String, _| criticality(&code).ok_or_else(unknown_code))?;
    let reactions = source.element("reaction", |many: Vec<Reaction>, loss| {
        many.into_iter().enumerate().map(|(index, one)| reaction(index, one, loss)).collect()
    })?;
    let recorder =
        source.element("recorder", |reference: Reference, loss| context.practitioner(&reference, loss))?;
    Ok(Statement {
        patient,
        encounter,
        recorder: recorder.flatten(),
        recorded_at: recorded(source, "recordedDate")?,
        status: overruled.or(present).unwrap_or(AllergyStatus::Active),
        clinical: AllergyClinical {
            code,
            criticality,
            confirmed,
            intolerance: intolerance.unwrap_or_default(),
            reactions: reactions.unwrap_or_default(),
            onset: either(source, "onsetDateTime", "onsetPeriod")?,
            notes: notes(source)?,
            status_reason: None,
        },
    })
}

fn reaction(index: usize, given: Reaction, loss: &mut Loss) -> Result<AllergyReaction, Invalid> {
    let severity = given.severity.map(|code| {
        let known = match code.as_str() {
            "mild" => Some(ReactionSeverity::Mild),
            "moderate" => Some(ReactionSeverity::Moderate),
            "severe" => Some(ReactionSeverity::Severe),
            _ => None,
        };
        known.ok_or_else(|| Invalid { path: format!("[{index}].severity"), ..unknown_code() })
    });
    Ok(AllergyReaction {
        manifestations: concepts(given.manifestation, loss),
        severity: severity.transpose()?,
    })
}

/// The status that stands whatever the clinical one is, and whether it is confirmed.
fn verification(code: &str) -> Option<(Option<AllergyStatus>, bool)> {
    Some(match code {
        "unconfirmed" => (None, false),
        "confirmed" => (None, true),
        "refuted" => (Some(AllergyStatus::Refuted), false),
        "entered-in-error" => (Some(AllergyStatus::EnteredInError), false),
        _ => return None,
    })
}

fn clinical_status(code: &str) -> Option<AllergyStatus> {
    Some(match code {
        "active" => AllergyStatus::Active,
        "inactive" => AllergyStatus::Inactive,
        "resolved" => AllergyStatus::Resolved,
        _ => return None,
    })
}

fn criticality(code: &str) -> Option<Criticality> {
    Some(match code {
        "low" => Criticality::Low,
        "high" => Criticality::High,
        "unable-to-assess" => Criticality::UnableToAssess,
        _ => return None,
    })
}
