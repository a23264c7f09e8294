//! What a signed document says of a visit: its assessment, its plan.

use praxis_entity::{
    encounter::{self, EncounterStatus},
    encounter_note::{self, Column, EncounterNoteKind},
    ids::{DocumentId, EncounterId, PractitionerId},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::LockType,
};

use super::note::write_as;
use crate::{
    Result,
    event::{self, Event},
    rights,
};

/// The version of a document that says it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// The document.
    pub(crate) document: DocumentId,
    /// Its version.
    pub(crate) version: i32,
    /// The clinician who wrote it.
    pub(crate) author: Option<PractitionerId>,
}

/// Takes over what a signed document says of a visit, as the newest version of each text.
///
/// What is the newest already is not written again; neither is what this document said before, so that an amendment
/// of one section does not bring back what somebody has replaced in the other. Whoever may not consult in the visit
/// says nothing of it, and a visit that was called off has neither.
pub(crate) async fn hear(
    op: &Op<Write>,
    id: EncounterId,
    from: Source,
    said: Vec<(EncounterNoteKind, String)>,
) -> Result<()> {
    let visit = encounter::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let Some(visit) = visit.filter(|visit| visit.status != EncounterStatus::Cancelled) else { return Ok(()) };
    let patient = visit.patient_id;
    if !rights::on(op, patient, &Row::from(&visit)).await?.may(Permission::ENCOUNTER_CONSULT) {
        return Ok(());
    }
    let mut heard = Vec::with_capacity(said.len());
    for (kind, text) in said {
        if is_known(op, &visit, from.document, kind, &text).await? {
            continue;
        }
        let source = encounter_note::ActiveModel {
            recorded_by: Set(from.author),
            document_id: Set(Some(from.document)),
            document_version: Set(Some(from.version)),
            ..Default::default()
        };
        write_as(op, &visit, kind, text, source).await?;
        heard.push(kind);
    }
    if heard.is_empty() {
        return Ok(());
    }
    // Whoever has the visit before them sees by its version that it says something else now.
    let change =
        encounter::ActiveModel { id: Unchanged(id), status: Set(visit.status), ..Default::default() };
    let changed = encounter::Entity::update(change).exec(op.db()).await?;
    for kind in heard {
        let (action, happened) = match kind {
            EncounterNoteKind::Plan => ("encounter.plan", Event::PlanRecorded { encounter: id, patient }),
            _ => ("encounter.assess", Event::AssessmentRecorded { encounter: id, patient }),
        };
        event::happened(op, happened).await?;
        op.record(Entry::done(action).on("Encounter", id.0, changed.version).of(patient.0));
    }
    Ok(())
}

/// Whether the visit says so already, or the document said so before.
async fn is_known(
    op: &Op<Write>,
    visit: &encounter::Model,
    document: DocumentId,
    kind: EncounterNoteKind,
    text: &str,
) -> Result<bool> {
    let notes = encounter_note::Entity::find()
        .filter(Column::EncounterId.eq(visit.id))
        .filter(Column::Kind.eq(kind))
        .order_by_desc(Column::Version)
        .all(op.db())
        .await?;
    let own = notes.iter().find(|note| note.document_id == Some(document));
    let key = op.data_key(visit.patient_id.0).await?;
    for note in notes.first().into_iter().chain(own) {
        let place = op.place("encounter_note", note.id, visit.patient_id.0);
        if op.open_unseen(&key, &place, &note.body).await?.text == text {
            return Ok(true);
        }
    }
    Ok(false)
}
