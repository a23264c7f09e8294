//! Where each step stands: a function of the definition and of the tasks there are, and of nothing else.

use std::collections::{BTreeMap, HashMap};

use praxis_entity::{
    task::{self, TaskStatus},
    workflow_step,
};
use sea_orm::ActiveEnum;

use crate::condition::{Condition, Fact, Facts, Kind, Vocabulary};

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepState {
    /// Steps before it are not over.
    Waiting,
    /// It is to be opened now.
    Due,
    /// Its task is open.
    Open,
    /// Its task is done.
    Done,
    /// Its guard did not hold, or nothing that leads to it was done.
    Skipped,
    /// Its task ended otherwise.
    Failed,
}

/// The names that guards may use: the outcome of each step, as `step.outcome`.
pub(super) fn vocabulary<'a>(keys: impl Iterator<Item = &'a str>) -> Vocabulary {
    keys.map(|key| (format!("{key}.outcome"), Kind::Text)).collect()
}

/// Where each step stands. Steps come after those that they follow, as [`in_order`] puts them.
pub(super) fn progress(steps: &[workflow_step::Model], tasks: &[task::Model]) -> Vec<(String, StepState)> {
    let mut facts = Facts::default();
    let mut of: HashMap<&str, &task::Model> = HashMap::new();
    for task in tasks {
        if let Some(step) = task.step.as_deref() {
            of.insert(step, task);
            if let (TaskStatus::Completed, Some(outcome)) = (task.status, task.outcome) {
                facts.know(format!("{step}.outcome"), Fact::Text(outcome.to_value()));
            }
        }
    }
    let vocabulary = vocabulary(steps.iter().map(|step| step.key.as_str()));
    let mut states: BTreeMap<&str, StepState> = BTreeMap::new();
    let mut all = Vec::with_capacity(steps.len());
    for step in steps {
        let state = match of.get(step.key.as_str()).map(|task| task.status) {
            Some(TaskStatus::Completed) => StepState::Done,
            Some(status) if status.is_open() => StepState::Open,
            Some(_) => StepState::Failed,
            None => unopened(step, &states, &facts, &vocabulary),
        };
        states.insert(&step.key, state);
        all.push((step.key.clone(), state));
    }
    all
}

fn unopened(
    step: &workflow_step::Model,
    states: &BTreeMap<&str, StepState>,
    facts: &Facts,
    vocabulary: &Vocabulary,
) -> StepState {
    let before: Vec<_> = step
        .follows
        .iter()
        .map(|key| states.get(key.as_str()).copied().unwrap_or(StepState::Skipped))
        .collect();
    if before.iter().any(|state| !matches!(state, StepState::Done | StepState::Skipped)) {
        return StepState::Waiting;
    }
    if !before.is_empty() && before.iter().all(|state| *state == StepState::Skipped) {
        return StepState::Skipped;
    }
    let Some(guard) = &step.guard else { return StepState::Due };
    // What a skipped step came to is not known: a guard that asks for it does not hold.
    let holds = Condition::read(guard, vocabulary).ok().and_then(|guard| guard.judge(facts).holds);
    if holds == Some(true) { StepState::Due } else { StepState::Skipped }
}

