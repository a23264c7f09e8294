//! Frozen history: how the control schema and every tenant schema came to be what they are.
//!
//! A step, once released, never changes. Steps are written in SQL under the portability rules of
//! `docs/tenancy.md` and wrapped as sea-orm-migration steps; the runner that applies them to
//! thousands of tenants lives in the package `fleet`. The search path is set by the runner, so no
//! step names the schema it works in.

use sea_orm_migration::{
    MigrationTrait, SchemaManager,
    sea_orm::{ConnectionTrait, DbErr},
};

pub mod control;
pub mod tenant;

/// A list of steps, oldest first. A schema's version is the number of steps applied.
pub type Steps = Vec<Box<dyn MigrationTrait>>;

/// Declares steps from SQL files of the same folder.
macro_rules! sql_steps {
    ($($step:ident = $file:literal;)*) => {
        $(
            /// One step, written in SQL.
            struct $step;

            impl sea_orm_migration::MigrationName for $step {
                fn name(&self) -> &str {
                    $file
                }
            }

            #[sea_orm_migration::async_trait::async_trait]
            impl sea_orm_migration::MigrationTrait for $step {
                async fn up(
                    &self,
                    manager: &sea_orm_migration::SchemaManager,
                ) -> Result<(), sea_orm_migration::sea_orm::DbErr> {
                    $crate::run(manager, include_str!(concat!($file, ".sql"))).await
                }
            }
        )*

        /// All steps, oldest first.
        pub fn steps() -> $crate::Steps {
            vec![$(Box::new($step)),*]
        }

        /// Their SQL, oldest first: for whoever needs the schema of an older version.
        pub fn sources() -> Vec<&'static str> {
            vec![$(include_str!(concat!($file, ".sql"))),*]
        }
    };
}
pub(crate) use sql_steps;

/// Runs the statements of one step.
async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}
