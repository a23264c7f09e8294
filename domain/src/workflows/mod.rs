//! Workflows: tasks that open one after another.
//!
//! A definition is a set of steps, each of which names the steps that have to be over before, and may have a guard
//! over what came of them. A step that opens asks a role for a task. Definitions have editions: a draft is put into
//! use, and then never changes; what runs keeps the edition that it began with. When a step is done, the next ones
//! open by themselves; when one is turned down, called off or not possible, the workflow has failed, and what is left
//! of it is called off. Where each step stands follows from the definition and the tasks alone.

mod cancel;
mod define;
mod react;
mod read;
mod start;
mod steps;
mod turn;

pub use cancel::cancel;
pub use define::{NewStep, NewWorkflow, define};
pub use react::task_ended;
pub use read::{DefinitionFilter, definitions, definitions_by_ids, instances_by_ids, steps_of, tasks_of};
pub use start::{StartWorkflow, start};
pub use turn::{activate, retire};
