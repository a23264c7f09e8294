//! Frozen history: how the control schema and every tenant schema came to be what they are.
//!
//! A step, once released, never changes. Steps are written in SQL under the portability rules of
//! `docs/migrations.md`, which [`lint`] checks, and wrapped as sea-orm-migration steps; the runner that
//! applies them to thousands of tenants lives in the package `fleet`. The search path is set by the
//! runner, so no step names the schema it works in.

pub mod cell;
pub mod control;
pub mod lint;
pub mod locks;
pub mod sql;
pub mod step;
pub mod tenant;

pub use step::{Step, Way, oldest_build, served_from};

/// A list of steps, oldest first. A schema's version is the number of steps applied.
pub type Steps = Vec<Step>;

/// Declares the steps from SQL files of the same folder.
macro_rules! sql_steps {
    ($($file:literal)*) => {
        /// All steps, oldest first.
        pub fn steps() -> $crate::Steps {
            vec![$($crate::Step::new($file, include_str!(concat!($file, ".sql")))),*]
        }

        /// Their SQL, oldest first: for whoever needs the schema of an older version.
        pub fn sources() -> Vec<&'static str> {
            vec![$(include_str!(concat!($file, ".sql"))),*]
        }
    };
}
pub(crate) use sql_steps;
