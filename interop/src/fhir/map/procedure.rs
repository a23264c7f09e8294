//! Procedure: what was done, or was to be.

use praxis_domain::history::chapter::Statement;
use praxis_entity::{
    procedure::{self, ProcedureStatus},
    value::ProcedureClinical,
};

use super::{
    Context,
    moment::span,
    value::{concepts, meaning, notes, reasons, status_reason, unknown_code},
};
use crate::fhir::{
    source::{Invalid, Loss, Source},
    types::{CodeableConcept, Reference},
};

/// Maps a procedure.
pub(in crate::fhir) fn procedure(
    source: &mut Source<'_>,
    context: &Context<'_>,
) -> Result<Statement<procedure::Entity>, Invalid> {
    let patient = context.patient(source, "subject")?;
    let encounter = context.visit(source, patient)?;
    let status =
        source.element("status", |code: String, loss| status(&code, loss).ok_or_else(unknown_code))?;
    let status = status.ok_or_else(|| source.invalid("status", "is missing"))?;
    let code = source.element("code", meaning)?.ok_or_else(|| source.invalid("code", "is missing"))?;
    let (performed, ended) = span(source, "performedDateTime", "performedPeriod")?;
    let body_sites =
        source.element("bodySite", |many: Vec<CodeableConcept>, loss| Ok(concepts(many, loss)))?;
    let reason = source.element("statusReason", |one: CodeableConcept, loss| Ok(status_reason(one, loss)))?;
    let recorder =
        source.element("recorder", |reference: Reference, loss| context.practitioner(&reference, loss))?;
    Ok(Statement {
        patient,
        encounter,
        recorder: recorder.flatten(),
        // FHIR says when it was done, and not when somebody wrote it down.
        recorded_at: None,
        status,
        clinical: ProcedureClinical {
            code,
            performed,
            ended,
            body_sites: body_sites.unwrap_or_default(),
            reasons: reasons(source)?,
            notes: notes(source)?,
            status_reason: reason.flatten(),
        },
    })
}

fn status(code: &str, loss: &mut Loss) -> Option<ProcedureStatus> {
    loss.note_if(matches!(code, "preparation" | "on-hold"));
    Some(match code {
        "preparation" | "in-progress" | "on-hold" => ProcedureStatus::InProgress,
        "completed" => ProcedureStatus::Completed,
        "stopped" => ProcedureStatus::Stopped,
        "not-done" => ProcedureStatus::NotDone,
        "entered-in-error" => ProcedureStatus::EnteredInError,
        "unknown" => ProcedureStatus::Unknown,
        _ => return None,
    })
}
