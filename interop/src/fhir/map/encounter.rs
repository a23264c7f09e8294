//! Encounter: when, where, with whom and why.

use praxis_domain::encounters::RecordEncounter;
use praxis_entity::{
    encounter::{EncounterClass, EncounterStatus},
    ids::{OrganizationId, PractitionerId},
    value::EncounterClinical,
};

use super::{
    Context,
    moment::optional,
    person::is_unprintable,
    value::{concept, concepts},
};
use crate::fhir::{
    source::{Invalid, Loss, Source},
    types::{CodeableConcept, Coding, Hospitalization, Participant, Period, Reference},
};

/// Maps an encounter.
pub(in crate::fhir) fn encounter(
    source: &mut Source<'_>,
    context: &Context<'_>,
) -> Result<RecordEncounter, Invalid> {
    let patient = context.patient(source, "subject")?;
    let period = source.element("period", |period: Period, _| {
        let (start, end) = (optional("start", period.start)?, optional("end", period.end)?);
        if start.as_ref().zip(end.as_ref()).is_some_and(|(start, end)| end.at < start.at) {
            return Err(Invalid::at("end", "lies before the start"));
        }
        Ok((start, end))
    })?;
    let (started, ended) = period.unwrap_or_default();
    let status = source.element("status", |code: String, loss| status(&code, ended.is_some(), loss))?;
    let status = status.ok_or_else(|| source.invalid("status", "is missing"))?;
    let class = source.element("class", |coding: Coding, loss| {
        loss.note_if(coding.version.is_some() || coding.display.is_some());
        Ok(class(coding.code.as_deref(), loss))
    })?;
    let types = source.element("type", |many: Vec<CodeableConcept>, loss| Ok(concepts(many, loss)))?;
    let reasons =
        source.element("reasonCode", |many: Vec<CodeableConcept>, loss| Ok(concepts(many, loss)))?;
    let disposition = source.element("hospitalization", |one: Hospitalization, loss| {
        Ok(one.discharge_disposition.map(|disposition| concept(disposition, loss)))
    })?;
    let participants =
        source.element("participant", |many: Vec<Participant>, loss| participants(many, context, loss))?;
    let participants = participants.unwrap_or_default();
    let organization = source.element("serviceProvider", |reference: Reference, loss| {
        Ok(context.follow(&reference, "Organization", loss)?.map(OrganizationId))
    })?;
    Ok(RecordEncounter {
        patient,
        practitioner: responsible(&participants),
        facility: None,
        organization: organization.flatten(),
        appointment: None,
        class: class.unwrap_or(EncounterClass::Other),
        status,
        started_at: started.as_ref().map(|started| started.at),
        ended_at: ended.as_ref().map(|ended| ended.at),
        clinical: EncounterClinical {
            types: types.unwrap_or_default(),
            reasons: reasons.unwrap_or_default(),
            discharge_disposition: disposition.flatten(),
            started,
            ended,
        },
        participants,
    })
}

/// The status here; one that says more or less in FHIR is a loss.
fn status(code: &str, ended: bool, loss: &mut Loss) -> Result<EncounterStatus, Invalid> {
    loss.note_if(matches!(code, "entered-in-error" | "unknown"));
    Ok(match code {
        "planned" => EncounterStatus::Planned,
        "arrived" => EncounterStatus::Arrived,
        "triaged" => EncounterStatus::Triaged,
        "in-progress" => EncounterStatus::InProgress,
        "onleave" => EncounterStatus::OnHold,
        "finished" => EncounterStatus::Closed,
        "cancelled" | "entered-in-error" => EncounterStatus::Cancelled,
        "unknown" if ended => EncounterStatus::Closed,
        "unknown" => EncounterStatus::InProgress,
        _ => return Err(Invalid::at("", "is not one of the codes of FHIR")),
    })
}

fn class(code: Option<&str>, loss: &mut Loss) -> EncounterClass {
    match code {
        Some("AMB") => EncounterClass::Ambulatory,
        Some("IMP") => EncounterClass::Inpatient,
        Some("EMER") => EncounterClass::Emergency,
        Some("HH") => EncounterClass::Home,
        Some("VR") => EncounterClass::Virtual,
        other => {
            loss.note();
            match other {
                Some("ACUTE" | "NONAC" | "OBSENC") => EncounterClass::Inpatient,
                _ => EncounterClass::Other,
            }
        }
    }
}

/// Clinicians with their parts; whose part is not said took part.
fn participants(
    many: Vec<Participant>,
    context: &Context<'_>,
    loss: &mut Loss,
) -> Result<Vec<(PractitionerId, String)>, Invalid> {
    let mut found = Vec::new();
    for participant in many {
        let mut roles: Vec<String> = Vec::new();
        for coding in participant.kind.into_iter().flat_map(|kind| kind.coding) {
            loss.note_if(coding.display.is_some() || coding.version.is_some());
            roles.extend(coding.code.filter(|code| !is_unprintable(code)));
        }
        let practitioner = match &participant.individual {
            Some(individual) => context.practitioner(individual, loss)?,
            None => None,
        };
        loss.note_if(practitioner.is_none());
        let Some(practitioner) = practitioner else { continue };
        if roles.is_empty() {
            roles.push("PART".to_owned());
        }
        found.extend(roles.into_iter().map(|role| (practitioner, role)));
    }
    Ok(found)
}

/// Who answers for the visit: the attender, else the primary performer, else the first.
fn responsible(participants: &[(PractitionerId, String)]) -> Option<PractitionerId> {
    let with = |role: &str| participants.iter().find(|(_, held)| held == role);
    with("ATND")
        .or_else(|| with("PPRF"))
        .or_else(|| participants.first())
        .map(|(practitioner, _)| *practitioner)
}
