//! MedicationRequest and MedicationStatement: both say what a patient takes or took. What was ordered elsewhere is no
//! order here.

use praxis_domain::history::chapter::Statement;
use praxis_entity::{
    medication_statement::{self, MedicationStatus},
    value::{self as stored, MedicationClinical, Moment},
};

use super::{
    Context,
    moment::{moment, recorded, span},
    value::{concept, meaning, notes, reasons, status_reason, unknown_code},
};
use crate::fhir::{
    source::{Invalid, Loss, Source},
    types::{CodeableConcept, Contained, Dosage, Reference},
};

/// What a resource of medications is, for those that refer to it.
pub(in crate::fhir) fn medication(source: &Source<'_>) -> Option<stored::CodeableConcept> {
    let code = source.glance::<CodeableConcept>("code")?;
    meaning(code, &mut Loss::default()).ok()
}

/// Maps a request. What is not to be taken, or was never more than a proposal, is not stated as taken.
pub(in crate::fhir) fn request(
    source: &mut Source<'_>,
    context: &Context<'_>,
) -> Result<Statement<medication_statement::Entity>, Invalid> {
    let patient = context.patient(source, "subject")?;
    let encounter = context.visit(source, patient)?;
    let forbidden = source.glance("doNotPerform").unwrap_or(false);
    let intent: String = source.glance("intent").unwrap_or_default();
    let proposed = matches!(intent.as_str(), "proposal" | "option");
    let status = source.element("status", |code: String, loss| {
        let status = status_of_request(&code, loss)?;
        Ok(match status {
            MedicationStatus::EnteredInError => status,
            _ if forbidden => noted(MedicationStatus::NotTaken, loss),
            _ if proposed => noted(MedicationStatus::Unknown, loss),
            _ => status,
        })
    })?;
    let status = status.ok_or_else(|| source.invalid("status", "is missing"))?;
    let code = code(source, context)?;
    // The day of the order is the first on which it may have been taken; that it was an order must not be forgotten.
    let authored = source.element("authoredOn", |text: String, loss| {
        loss.note();
        moment(text)
    })?;
    let recorder =
        source.element("recorder", |reference: Reference, loss| context.practitioner(&reference, loss))?;
    let requester = source.element("requester", |reference: Reference, loss| {
        loss.note();
        Ok((context.practitioner(&reference, loss)?, reference.display))
    })?;
    let (requester, source_name) = requester.unwrap_or_default();
    let taken = !matches!(status, MedicationStatus::NotTaken | MedicationStatus::Unknown);
    let statement = Said {
        started: authored.clone().filter(|_| taken),
        ended: None,
        said_by: source_name,
        dosage: "dosageInstruction",
    };
    Ok(Statement {
        patient,
        encounter,
        recorder: recorder.flatten().or(requester),
        recorded_at: authored.map(|authored| authored.at),
        status,
        clinical: statement.clinical(source, code)?,
    })
}

/// Maps a statement.
pub(in crate::fhir) fn statement(
    source: &mut Source<'_>,
    context: &Context<'_>,
) -> Result<Statement<medication_statement::Entity>, Invalid> {
    let patient = context.patient(source, "subject")?;
    // Here FHIR says `context`, which may be a visit.
    let encounter =
        source.element("context", |one: Reference, loss| context.visit_of(&one, patient, loss))?;
    let status = source
        .element("status", |code: String, loss| status_of_statement(&code, loss).ok_or_else(unknown_code))?;
    let status = status.ok_or_else(|| source.invalid("status", "is missing"))?;
    let code = code(source, context)?;
    let (started, ended) = span(source, "effectiveDateTime", "effectivePeriod")?;
    let said_by = source.element("informationSource", |reference: Reference, loss| {
        loss.note();
        Ok(reference.display)
    })?;
    let statement = Said { started, ended, said_by: said_by.flatten(), dosage: "dosage" };
    Ok(Statement {
        patient,
        encounter: encounter.flatten(),
        recorder: None,
        recorded_at: recorded(source, "dateAsserted")?,
        status,
        clinical: statement.clinical(source, code)?,
    })
}

