//! The texts of a visit: each version stays, the newest counts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use praxis_entity::{
    encounter,
    encounter_note::{self, Column, EncounterNoteKind},
    ids::EncounterId,
    value::EncounterText,
};
use praxis_platform::{Op, Write, access::Permission};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    PageRequest, Result, Slice, ViolationCode,
    error::Violations,
    page::{Ordering, any_of, list_under},
};

const LONGEST: usize = 20_000;

/// A text of one or more lines that must be given.
pub(crate) fn text(found: &mut Violations, path: &str, text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        found.add(ViolationCode::Required, &[path], "This must not be empty.");
    }
    if text.chars().count() > LONGEST {
        found.add(ViolationCode::TooLong, &[path], format!("The text is longer than {LONGEST} characters."));
    }
    if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) {
        found.add(ViolationCode::Invalid, &[path], "The text holds control characters.");
    }
    text.to_owned()
}

/// Writes the next version of a text. The visit is locked, so versions have no gap and none is there twice.
pub(crate) async fn write(
    op: &Op<Write>,
    encounter: &encounter::Model,
    kind: EncounterNoteKind,
    text: String,
) -> Result<encounter_note::Model> {
    let by = op.actor().practitioner;
    write_as(
        op,
        encounter,
        kind,
        text,
        encounter_note::ActiveModel { recorded_by: Set(by), ..Default::default() },
    )
    .await
}

/// The same, with who wrote it and where it comes from.
pub(super) async fn write_as(
    op: &Op<Write>,
    encounter: &encounter::Model,
    kind: EncounterNoteKind,
    text: String,
    from: encounter_note::ActiveModel,
) -> Result<encounter_note::Model> {
    let before: Option<i32> = encounter_note::Entity::find()
        .select_only()
        .column_as(Column::Version.max(), "version")
        .filter(Column::EncounterId.eq(encounter.id))
        .filter(Column::Kind.eq(kind))
        .into_tuple::<Option<i32>>()
        .one(op.db())
        .await?
        .flatten();
    let (id, patient) = (op.new_id(), encounter.patient_id);
    let key = op.data_key(patient.0).await?;
    let row = encounter_note::ActiveModel {
        id: Set(id),
        encounter_id: Set(encounter.id),
        patient_id: Set(patient),
        kind: Set(kind),
        version: Set(before.unwrap_or_default() + 1),
        recorded_at: Set(op.now()),
        body: Set(op.seal(&key, &op.place("encounter_note", id, patient.0), &EncounterText { text })?),
        ..from
    };
    Ok(encounter_note::Entity::insert(row).exec_with_returning(op.db()).await?)
}

/// The texts of each visit that were known by a moment, if one is given: the newest first, at most so many of each.
pub async fn notes_of<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    known: Option<DateTime<Utc>>,
    first: u32,
) -> Result<HashMap<EncounterId, Slice<encounter_note::Model>>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let newest = Ordering { column: Some(Column::RecordedAt), id: Column::Id, descending: true };
    let (column, page) = (Column::EncounterId, PageRequest::first(first));
    let wanted = by(known);
    Ok(list_under::<encounter_note::Entity, _>(op.db(), encounters, column, wanted, &newest, &page).await?)
}

/// The text of each kind that counts, or did at a moment, for each visit.
pub async fn current_notes_of<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    known: Option<DateTime<Utc>>,
) -> Result<HashMap<EncounterId, Vec<encounter_note::Model>>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let rows = encounter_note::Entity::find()
        .distinct_on([Column::EncounterId, Column::Kind])
        .filter(any_of(Column::EncounterId, encounters.iter().map(|id| id.0).collect()))
        .filter(by(known))
        .order_by_asc(Column::EncounterId)
        .order_by_asc(Column::Kind)
        .order_by_desc(Column::Version)
        .all(op.db())
        .await?;
    let mut of: HashMap<_, Vec<_>> = encounters.iter().map(|id| (*id, Vec::new())).collect();
    for row in rows {
        of.entry(row.encounter_id).or_default().push(row);
    }
    Ok(of)
}

fn by(known: Option<DateTime<Utc>>) -> Condition {
    Condition::all().add_option(known.map(|at| Column::RecordedAt.lte(at)))
}
