//! Asking somebody to do something.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    encounter::{self, EncounterStatus},
    ids::{EncounterId, PatientId, TaskId, UserId, WorkflowInstanceId},
    patient, task,
    task::{TaskPriority, TaskStatus},
    value::TaskWords,
};
use praxis_platform::{
    Failure, Op, Write,
    access::{ActorKind, Permission, Row},
};
use sea_orm::{ActiveValue::Set, EntityTrait, QuerySelect, sea_query::LockType};

use super::{Focus, assign, check, escalate};
use crate::{
    Result, Violation, ViolationCode,
    error::Violations,
    event::{self, Event},
    rights,
};

/// Something to be done.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// What kind of task, in capitals.
    pub code: String,
    /// Whom it concerns; follows from visit or focus where one is given.
    pub patient: Option<PatientId>,
    /// The visit it belongs to.
    pub encounter: Option<EncounterId>,
    /// What it is about.
    pub focus: Option<Focus>,
    /// How soon.
    pub priority: TaskPriority,
    /// Who is asked.
    pub owner: Option<UserId>,
    /// Which role is asked.
    pub role: Option<String>,
    /// By when.
    pub due_at: Option<DateTime<Utc>>,
    /// What is to be done, in words.
    pub description: Option<String>,
    /// The workflow that opens it, and its step.
    pub step: Option<(WorkflowInstanceId, String)>,
}

impl NewTask {
    /// A task of a kind that nobody in particular is asked to do.
    pub fn of(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            patient: None,
            encounter: None,
            focus: None,
            priority: TaskPriority::Routine,
            owner: None,
            role: None,
            due_at: None,
            description: None,
            step: None,
        }
    }
}

/// Asks for something to be done. To ask another person by name is for those who lead.
pub async fn create(op: &Op<Write>, new: NewTask) -> Result<task::Model> {
    op.require(Permission::TASK_CREATE)?;
    let mut found = Violations::default();
    if !is_code(&new.code) {
        found.add(
            ViolationCode::Invalid,
            &["code"],
            "A kind of task is named in 2 to 40 capitals, digits and underscores.",
        );
    }
    if new.due_at.is_some_and(|due| due < op.now() - TimeDelta::minutes(1)) {
        found.add(ViolationCode::OutOfRange, &["dueAt"], "This is over already.");
    }
    if new.due_at.is_some_and(|due| due > op.now() + TimeDelta::days(731)) {
        found.add(ViolationCode::OutOfRange, &["dueAt"], "This is more than two years ahead.");
    }
    let description = check::words(&mut found, "description", new.description.as_deref());
    if let Some(owner) = new.owner {
        if op.actor().user != Some(owner) && !op.actor().may(Permission::TASK_ASSIGN) {
            return Err(Failure::Forbidden(Permission::TASK_ASSIGN).into());
        }
        assign::judge_owner(op, &mut found, &["ownerId"], owner).await?;
    }
    if let Some(role) = &new.role {
        assign::judge_role(op, &mut found, &["role"], role).await?;
    }
    found.check()?;
    let (patient, encounter) = about(op, &new).await?;

    let id = TaskId(op.new_id());
    let words = match description {
        Some(_) => {
            let (subject, key) = check::key(op, patient).await?;
            let words = TaskWords { description, ..TaskWords::default() };
            Some(op.seal(&key, &op.place("task", id.0, subject), &words)?)
        }
        None => None,
    };
    let focus = new.focus.map(Focus::parts);
    let (instance_id, step) = new.step.unzip();
    let row = task::ActiveModel {
        id: Set(id),
        patient_id: Set(patient),
        encounter_id: Set(encounter),
        focus_kind: Set(focus.map(|(kind, _)| kind.to_owned())),
        focus_id: Set(focus.map(|(_, id)| id)),
        code: Set(new.code),
        priority: Set(new.priority),
        status: Set(TaskStatus::Requested),
        owner_id: Set(new.owner),
        role_code: Set(new.role),
        requested_by: Set(op.actor().user),
        due_at: Set(new.due_at),
        words: Set(words),
        instance_id: Set(instance_id),
        step: Set(step),
        ..Default::default()
    };
    let created = task::Entity::insert(row).exec_with_returning(op.db()).await?;
    check::record(op, "task.create", &created);
    event::happened(op, Event::TaskCreated { task: id, patient, encounter }).await?;
    escalate::watch(op, &created).await?;
    Ok(created)
}

/// Whom the task concerns and to which visit it belongs: whatever was given has to agree.
async fn about(op: &Op<Write>, new: &NewTask) -> Result<(Option<PatientId>, Option<EncounterId>)> {
    let focus = match new.focus {
        Some(focus) => Some(focus.of_whom(op).await?),
        None => None,
    };
    let encounter = new.encounter.or(focus.and_then(|(_, encounter)| encounter));
    let visit = match encounter {
        Some(id) => Some(open_visit(op, id).await?),
        None => None,
    };
    let named =
        [visit.as_ref().map(|visit| visit.patient_id), focus.map(|(patient, _)| patient), new.patient];
    let mut named = named.into_iter().flatten();
    let Some(patient) = named.next() else { return Ok((None, None)) };
    if named.any(|other| other != patient) {
        let message = "Visit, focus and patient are not of the same person.";
        return Err(Violation::at(ViolationCode::Invalid, &["patientId"], message).into());
    }
    let row = Row { encounter: encounter.map(|id| id.0), ..Row::of(patient.0) };
    rights::require(op, Permission::TASK_CREATE, Permission::PATIENT_READ, patient, &row, "patientId")
        .await?;
    if op.actor().kind != ActorKind::User
        && patient::Entity::find_by_id(patient).one(op.db()).await?.is_none()
    {
        return Err(Violation::unknown("patientId").into());
    }
    Ok((Some(patient), encounter))
}

/// The visit, which can't be called off before the task is there.
async fn open_visit(op: &Op<Write>, id: EncounterId) -> Result<encounter::Model> {
    let visit = encounter::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let visit = visit.ok_or_else(|| Violation::unknown("encounterId"))?;
    let (create, seen) = (Permission::TASK_CREATE, Permission::ENCOUNTER_READ);
    rights::require(op, create, seen, visit.patient_id, &Row::from(&visit), "encounterId").await?;
    if visit.status == EncounterStatus::Cancelled {
        let message = "The visit was called off.";
        return Err(Violation::at(ViolationCode::Locked, &["encounterId"], message).into());
    }
    Ok(visit)
}

/// Whether a text names a kind of task.
pub(crate) fn is_code(text: &str) -> bool {
    let letter = text.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
    let rest = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    letter && (2..=40).contains(&text.len()) && text.bytes().all(rest)
}
