//! Writing an edition of a workflow.

use praxis_entity::{
    ids::WorkflowDefinitionId,
    task::TaskPriority,
    workflow_definition::{self, Column, WorkflowStatus},
    workflow_step,
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};

use super::steps::{in_order, vocabulary};
use crate::{Result, ViolationCode, clinic::text, condition::Condition, error::Violations, tasks};

/// The most steps of a workflow.
const MOST_STEPS: usize = 50;

/// A step to be written.
#[derive(Debug, Clone)]
pub struct NewStep {
    /// Key within the workflow.
    pub key: String,
    /// What kind of task it opens.
    pub task: String,
    /// Who is asked.
    pub role: String,
    /// How soon.
    pub priority: TaskPriority,
    /// Within how many minutes of its opening.
    pub due_minutes: Option<i32>,
    /// When it is opened, over what came of the steps before.
    pub guard: Option<String>,
    /// Keys of the steps that have to be over before.
    pub follows: Vec<String>,
}

/// An edition of a workflow to be written.
#[derive(Debug, Clone)]
pub struct NewWorkflow {
    /// Key that all editions share.
    pub code: String,
    /// Name.
    pub name: String,
    /// The steps.
    pub steps: Vec<NewStep>,
}

/// Writes the next edition of a workflow, as a draft.
pub async fn define(op: &Op<Write>, new: NewWorkflow) -> Result<workflow_definition::Model> {
    op.require(Permission::WORKFLOW_MANAGE)?;
    let mut found = Violations::default();
    if !is_key(&new.code) {
        found.add(
            ViolationCode::Invalid,
            &["code"],
            "A workflow is named in small letters, digits and underscores.",
        );
    }
    let name = text::line(&mut found, &["name"], &new.name, 200);
    if !(1..=MOST_STEPS).contains(&new.steps.len()) {
        found.add(ViolationCode::OutOfRange, &["steps"], "A workflow has 1 to 50 steps.");
    }
    for (index, step) in new.steps.iter().enumerate().take(MOST_STEPS) {
        judge(op, &mut found, &new.steps, step, index).await?;
    }
    found.check()?;
    let steps = in_order(new.steps, |step| &step.key, |step| &step.follows).map_err(|circle| {
        let message =
            format!("These steps wait for each other and are never reached: {}.", circle.join(", "));
        crate::Violation::at(ViolationCode::Invalid, &["steps"], message)
    })?;

    let before = workflow_definition::Entity::find().filter(Column::Code.eq(&new.code));
    let before = before.order_by_desc(Column::Edition).limit(1).lock(LockType::NoKeyUpdate);
    let before = before.one(op.db()).await?;
    let id = WorkflowDefinitionId(op.new_id());
    let row = workflow_definition::ActiveModel {
        id: Set(id),
        code: Set(new.code),
        edition: Set(before.map_or(0, |before| before.edition) + 1),
        name: Set(name),
        status: Set(WorkflowStatus::Draft),
        defined_by: Set(op.actor().user),
        ..Default::default()
    };
    let defined = workflow_definition::Entity::insert(row).exec_with_returning(op.db()).await?;
    let steps = steps.into_iter().zip(0..).map(|(step, position)| workflow_step::ActiveModel {
        definition_id: Set(id),
        key: Set(step.key),
        position: Set(position),
        task_code: Set(step.task),
        role_code: Set(step.role),
        priority: Set(step.priority),
        due_minutes: Set(step.due_minutes),
        guard: Set(step.guard),
        follows: Set(step.follows),
    });
    workflow_step::Entity::insert_many(steps.collect::<Vec<_>>()).exec_without_returning(op.db()).await?;
    op.record(Entry::done("workflow.define").on("WorkflowDefinition", id.0, defined.version));
    Ok(defined)
}

async fn judge(
    op: &Op<Write>,
    found: &mut Violations,
    steps: &[NewStep],
    step: &NewStep,
    index: usize,
) -> Result<()> {
    let place = index.to_string();
    let at = |field: &'static str| ["steps".to_owned(), place.clone(), field.to_owned()];
    let mut add = |code, field, message: String| {
        let path = at(field);
        found.add(code, &path.each_ref().map(String::as_str), message);
    };
    if !is_key(&step.key) {
        add(
            ViolationCode::Invalid,
            "key",
            "A step is named in small letters, digits and underscores.".to_owned(),
        );
    }
    if steps.iter().take(index).any(|other| other.key == step.key) {
        add(ViolationCode::AlreadyExists, "key", "There is a step of this name.".to_owned());
    }
    if !tasks::is_code(&step.task) {
        let message = "A kind of task is named in 2 to 40 capitals, digits and underscores.";
        add(ViolationCode::Invalid, "task", message.to_owned());
    }
    if step.due_minutes.is_some_and(|minutes| !(1..=525_600).contains(&minutes)) {
        add(ViolationCode::OutOfRange, "dueMinutes", "Give 1 to 525,600 minutes.".to_owned());
    }
    for key in &step.follows {
        if !steps.iter().any(|other| other.key == *key) {
            add(ViolationCode::NotFound, "follows", format!("There is no step {key}."));
        }
    }
    // A guard speaks of what is over by then: the steps that this one follows.
    if let Some(guard) = &step.guard
        && let Err(fault) = Condition::read(guard, &vocabulary(step.follows.iter().map(String::as_str)))
    {
        add(ViolationCode::Invalid, "guard", fault.to_string());
    }
    let path = at("role");
    tasks::judge_role(op, found, &path.each_ref().map(String::as_str), &step.role).await
}

fn is_key(text: &str) -> bool {
    let letter = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    letter && text.len() <= 40 && text.bytes().all(rest)
}
