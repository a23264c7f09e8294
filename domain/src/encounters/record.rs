//! Visits taken over from elsewhere, or made up for a demonstration.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use praxis_entity::{
    encounter::{self, EncounterClass, EncounterStatus},
    encounter_participant,
    ids::{AppointmentId, EncounterId, FacilityId, OrganizationId, PatientId, PractitionerId},
    value::EncounterClinical,
};
use praxis_platform::{Failure, Op, Write, access::Permission};
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{
    Error, Result, Violation, ViolationCode,
    coded::code_tokens,
    event::{Event, all_happened},
    patients::open_charts,
    rows::{entry_of, insert_all, refused},
};

/// A visit to be recorded.
#[derive(Debug, Clone)]
pub struct RecordEncounter {
    /// Whose.
    pub patient: PatientId,
    /// Who is responsible.
    pub practitioner: Option<PractitionerId>,
    /// At which branch.
    pub facility: Option<FacilityId>,
    /// Which other organisation provided it.
    pub organization: Option<OrganizationId>,
    /// The appointment it came from.
    pub appointment: Option<AppointmentId>,
    /// Setting.
    pub class: EncounterClass,
    /// Where it stands.
    pub status: EncounterStatus,
    /// Start.
    pub started_at: Option<DateTime<Utc>>,
    /// End.
    pub ended_at: Option<DateTime<Utc>>,
    /// What it was about.
    pub clinical: EncounterClinical,
    /// Who took part, each with a v3-ParticipationType.
    pub participants: Vec<(PractitionerId, String)>,
}

/// Records a visit.
pub async fn record(op: &Op<Write>, new: RecordEncounter) -> Result<encounter::Model> {
    let stored = record_many(op, vec![new]).await?.pop();
    Ok(stored.ok_or_else(|| Failure::Internal("nothing was stored".to_owned()))?)
}

/// Records many visits and returns them in the order given.
pub async fn record_many(op: &Op<Write>, new: Vec<RecordEncounter>) -> Result<Vec<encounter::Model>> {
    op.require(Permission::DATA_IMPORT)?;
    let patients: Vec<PatientId> = new.iter().map(|new| new.patient).collect();
    let (charts, index) = (open_charts(op, &patients).await?, op.tenant_key().await?);
    let (mut rows, mut participants) = (Vec::with_capacity(new.len()), Vec::new());
    for new in new {
        let id = EncounterId(op.new_id());
        let key = charts.get(&new.patient).ok_or(Failure::KeyUnavailable)?;
        let place = op.place("encounter", id.0, new.patient.0);
        let concepts = new.clinical.types.iter().chain(&new.clinical.reasons);
        let row = encounter::ActiveModel {
            id: Set(id),
            patient_id: Set(new.patient),
            practitioner_id: Set(new.practitioner),
            facility_id: Set(new.facility),
            organization_id: Set(new.organization),
            appointment_id: Set(new.appointment),
            class: Set(new.class),
            status: Set(new.status),
            started_at: Set(new.started_at),
            ended_at: Set(new.ended_at),
            code_tokens: Set(code_tokens(&index, concepts)),
            clinical: Set(Some(op.seal(key, &place, &new.clinical)?)),
            ..Default::default()
        };
        rows.push((id, row));
        let distinct: BTreeSet<_> = new.participants.into_iter().collect();
        participants.extend(distinct.into_iter().map(|(practitioner, role)| {
            encounter_participant::ActiveModel {
                encounter_id: Set(id),
                practitioner_id: Set(practitioner),
                role: Set(role),
                starts_at: Set(None),
                ends_at: Set(None),
            }
        }));
    }
    let stored = insert_all(op.db(), rows, |row: &encounter::Model| row.id).await.map_err(explain)?;
    // Three values a row: far below what one statement takes, in chunks all the same.
    for chunk in participants.chunks(5_000) {
        encounter_participant::Entity::insert_many(chunk.to_vec())
            .exec_without_returning(op.db())
            .await
            .map_err(explain)?;
    }
    let recorded =
        |row: &encounter::Model| Event::EncounterRecorded { encounter: row.id, patient: row.patient_id };
    all_happened(op, stored.iter().map(recorded).collect()).await?;
    op.record(entry_of("encounter.record", &patients));
    Ok(stored)
}

pub(super) fn explain(error: sea_orm::DbErr) -> Error {
    refused(error, |constraint| match constraint {
        "encounter_order" => {
            Some(Violation::at(ViolationCode::OutOfRange, &["endedAt"], "The end lies before the start."))
        }
        "encounter_practitioner_fk" => Some(Violation::unknown("practitionerId")),
        "encounter_facility_fk" => Some(Violation::unknown("facilityId")),
        "encounter_organization_fk" => Some(Violation::unknown("organizationId")),
        "encounter_appointment_fk" => Some(Violation::unknown("appointmentId")),
        "encounter_participant_practitioner_fk" => Some(Violation::unknown("participants")),
        _ => None,
    })
}
