//! Observation: a measurement or finding in any form, with its parts.

use praxis_domain::charting::RecordObservation;
use praxis_entity::{
    observation::{ObservationCategory, ObservationStatus},
    value::{self as stored, Moment, ObservationResult, ObservationValue},
};
use serde::de::DeserializeOwned;

use super::{
    Context,
    moment::{moment, optional},
    value::{concept, concepts, known, meaning, notes, reference_range, result},
};
use crate::fhir::{
    source::{Invalid, Loss, Source},
    types::{CodeableConcept, Component, Period, Reference, ReferenceRange, Values},
};

/// Maps an observation.
pub(in crate::fhir) fn observation(
    source: &mut Source<'_>,
    context: &Context<'_>,
) -> Result<RecordObservation, Invalid> {
    let patient = context.patient(source, "subject")?;
    let encounter = context.visit(source, patient)?;
    let status = source.element("status", |code: String, _| {
        status(&code).ok_or_else(|| Invalid::at("", "is not one of the codes of FHIR"))
    })?;
    let status = status.ok_or_else(|| source.invalid("status", "is missing"))?;
    let category = source.element("category", |many: Vec<CodeableConcept>, loss| {
        // One code is kept of what may be many, with displays.
        loss.note();
        Ok(many.iter().find_map(|one| known(one, category)))
    })?;
    let performer = source.element("performer", |many: Vec<Reference>, loss| {
        loss.note_if(many.len() != 1);
        let mut found = None;
        for one in &many {
            found = found.or(context.practitioner(one, loss)?);
        }
        Ok(found)
    })?;
    let effective = effective(source)?;
    let issued = source.element("issued", |text: String, _| moment(text))?;
    let result = ObservationResult {
        code: source.element("code", meaning)?.ok_or_else(|| source.invalid("code", "is missing"))?,
        value: value(source)?,
        absent_reason: source
            .element("dataAbsentReason", |one: CodeableConcept, loss| Ok(concept(one, loss)))?,
        interpretations: source
            .element("interpretation", |many: Vec<CodeableConcept>, loss| Ok(concepts(many, loss)))?
            .unwrap_or_default(),
        reference_ranges: source
            .element("referenceRange", |many: Vec<ReferenceRange>, loss| Ok(ranges(many, loss)))?
            .unwrap_or_default(),
        components: source
            .element("component", |many: Vec<Component>, loss| {
                many.into_iter().map(|one| component(one, loss)).collect()
            })?
            .unwrap_or_default(),
        body_site: source.element("bodySite", |one: CodeableConcept, loss| Ok(concept(one, loss)))?,
        method: source.element("method", |one: CodeableConcept, loss| Ok(concept(one, loss)))?,
        notes: notes(source)?,
        effective,
        issued,
    };
    Ok(RecordObservation {
        patient,
        encounter,
        performer: performer.flatten(),
        category: category.flatten().unwrap_or(ObservationCategory::Other),
        status,
        effective_at: result.effective.as_ref().map(|effective| effective.at),
        issued_at: result.issued.as_ref().map(|issued| issued.at),
        result,
    })
}

fn effective(source: &mut Source<'_>) -> Result<Option<Moment>, Invalid> {
    let at = source.element("effectiveDateTime", |text: String, _| moment(text))?;
    // Written as an instant; which of the two it was must not be forgotten.
    let instant = source.element("effectiveInstant", |text: String, loss| {
        loss.note();
        moment(text)
    })?;
    let from = source.element("effectivePeriod", |period: Period, loss| {
        loss.note();
        optional("start", period.start)
    })?;
    Ok(at.or(instant).or(from.flatten()))
}

/// The result, whose form is told by the name of its element.
fn value(source: &mut Source<'_>) -> Result<Option<ObservationValue>, Invalid> {
    let mut found = Vec::new();
    let mut take = |value: Option<Option<ObservationValue>>| found.extend(value.flatten());
    take(form(source, "valueQuantity", |it| Values { value_quantity: Some(it), ..Values::default() })?);
    take(form(source, "valueCodeableConcept", |it| Values {
        value_codeable_concept: Some(it),
        ..Values::default()
    })?);
    take(form(source, "valueString", |it| Values { value_string: Some(it), ..Values::default() })?);
    take(form(source, "valueBoolean", |it| Values { value_boolean: Some(it), ..Values::default() })?);
    take(form(source, "valueInteger", |it| Values { value_integer: Some(it), ..Values::default() })?);
    take(form(source, "valueDateTime", |it| Values { value_date_time: Some(it), ..Values::default() })?);
    take(form(source, "valueTime", |it| Values { value_time: Some(it), ..Values::default() })?);
    take(form(source, "valuePeriod", |it| Values { value_period: Some(it), ..Values::default() })?);
    take(form(source, "valueRange", |it| Values { value_range: Some(it), ..Values::default() })?);
    take(form(source, "valueRatio", |it| Values { value_ratio: Some(it), ..Values::default() })?);
    if found.len() > 1 {
        return Err(source.invalid("value[x]", "is given more than once"));
    }
    Ok(found.pop())
}

fn form<T: DeserializeOwned>(
    source: &mut Source<'_>,
    key: &str,
    values: impl FnOnce(T) -> Values,
) -> Result<Option<Option<ObservationValue>>, Invalid> {
    source.element(key, |given: T, loss| result(values(given), loss))
}

fn component(given: Component, loss: &mut Loss) -> Result<stored::Component, Invalid> {
    let values = Values {
        value_quantity: given.value_quantity,
        value_codeable_concept: given.value_codeable_concept,
        value_string: given.value_string,
        value_boolean: given.value_boolean,
        value_integer: given.value_integer,
        value_date_time: given.value_date_time,
        value_time: given.value_time,
        value_period: given.value_period,
        value_range: given.value_range,
        value_ratio: given.value_ratio,
    };
    Ok(stored::Component {
        code: meaning(given.code, loss)?,
        value: result(values, loss)?,
        absent_reason: given.data_absent_reason.map(|one| concept(one, loss)),
        interpretations: concepts(given.interpretation, loss),
        reference_ranges: ranges(given.reference_range, loss),
    })
}

fn ranges(many: Vec<ReferenceRange>, loss: &mut Loss) -> Vec<stored::ReferenceRange> {
    many.into_iter().map(|one| reference_range(one, loss)).collect()
}

fn status(code: &str) -> Option<ObservationStatus> {
    Some(match code {
        "registered" => ObservationStatus::Registered,
        "preliminary" => ObservationStatus::Preliminary,
        "final" => ObservationStatus::Final,
        "amended" => ObservationStatus::Amended,
        "corrected" => ObservationStatus::Corrected,
        "cancelled" => ObservationStatus::Cancelled,
        "entered-in-error" => ObservationStatus::EnteredInError,
        "unknown" => ObservationStatus::Unknown,
        _ => return None,
    })
}

fn category(code: &str) -> Option<ObservationCategory> {
    Some(match code {
        "vital-signs" => ObservationCategory::VitalSigns,
        "laboratory" => ObservationCategory::Laboratory,
        "survey" => ObservationCategory::Survey,
        "social-history" => ObservationCategory::SocialHistory,
        "exam" => ObservationCategory::Exam,
        "imaging" => ObservationCategory::Imaging,
        "procedure" => ObservationCategory::Procedure,
        "therapy" => ObservationCategory::Therapy,
        "activity" => ObservationCategory::Activity,
        _ => return None,
    })
}