/// The steps, each after those that it follows; the keys that are left over where some follow each other in a circle.
pub(super) fn in_order<T>(
    steps: Vec<T>,
    key: impl Fn(&T) -> &str,
    follows: impl Fn(&T) -> &[String],
) -> Result<Vec<T>, Vec<String>> {
    let mut ordered: Vec<T> = Vec::with_capacity(steps.len());
    let mut rest = steps;
    while !rest.is_empty() {
        let placed = |name: &String| ordered.iter().any(|step| key(step) == name);
        let (ready, waiting): (Vec<T>, Vec<T>) =
            rest.into_iter().partition(|step| follows(step).iter().all(placed));
        if ready.is_empty() {
            return Err(waiting.iter().map(|step| key(step).to_owned()).collect());
        }
        ordered.extend(ready);
        rest = waiting;
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use praxis_entity::{
        ids::{TaskId, UserId, WorkflowDefinitionId, WorkflowInstanceId},
        task::{TaskOutcome, TaskPriority},
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn ordered(steps: &[(&str, &[&str])]) -> Result<Vec<String>, Vec<String>> {
        let steps: Vec<(String, Vec<String>)> = steps
            .iter()
            .map(|(key, follows)| ((*key).to_owned(), follows.iter().map(|&key| key.to_owned()).collect()))
            .collect();
        let ordered = in_order(steps, |step| &step.0, |step| &step.1)?;
        Ok(ordered.into_iter().map(|step| step.0).collect())
    }

    #[test]
    fn steps_come_after_those_that_they_follow_and_circles_are_found() {
        let order = ordered(&[("c", &["a", "b"]), ("b", &["a"]), ("a", &[])]);
        assert_eq!(order, Ok(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
        let circle = ordered(&[("a", &[]), ("b", &["c"]), ("c", &["b"])]);
        assert_eq!(circle, Err(vec!["b".to_owned(), "c".to_owned()]));
        assert_eq!(ordered(&[("a", &["a"])]), Err(vec!["a".to_owned()]));
    }

    fn step(number: usize, follows: Vec<usize>, guarded: bool) -> workflow_step::Model {
        let guard = follows.first().filter(|_| guarded).map(|first| format!("s{first}.outcome == 'DONE'"));
        workflow_step::Model {
            definition_id: WorkflowDefinitionId(Uuid::nil()),
            key: format!("s{number}"),
            position: 0,
            task_code: "STEP".to_owned(),
            role_code: "nurse".to_owned(),
            priority: TaskPriority::Routine,
            due_minutes: None,
            guard,
            follows: follows.into_iter().map(|number| format!("s{number}")).collect(),
        }
    }

    fn task(step: &str) -> task::Model {
        task::Model {
            id: TaskId(Uuid::nil()),
            version: 1,
            created_at: chrono::DateTime::UNIX_EPOCH,
            updated_at: chrono::DateTime::UNIX_EPOCH,
            patient_id: None,
            encounter_id: None,
            focus_kind: None,
            focus_id: None,
            code: "STEP".to_owned(),
            priority: TaskPriority::Routine,
            status: TaskStatus::Requested,
            owner_id: Some(UserId(Uuid::nil())),
            role_code: None,
            requested_by: None,
            due_at: None,
            started_at: None,
            ended_at: None,
            outcome: None,
            words: None,
            instance_id: Some(WorkflowInstanceId(Uuid::nil())),
            step: Some(step.to_owned()),
        }
    }

    proptest! {
        #[test]
        fn every_workflow_ends_and_opens_no_step_twice_or_early(
            shape in proptest::collection::vec((any::<u16>(), any::<bool>()), 1..12),
            choices in proptest::collection::vec((any::<usize>(), 0_usize..3), 12),
        ) {
            let steps: Vec<_> = shape
                .iter()
                .enumerate()
                .map(|(number, (bits, guarded))| {
                    step(number, (0..number).filter(|before| bits >> (before % 16) & 1 == 1).collect(), *guarded)
                })
                .collect();
            let mut tasks: Vec<task::Model> = Vec::new();
            for (which, outcome) in choices {
                let states = progress(&steps, &tasks);
                for (at, (key, state)) in states.iter().enumerate() {
                    if *state == StepState::Due {
                        prop_assert!(tasks.iter().all(|task| task.step.as_deref() != Some(key)));
                        let over = |before: &String| states.iter().any(|(key, state)| {
                            key == before && matches!(state, StepState::Done | StepState::Skipped)
                        });
                        prop_assert!(steps[at].follows.iter().all(over));
                        tasks.push(task(key));
                    }
                }
                let open: Vec<usize> = (0..tasks.len()).filter(|at| tasks[*at].status.is_open()).collect();
                if open.is_empty() {
                    break;
                }
                let chosen = &mut tasks[open[which % open.len()]];
                chosen.status = TaskStatus::Completed;
                chosen.outcome = Some([TaskOutcome::Done, TaskOutcome::PartlyDone, TaskOutcome::NotNeeded][outcome]);
            }
            // At the most one step ends each time: after as many as there are, all is over.
            let end = progress(&steps, &tasks);
            prop_assert!(end.iter().all(|(_, state)| matches!(state, StepState::Done | StepState::Skipped)), "{end:?}");
        }
    }
}
