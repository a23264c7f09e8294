//! The shape that all chapters of a history share: what somebody states about a patient.
//!
//! A statement belongs to a patient, perhaps to an encounter; it was recorded by somebody at some time, and stands
//! somewhere in a machine of its own. What is stated is sealed, its codes are found by blind index. It is never
//! deleted: what was a mistake says so, with a reason. A chapter adds what it states and its verbs, in a few lines.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, Utc};
use praxis_entity::{
    ids::{EncounterId, PatientId, PractitionerId, TypedId, UserId},
    place::ByPlace,
    value::{CodeableConcept, PhiClass, Sealed},
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Row, Table},
    audit::Entry,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};
use uuid::Uuid;

use crate::{
    Detail, PageRequest, Result, Slice, Violation, ViolationCode,
    clinic::text::line,
    coded::code_tokens,
    error::Violations,
    event::{Event, happened},
    page::{Ordering, any_of, count_under, list_under},
    patients::open_charts,
    range::one_of,
    rights,
    rows::{entry_of, refused},
    transitions::step,
};

/// What every statement has in clear.
#[derive(Debug, Clone)]
pub struct Head {
    /// Id.
    pub id: Uuid,
    /// Version.
    pub version: i32,
    /// Whose.
    pub patient: PatientId,
    /// In which encounter.
    pub encounter: Option<EncounterId>,
    /// Who recorded it.
    pub recorder: Option<PractitionerId>,
}

impl From<&Head> for Row {
    fn from(head: &Head) -> Self {
        let encounter = head.encounter.map(|encounter| encounter.0);
        Self { encounter, practitioner: head.recorder, ..Self::of(head.id) }
    }
}

/// A statement on its way into its table.
pub struct NewRow<C: Chapter> {
    pub(super) id: C::Id,
    pub(super) patient: PatientId,
    pub(super) encounter: Option<EncounterId>,
    pub(super) recorder: Option<PractitionerId>,
    pub(super) by: Option<UserId>,
    pub(super) at: DateTime<Utc>,
    pub(super) status: C::Status,
    pub(super) clinical: Sealed<C::Clinical>,
    pub(super) tokens: Vec<Vec<u8>>,
}