/// What the two say under different names.
struct Said {
    started: Option<Moment>,
    ended: Option<Moment>,
    said_by: Option<String>,
    dosage: &'static str,
}

impl Said {
    fn clinical(
        self,
        source: &mut Source<'_>,
        code: stored::CodeableConcept,
    ) -> Result<MedicationClinical, Invalid> {
        let dosage = source.element(self.dosage, |many: Vec<Dosage>, loss| {
            loss.note_if(!matches!(many.as_slice(), [Dosage { text: Some(_) }]));
            let texts: Vec<String> = many.into_iter().filter_map(|one| one.text).collect();
            Ok((!texts.is_empty()).then(|| texts.join("; ")))
        })?;
        let reason = source.element("statusReason", |given: OneOrMany, loss| {
            let mut reasons = given.into_vec().into_iter();
            let first = reasons.next().and_then(|one| status_reason(one, loss));
            loss.note_if(reasons.next().is_some());
            Ok(first)
        })?;
        Ok(MedicationClinical {
            code,
            dosage: dosage.flatten(),
            reasons: reasons(source)?,
            started: self.started,
            ended: self.ended,
            source: self.said_by,
            notes: notes(source)?,
            status_reason: reason.flatten(),
        })
    }
}

/// A request gives one reason for its status, a statement any number.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<CodeableConcept>),
    One(CodeableConcept),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<CodeableConcept> {
        match self {
            Self::Many(many) => many,
            Self::One(one) => vec![one],
        }
    }
}

/// The medication: as a code, or as a resource inside this one or in the input.
fn code(source: &mut Source<'_>, context: &Context<'_>) -> Result<stored::CodeableConcept, Invalid> {
    let coded = source.element("medicationCodeableConcept", meaning)?;
    let contained: Vec<Contained> = source.glance("contained").unwrap_or_default();
    let referred = source.element("medicationReference", |reference: Reference, loss| {
        loss.note();
        let inside = reference.reference.as_deref().and_then(|name| name.strip_prefix('#'));
        let inside = inside
            .and_then(|id| contained.into_iter().find(|one| one.id.as_deref() == Some(id))?.code)
            .map(|code| concept(code, loss))
            .filter(|code| code.label().is_some());
        let named = || {
            let text = reference.display.clone().filter(|text| !text.is_empty())?;
            Some(stored::CodeableConcept { text: Some(text), codings: Vec::new() })
        };
        let found = inside.or_else(|| context.medication(&reference).cloned()).or_else(named);
        found.ok_or_else(|| Invalid::at("", "refers to a medication that is not in the input"))
    })?;
    match (coded, referred) {
        (Some(code), None) | (None, Some(code)) => Ok(code),
        (None, None) => Err(source.invalid("medication[x]", "is missing")),
        (Some(_), Some(_)) => Err(source.invalid("medication[x]", "is given more than once")),
    }
}

fn noted(status: MedicationStatus, loss: &mut Loss) -> MedicationStatus {
    loss.note();
    status
}

fn status_of_request(code: &str, loss: &mut Loss) -> Result<MedicationStatus, Invalid> {
    loss.note_if(matches!(code, "cancelled" | "draft"));
    Ok(match code {
        "active" => MedicationStatus::Active,
        "on-hold" => MedicationStatus::OnHold,
        "completed" => MedicationStatus::Completed,
        "stopped" => MedicationStatus::Stopped,
        // Withdrawn before any of it was taken.
        "cancelled" => MedicationStatus::NotTaken,
        "entered-in-error" => MedicationStatus::EnteredInError,
        "draft" | "unknown" => MedicationStatus::Unknown,
        _ => return Err(unknown_code()),
    })
}

fn status_of_statement(code: &str, loss: &mut Loss) -> Option<MedicationStatus> {
    loss.note_if(code == "intended");
    Some(match code {
        "active" => MedicationStatus::Active,
        "on-hold" => MedicationStatus::OnHold,
        "completed" => MedicationStatus::Completed,
        "stopped" => MedicationStatus::Stopped,
        "not-taken" => MedicationStatus::NotTaken,
        "entered-in-error" => MedicationStatus::EnteredInError,
        "intended" | "unknown" => MedicationStatus::Unknown,
        _ => return None,
    })
}
