//! The close-gate: what a visit still needs, each thing named.
//!
//! One line for each requirement. Whoever closes asks again under the lock of the visit's row; what hangs on a visit
//! waits for that lock, so nothing is added or taken back between the question and the closing.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use praxis_entity::{
    encounter::{self, EncounterClass, EncounterStatus},
    encounter_diagnosis::{self, DiagnosisStatus},
    encounter_note::{self, EncounterNoteKind},
    ids::{EncounterId, TypedId},
    observation::{self, ObservationStatus},
    task::{self, TaskStatus},
    visit_policy,
};
use praxis_platform::{Op, literal::Literal};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::{Missing, Requirement, Result, alerts, documents, encounters, page::any_of, rules, tasks};

/// What each visit needs before it can be closed; nothing for one that is over.
pub async fn requirements<M>(
    op: &Op<M>,
    visits: &[encounter::Model],
) -> Result<HashMap<EncounterId, Vec<Missing>>> {
    let open: Vec<_> = visits
        .iter()
        .filter(|visit| !matches!(visit.status, EncounterStatus::Closed | EncounterStatus::Cancelled))
        .collect();
    let ids: Vec<_> = open.iter().map(|visit| visit.id).collect();
    let (written, diagnosed) = (written(op, &ids).await?, diagnosed(op, &ids).await?);
    let (measured, others) = (measured(op, &ids).await?, others(op, &ids).await?);
    let signers = documents::signers(op, &ids).await?;
    let mut by_rules = rules::required(op, &open).await?;
    let mut policies: HashMap<EncounterClass, visit_policy::Model> = HashMap::new();
    let mut found = HashMap::new();
    for visit in open {
        let policy = match policies.entry(visit.class) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(encounters::policy(op, visit.class).await?),
        };
        let has = |kind| written.contains(&(visit.id, kind));
        // A visit that nobody answers for takes any signature.
        let signed = signers
            .get(&visit.id)
            .is_some_and(|names| visit.practitioner_id.is_none() || names.contains(&visit.practitioner_id));
        let mut missing: Vec<Missing> = [
            (Requirement::MissingAssessment, !has(EncounterNoteKind::Assessment)),
            (Requirement::MissingDiagnosis, !diagnosed.contains(&visit.id)),
            (Requirement::MissingPlan, !has(EncounterNoteKind::Plan)),
            (Requirement::MissingVitals, policy.needs_vitals && !measured.contains(&visit.id)),
            (Requirement::SignedDocument, policy.needs_signed_note && !signed),
        ]
        .into_iter()
        .filter(|(_, missing)| *missing)
        .map(|(requirement, _)| Missing { requirement, object: None })
        .collect();
        missing.extend(others.get(&visit.id).into_iter().flatten());
        missing.extend(
            by_rules.remove(&visit.id).into_iter().flatten().map(|asked| Missing {
                requirement: Requirement::ClinicRule,
                object: Some(asked.rule.any()),
            }),
        );
        found.insert(visit.id, missing);
    }
    Ok(found)
}

/// The same for visits by their ids, of those that the actor may see.
pub async fn requirements_of<M>(
    op: &Op<M>,
    ids: &[EncounterId],
) -> Result<HashMap<EncounterId, Vec<Missing>>> {
    requirements(op, &encounters::by_ids(op, ids).await?).await
}

/// What other domains still have open of visits. What was only asked for may be done after the visit (an order that
/// was placed, a call next week); a task that somebody has begun, or that is late, is finished first.
async fn others<M>(op: &Op<M>, ids: &[EncounterId]) -> Result<HashMap<EncounterId, Vec<Missing>>> {
    let mut open: HashMap<EncounterId, Vec<Missing>> = HashMap::new();
    for (visit, document) in documents::unsigned(op, ids).await? {
        let missing = Missing { requirement: Requirement::UnsignedDocument, object: Some(document.any()) };
        open.entry(visit).or_default().push(missing);
    }
    for alert in alerts::unacknowledged(op, ids).await? {
        let Some(visit) = alert.encounter_id else { continue };
        let missing = Missing { requirement: Requirement::UnacknowledgedAlert, object: Some(alert.id.any()) };
        open.entry(visit).or_default().push(missing);
    }
    let keeps = |task: &task::Model| {
        let begun = matches!(task.status, TaskStatus::InProgress | TaskStatus::OnHold);
        begun || task.due_at.is_some_and(|due| due < op.now())
    };
    for task in tasks::open(op, ids).await?.into_iter().filter(keeps) {
        let Some(visit) = task.encounter_id else { continue };
        let missing = Missing { requirement: Requirement::OpenTask, object: Some(task.id.any()) };
        open.entry(visit).or_default().push(missing);
    }
    Ok(open)
}

async fn written<M>(op: &Op<M>, ids: &[EncounterId]) -> Result<HashSet<(EncounterId, EncounterNoteKind)>> {
    use encounter_note::Column;
    let rows: Vec<(EncounterId, EncounterNoteKind)> = encounter_note::Entity::find()
        .select_only()
        .columns([Column::EncounterId, Column::Kind])
        .filter(any_of(Column::EncounterId, ids.iter().map(|id| id.0).collect()))
        .filter(Column::Kind.is_one_of(&[EncounterNoteKind::Assessment, EncounterNoteKind::Plan]))
        .into_tuple()
        .all(op.db())
        .await?;
    Ok(rows.into_iter().collect())
}

async fn diagnosed<M>(op: &Op<M>, ids: &[EncounterId]) -> Result<HashSet<EncounterId>> {
    use encounter_diagnosis::Column;
    let rows: Vec<EncounterId> = encounter_diagnosis::Entity::find()
        .select_only()
        .column(Column::EncounterId)
        .filter(any_of(Column::EncounterId, ids.iter().map(|id| id.0).collect()))
        .filter(Column::Rank.eq(1))
        .filter(Column::Status.is(DiagnosisStatus::Recorded))
        .into_tuple()
        .all(op.db())
        .await?;
    Ok(rows.into_iter().collect())
}

async fn measured<M>(op: &Op<M>, ids: &[EncounterId]) -> Result<HashSet<EncounterId>> {
    use observation::Column;
    let rows: Vec<EncounterId> = observation::Entity::find()
        .select_only()
        .column(Column::EncounterId)
        .distinct()
        .filter(any_of(Column::EncounterId, ids.iter().map(|id| id.0).collect()))
        .filter(Column::TakenTogether.is_not_null())
        .filter(Column::Status.is_not(ObservationStatus::EnteredInError))
        .into_tuple()
        .all(op.db())
        .await?;
    Ok(rows.into_iter().collect())
}
