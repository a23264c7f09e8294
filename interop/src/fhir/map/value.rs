//! Codes, quantities and results.

use praxis_entity::value::{self as stored, ObservationValue};

use super::moment::{moment, optional};
use crate::fhir::{
    source::{Invalid, Loss, Source},
    types::{
        Annotation, CodeableConcept, Coding, Quantity, Ranges, Ratio, Reference, ReferenceRange, Values,
    },
};

const UCUM: &str = "http://unitsofmeasure.org";

pub(super) fn coding(coding: Coding, loss: &mut Loss) -> Option<stored::Coding> {
    loss.note_if(coding.code.is_none());
    Some(stored::Coding {
        system: coding.system.unwrap_or_default(),
        code: coding.code?,
        display: coding.display,
        version: coding.version,
    })
}

/// A concept with all its codings; one that has only a display becomes the text.
pub(super) fn concept(concept: CodeableConcept, loss: &mut Loss) -> stored::CodeableConcept {
    let display =
        concept.coding.iter().find(|coding| coding.code.is_none()).and_then(|coding| coding.display.clone());
    stored::CodeableConcept {
        text: concept.text.or(display),
        codings: concept.coding.into_iter().filter_map(|one| coding(one, loss)).collect(),
    }
}

pub(super) fn concepts(many: Vec<CodeableConcept>, loss: &mut Loss) -> Vec<stored::CodeableConcept> {
    many.into_iter().map(|one| concept(one, loss)).collect()
}

/// The concept that a row is about: it says something.
pub(super) fn meaning(given: CodeableConcept, loss: &mut Loss) -> Result<stored::CodeableConcept, Invalid> {
    let mapped = concept(given, loss);
    if mapped.label().is_none_or(str::is_empty) {
        return Err(Invalid::at("", "has neither a code nor a text"));
    }
    Ok(mapped)
}

/// The first code of a value set that is known here. Which set it is, its system tells.
pub(super) fn known<T>(concept: &CodeableConcept, known: impl Fn(&str) -> Option<T>) -> Option<T> {
    concept.coding.iter().find_map(|coding| known(coding.code.as_deref()?))
}

/// The one code of a value set that must be known here. What is said beside it is a loss.
pub(super) fn only<T>(
    concept: &CodeableConcept,
    code: impl Fn(&str) -> Option<T>,
    loss: &mut Loss,
) -> Result<T, Invalid> {
    let plain = |coding: &Coding| coding.display.is_none() && coding.version.is_none();
    loss.note_if(concept.text.is_some() || !matches!(concept.coding.as_slice(), [only] if plain(only)));
    known(concept, code).ok_or_else(unknown_code)
}

/// A code that is none of those that FHIR gives.
pub(super) fn unknown_code() -> Invalid {
    Invalid::at("", "is not one of the codes of FHIR")
}

/// Remarks, as texts.
pub(super) fn notes(source: &mut Source<'_>) -> Result<Vec<String>, Invalid> {
    let notes = source
        .element("note", |many: Vec<Annotation>, _| Ok(many.into_iter().map(|note| note.text).collect()))?;
    Ok(notes.unwrap_or_default())
}

/// What something was done or taken for: codes, and the words of references. Where these lead stays.
pub(super) fn reasons(source: &mut Source<'_>) -> Result<Vec<stored::CodeableConcept>, Invalid> {
    let codes = source.element("reasonCode", |many: Vec<CodeableConcept>, loss| Ok(concepts(many, loss)))?;
    let named = source.element("reasonReference", |many: Vec<Reference>, loss| {
        loss.note();
        let text = |text| stored::CodeableConcept { text: Some(text), codings: Vec::new() };
        Ok(many.into_iter().filter_map(|one| one.display.map(text)).collect::<Vec<_>>())
    })?;
    Ok(codes.into_iter().chain(named).flatten().collect())
}

/// Why it stands where it stands: in words here, as codes in the residual.
pub(super) fn status_reason(concept: CodeableConcept, loss: &mut Loss) -> Option<String> {
    let only_text = concept.coding.is_empty();
    loss.note_if(!only_text);
    self::concept(concept, loss).label().map(str::to_owned)
}

/// A quantity; one without a number is a loss. Only UCUM codes are taken as such.
pub(super) fn quantity(given: Quantity, loss: &mut Loss) -> Option<stored::Quantity> {
    let ucum = given.system.as_deref() == Some(UCUM);
    loss.note_if(!(ucum && given.code.is_some() || given.system.is_none() && given.code.is_none()));
    loss.note_if(given.value.is_none_or(|value| !value.verbatim) || given.unit.is_none());
    let code = given.code.unwrap_or_default();
    Some(stored::Quantity {
        value: given.value?.value,
        comparator: given.comparator,
        unit: given.unit.unwrap_or_else(|| code.clone()),
        code: if ucum { code } else { String::new() },
    })
}

pub(super) fn reference_range(range: ReferenceRange, loss: &mut Loss) -> stored::ReferenceRange {
    stored::ReferenceRange {
        low: range.low.and_then(|low| quantity(low, loss)),
        high: range.high.and_then(|high| quantity(high, loss)),
        text: range.text,
    }
}

/// The one form of value that is given. Forms without one of their own here become text, as a
/// clinician would write them, and stay in the residual.
pub(super) fn result(values: Values, loss: &mut Loss) -> Result<Option<ObservationValue>, Invalid> {
    let mut found = Vec::new();
    found.extend(
        values.value_quantity.and_then(|given| quantity(given, loss)).map(ObservationValue::Quantity),
    );
    found.extend(values.value_codeable_concept.map(|given| ObservationValue::Concept(concept(given, loss))));
    found.extend(values.value_string.map(ObservationValue::Text));
    found.extend(values.value_boolean.map(ObservationValue::Boolean));
    found.extend(values.value_integer.map(ObservationValue::Integer));
    if let Some(text) = values.value_date_time {
        found.push(ObservationValue::Moment(moment(text)?));
    }
    let period = match values.value_period {
        Some(period) => {
            optional("start", period.start.clone())?;
            optional("end", period.end.clone())?;
            Some([period.start, period.end].map(Option::unwrap_or_default).join(" – "))
        }
        None => None,
    };
    let written = [
        values.value_time,
        period,
        values.value_range.map(|Ranges { low, high }| joined([low, high], " – ")),
        values.value_ratio.map(|Ratio { numerator, denominator }| joined([numerator, denominator], ":")),
    ];
    for text in written.into_iter().flatten() {
        loss.note();
        found.push(ObservationValue::Text(text));
    }
    if found.len() > 1 {
        return Err(Invalid::at("", "has more than one value"));
    }
    Ok(found.pop())
}

fn joined(ends: [Option<Quantity>; 2], between: &str) -> String {
    let written = |quantity: Quantity| {
        let parts =
            [quantity.comparator, quantity.value.map(|number| number.value.to_string()), quantity.unit];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    ends.map(|end| end.map(written).unwrap_or_default()).join(between)
}