/// A chapter of a history: a table of statements of one kind.
pub trait Chapter: EntityTrait<Model: ByPlace> {
    /// Its ids.
    type Id: TypedId;
    /// Where a statement stands.
    type Status: ActiveEnum<Value = String> + Copy + PartialEq + Send + Sync + Into<sea_orm::Value>;
    /// What is stated.
    type Clinical: PhiClass + Clone;
    /// Its machine, named as its table.
    const MACHINE: &'static str;
    /// The same for the evaluator.
    const TABLE: Table;
    /// The kind of object in the audit log: `Allergy`.
    const OBJECT: &'static str;
    /// Its actions in the audit log: recorded, and changed.
    const ACTIONS: [&'static str; 2];
    /// Permission to read it.
    const READ: Permission;
    /// Permission to record it.
    const RECORD: Permission;
    /// Id column.
    const ID: Self::Column;
    /// Column of the patient.
    const PATIENT: Self::Column;
    /// Column of the time of recording.
    const RECORDED_AT: Self::Column;
    /// Column of the status.
    const STATUS: Self::Column;
    /// Column of what is stated.
    const CLINICAL: Self::Column;

    /// What a row has in clear.
    fn head(row: &Self::Model) -> Head;
    /// Where a row stands.
    fn status(row: &Self::Model) -> Self::Status;
    /// What a row states.
    fn sealed(row: &Self::Model) -> &Sealed<Self::Clinical>;
    /// The row to be added; `clinical` is what is sealed in it.
    fn row(new: NewRow<Self>, clinical: &Self::Clinical) -> Self::ActiveModel
    where
        Self: Sized;
    /// Everything that is coded.
    fn concepts(clinical: &Self::Clinical) -> Vec<&CodeableConcept>;
    /// Why it stands where it stands, in words.
    fn reason(clinical: &mut Self::Clinical) -> &mut Option<String>;
    /// The event of a new statement, and of one that changed.
    fn event(id: Self::Id, head: &Head, new: bool) -> Event;
}

/// Something that is stated about a patient.
#[derive(Debug, Clone)]
pub struct Statement<C: Chapter> {
    /// Whose.
    pub patient: PatientId,
    /// In which encounter.
    pub encounter: Option<EncounterId>,
    /// Who recorded it elsewhere; here it is the actor.
    pub recorder: Option<PractitionerId>,
    /// When it became known elsewhere; here it is now.
    pub recorded_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub status: C::Status,
    /// What is stated.
    pub clinical: C::Clinical,
}

/// Statements by their ids; unknown ones are absent.
pub async fn by_ids<C: Chapter, M>(op: &Op<M>, ids: &[C::Id]) -> Result<Vec<C::Model>> {
    op.require(C::READ)?;
    let ids = any_of(C::ID, ids.iter().map(|id| id.uuid()).collect());
    Ok(C::find().filter(ids).filter(op.permitted(C::READ, C::TABLE)).all(op.db()).await?)
}

/// A page of the statements about each patient, the latest first; of some statuses, if they are given.
pub async fn of_patients<C: Chapter, M>(
    op: &Op<M>,
    patients: &[PatientId],
    statuses: Option<&[C::Status]>,
    page: &PageRequest,
) -> Result<HashMap<PatientId, Slice<C::Model>>> {
    op.require(C::READ)?;
    let order = Ordering { column: Some(C::RECORDED_AT), id: C::ID, descending: true };
    let wanted = op.permitted(C::READ, C::TABLE).add_option(one_of(C::STATUS, statuses));
    Ok(list_under::<C, _>(op.db(), patients, C::PATIENT, wanted, &order, page).await?)
}

/// How many statements there are about each patient, at most `max`.
pub async fn count_of_patients<C: Chapter, M>(
    op: &Op<M>,
    patients: &[PatientId],
    statuses: Option<&[C::Status]>,
    max: u64,
) -> Result<HashMap<PatientId, i64>> {
    op.require(C::READ)?;
    let wanted = op.permitted(C::READ, C::TABLE).add_option(one_of(C::STATUS, statuses));
    Ok(count_under::<C, _>(op.db(), patients, C::PATIENT, wanted, max).await?)
}

/// Records a statement, in the name of the actor.
pub(super) async fn record<C: Chapter>(op: &Op<Write>, new: Statement<C>) -> Result<C::Model> {
    op.require(C::RECORD)?;
    let (patient, encounter) = (new.patient, new.encounter.map(|encounter| encounter.0));
    let row = Row { encounter, practitioner: op.actor().practitioner, ..Row::of(patient.0) };
    rights::require(op, C::RECORD, Permission::PATIENT_READ, patient, &row, "patientId").await?;
    rights::require_content(op, C::READ, patient, &row).await?;
    let new = Statement { recorder: op.actor().practitioner, recorded_at: None, ..new };
    let stored = store(op, vec![new]).await?.pop();
    let stored = stored.ok_or_else(|| Failure::Internal("nothing was stored".to_owned()))?;
    let head = C::head(&stored);
    let [recorded, _] = C::ACTIONS;
    op.record(Entry::done(recorded).on(C::OBJECT, head.id, head.version).of(patient.0));
    happened(op, C::event(C::Id::from_uuid(head.id), &head, true)).await?;
    Ok(stored)
}

/// Records many statements that came from elsewhere and returns them in the order given.
pub async fn record_many<C: Chapter>(op: &Op<Write>, new: Vec<Statement<C>>) -> Result<Vec<C::Model>> {
    op.require(Permission::DATA_IMPORT)?;
    let patients: Vec<PatientId> = new.iter().map(|new| new.patient).collect();
    let stored = store(op, new).await?;
    let [recorded, _] = C::ACTIONS;
    op.record(entry_of(recorded, &patients));
    Ok(stored)
}

/// Rows per statement.
const CHUNK: usize = 1_000;

async fn store<C: Chapter>(op: &Op<Write>, new: Vec<Statement<C>>) -> Result<Vec<C::Model>> {
    let patients: Vec<PatientId> = new.iter().map(|new| new.patient).collect();
    let (charts, index) = (open_charts(op, &patients).await?, op.tenant_key().await?);
    let (mut rows, mut ids) = (Vec::with_capacity(new.len()), Vec::with_capacity(new.len()));
    for new in new {
        let id = C::Id::from_uuid(op.new_id());
        let key = charts.get(&new.patient).ok_or(Failure::KeyUnavailable)?;
        let place = op.place(C::MACHINE, id.uuid(), new.patient.0);
        let row = NewRow {
            id,
            patient: new.patient,
            encounter: new.encounter,
            recorder: new.recorder,
            by: op.actor().user,
            at: new.recorded_at.unwrap_or_else(|| op.now()).trunc_subsecs(6),
            status: new.status,
            clinical: op.seal(key, &place, &new.clinical)?,
            tokens: code_tokens(&index, C::concepts(&new.clinical)),
        };
        rows.push(C::row(row, &new.clinical));
        ids.push(id.uuid());
    }
    let mut rows = rows.into_iter();
    loop {
        let chunk: Vec<_> = rows.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        C::insert_many(chunk).exec_without_returning(op.db()).await.map_err(explain)?;
    }
    let stored = C::find().filter(any_of(C::ID, ids.clone())).all(op.db()).await?;
    let mut stored: HashMap<Uuid, C::Model> = stored.into_iter().map(|row| (C::head(&row).id, row)).collect();
    Ok(ids.iter().filter_map(|id| stored.remove(id)).collect())
}

/// Takes a statement along a step of its machine, at the version that the person saw.
pub async fn advance<C: Chapter>(
    op: &Op<Write>,
    id: C::Id,
    if_version: i32,
    action: &'static str,
    reason: Option<String>,
) -> Result<C::Model> {
    op.require(C::RECORD)?;
    let found = C::find().filter(C::ID.eq(id.uuid())).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let stored = found.ok_or_else(|| Violation::unknown("id"))?;
    let head = C::head(&stored);
    let row = Row::from(&head);
    rights::require(op, C::RECORD, C::READ, head.patient, &row, "id").await?;
    if head.version != if_version {
        let message = "Somebody else changed this meanwhile.";
        let violation = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
        return Err(violation.with(Detail::Version { current: head.version }).into());
    }
    let to = step(op, C::MACHINE, action, &C::status(&stored), (head.patient, &row)).await?;
    let mut update = C::update_many().col_expr(C::STATUS, Expr::value(to)).filter(C::ID.eq(id.uuid()));
    if let Some(reason) = reason {
        let mut found = Violations::default();
        let reason = line(&mut found, &["reason"], &reason, 1_000);
        found.check()?;
        let key = op.data_key(head.patient.0).await?;
        let place = op.place(C::MACHINE, head.id, head.patient.0);
        let mut clinical = op.open_unseen(&key, &place, C::sealed(&stored)).await?;
        *C::reason(&mut clinical) = Some(reason);
        update = update.col_expr(C::CLINICAL, Expr::value(op.seal(&key, &place, &clinical)?));
    }
    if update.exec(op.db()).await.map_err(explain)?.rows_affected == 0 {
        return Err(Failure::NotFound.into());
    }
    let stored = C::find().filter(C::ID.eq(id.uuid())).one(op.db()).await?.ok_or(Failure::NotFound)?;
    changed::<C>(op, &stored).await?;
    Ok(stored)
}

/// Tells that a statement has changed.
pub(super) async fn changed<C: Chapter>(op: &Op<Write>, stored: &C::Model) -> Result<()> {
    let head = C::head(stored);
    let [_, changed] = C::ACTIONS;
    op.record(Entry::done(changed).on(C::OBJECT, head.id, head.version).of(head.patient.0));
    happened(op, C::event(C::Id::from_uuid(head.id), &head, false)).await
}

fn explain(error: sea_orm::DbErr) -> crate::Error {
    refused(error, |constraint| {
        if constraint.ends_with("_encounter_fk") {
            return Some(Violation::unknown("encounterId"));
        }
        match constraint {
            "allergy_none_known_excludes" => Some(Violation::at(
                ViolationCode::AlreadyExists,
                &["code"],
                "That there is no known allergy, and an allergy, can't both stand: refute or resolve one first.",
            )),
            "allergy_none_known_once" => {
                let message = "This is recorded already.";
                Some(Violation::at(ViolationCode::AlreadyExists, &["code"], message))
            }
            _ => None,
        }
    })
}

/// A concept that says something.
pub(super) fn meaning(found: &mut Violations, name: &str, concept: &CodeableConcept) {
    if concept.label().is_none_or(|label| label.trim().is_empty()) {
        found.add(ViolationCode::Required, &[name], "A text or a code must be given.");
    }
    concept_length(found, name, concept);
}

/// A concept of a sensible length.
pub(super) fn concept_length(found: &mut Violations, name: &str, concept: &CodeableConcept) {
    let long = |text: Option<&String>| text.is_some_and(|text| text.chars().count() > 500);
    let codings = &concept.codings;
    let too_long = long(concept.text.as_ref())
        || codings.len() > 20
        || codings
            .iter()
            .any(|one| long(one.display.as_ref()) || long(Some(&one.code)) || long(Some(&one.system)));
    if too_long {
        found.add(ViolationCode::TooLong, &[name], "This is too long.");
    }
}

/// Makes an entity a chapter.
macro_rules! chapter {
    ($entity:ident, $id:ident, $status:ident, $clinical:ident, $object:literal, $table:ident, [$recorded:literal, $changed:literal],
     $read:ident, $record:ident, $event_new:ident, $event_changed:ident, $subject:ident, |$of:ident| $concepts:expr $(, $column:ident = |$from:ident| $value:expr)?) => {
        impl $crate::history::chapter::Chapter for praxis_entity::$entity::Entity {
            type Id = praxis_entity::ids::$id;
            type Status = praxis_entity::$entity::$status;
            type Clinical = praxis_entity::value::$clinical;
            const MACHINE: &'static str = stringify!($entity);
            const TABLE: praxis_platform::access::Table = praxis_platform::access::Table::$table;
            const OBJECT: &'static str = $object;
            const ACTIONS: [&'static str; 2] = [$recorded, $changed];
            const READ: praxis_platform::access::Permission = praxis_platform::access::Permission::$read;
            const RECORD: praxis_platform::access::Permission = praxis_platform::access::Permission::$record;
            const ID: Self::Column = praxis_entity::$entity::Column::Id;
            const PATIENT: Self::Column = praxis_entity::$entity::Column::PatientId;
            const RECORDED_AT: Self::Column = praxis_entity::$entity::Column::RecordedAt;
            const STATUS: Self::Column = praxis_entity::$entity::Column::Status;
            const CLINICAL: Self::Column = praxis_entity::$entity::Column::Clinical;

            fn head(row: &Self::Model) -> $crate::history::chapter::Head {
                $crate::history::chapter::Head {
                    id: row.id.0,
                    version: row.version,
                    patient: row.patient_id,
                    encounter: row.encounter_id,
                    recorder: row.recorder_id,
                }
            }

            fn status(row: &Self::Model) -> Self::Status {
                row.status
            }

            fn sealed(row: &Self::Model) -> &praxis_entity::value::Sealed<Self::Clinical> {
                &row.clinical
            }

            fn row(
                new: $crate::history::chapter::NewRow<Self>,
                _clinical: &Self::Clinical,
            ) -> Self::ActiveModel {
                use sea_orm::ActiveValue::Set;
                praxis_entity::$entity::ActiveModel {
                    id: Set(new.id),
                    patient_id: Set(new.patient),
                    encounter_id: Set(new.encounter),
                    recorder_id: Set(new.recorder),
                    recorded_by: Set(new.by),
                    recorded_at: Set(new.at),
                    status: Set(new.status),
                    $($column: Set({ let $from = _clinical; $value }),)?
                    clinical: Set(new.clinical),
                    code_tokens: Set(new.tokens),
                    ..Default::default()
                }
            }

            fn concepts($of: &Self::Clinical) -> Vec<&praxis_entity::value::CodeableConcept> {
                $concepts
            }

            fn reason(clinical: &mut Self::Clinical) -> &mut Option<String> {
                &mut clinical.status_reason
            }

            fn event(id: Self::Id, head: &$crate::history::chapter::Head, new: bool) -> $crate::event::Event {
                let (patient, encounter) = (head.patient, head.encounter);
                if new {
                    $crate::event::Event::$event_new { $subject: id, patient, encounter }
                } else {
                    $crate::event::Event::$event_changed { $subject: id, patient, encounter }
                }
            }
        }
    };
}
pub(super) use chapter;
