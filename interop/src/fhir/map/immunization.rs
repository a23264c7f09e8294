//! Immunization: a vaccine that was given, or was not, and why.

use praxis_domain::history::chapter::Statement;
use praxis_entity::{
    immunization::{self, ImmunizationStatus},
    value::{ImmunizationClinical, PartialDate},
};

use super::{
    Context,
    moment::{moment, recorded},
    value::{concept, meaning, notes, status_reason, unknown_code},
};
use crate::fhir::{
    source::{Invalid, Source},
    types::{CodeableConcept, Reference},
};

/// Maps an immunisation.
pub(in crate::fhir) fn immunization(
    source: &mut Source<'_>,
    context: &Context<'_>,
) -> Result<Statement<immunization::Entity>, Invalid> {
    let patient = context.patient(source, "patient")?;
    let encounter = context.visit(source, patient)?;
    let status = source.element("status", |code: String, _| status(&code).ok_or_else(unknown_code))?;
    let status = status.ok_or_else(|| source.invalid("status", "is missing"))?;
    let vaccine = source.element("vaccineCode", meaning)?;
    let vaccine = vaccine.ok_or_else(|| source.invalid("vaccineCode", "is missing"))?;
    let (mut not_given_reason, mut reason) = (None, None);
    source.element("statusReason", |one: CodeableConcept, loss| {
        match status {
            ImmunizationStatus::NotDone => not_given_reason = Some(concept(one, loss)),
            _ => reason = status_reason(one, loss),
        }
        Ok(())
    })?;
    let expires = source.element("expirationDate", |text: String, _| {
        text.parse::<PartialDate>().map_err(|_| Invalid::at("", "is not a date"))
    })?;
    let manufacturer = source.element("manufacturer", |maker: Reference, loss| {
        loss.note_if(maker.reference.is_some() || maker.identifier.is_some() || maker.display.is_none());
        Ok(maker.display)
    })?;
    Ok(Statement {
        patient,
        encounter,
        recorder: None,
        recorded_at: recorded(source, "recorded")?,
        status,
        clinical: ImmunizationClinical {
            vaccine,
            given: source.element("occurrenceDateTime", |text: String, _| moment(text))?,
            lot: source.element("lotNumber", |lot: String, _| Ok(lot))?,
            manufacturer: manufacturer.flatten(),
            expires,
            site: source.element("site", |one: CodeableConcept, loss| Ok(concept(one, loss)))?,
            route: source.element("route", |one: CodeableConcept, loss| Ok(concept(one, loss)))?,
            not_given_reason,
            notes: notes(source)?,
            status_reason: reason,
        },
    })
}

fn status(code: &str) -> Option<ImmunizationStatus> {
    Some(match code {
        "completed" => ImmunizationStatus::Completed,
        "not-done" => ImmunizationStatus::NotDone,
        "entered-in-error" => ImmunizationStatus::EnteredInError,
        _ => return None,
    })
}
