//! `praxis tenant limits`: what a clinic may ask for and how fast, where it differs from the settings.

use anyhow::{Result, ensure};
use clap::ValueEnum;
use praxis_fleet::tenant;
use sqlx::{Connection, postgres::PgConnection};

use super::records;
use crate::cli::{Context, Exit};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Limits {
    /// Subdomain of the clinic
    slug: String,
    /// Which operations are taken, if the installation's setting is not stricter
    #[arg(long, value_enum)]
    operations: Option<Mode>,
    /// Points the whole clinic may spend at once
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(i32).range(1..))]
    points: Option<i32>,
    /// Points the whole clinic gets back each second
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(i32).range(1..))]
    restore: Option<i32>,
    /// Points one person may spend at once
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(i32).range(1..))]
    actor_points: Option<i32>,
    /// Points one person gets back each second
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(i32).range(1..))]
    actor_restore: Option<i32>,
    /// Forget what the clinic had of its own before
    #[arg(long)]
    reset: bool,
}

/// Which operations are taken.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Open,
    Apq,
    Registered,
}

impl Mode {
    fn code(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Apq => "APQ",
            Self::Registered => "REGISTERED",
        }
    }
}

/// Sets what is given and leaves the rest.
pub async fn run(admin: &mut PgConnection, limits: Limits, context: &Context) -> Result<Exit> {
    let mut transaction = admin.begin().await?;
    let changed: Option<uuid::Uuid> = sqlx::query_scalar(
        "UPDATE control.tenant SET
            operation_mode = coalesce($2, CASE WHEN NOT $7 THEN operation_mode END),
            rate_points = coalesce($3, CASE WHEN NOT $7 THEN rate_points END),
            rate_restore = coalesce($4, CASE WHEN NOT $7 THEN rate_restore END),
            actor_rate_points = coalesce($5, CASE WHEN NOT $7 THEN actor_rate_points END),
            actor_rate_restore = coalesce($6, CASE WHEN NOT $7 THEN actor_rate_restore END)
         WHERE slug = $1 RETURNING id",
    )
    .bind(&limits.slug)
    .bind(limits.operations.map(Mode::code))
    .bind(limits.points)
    .bind(limits.restore)
    .bind(limits.actor_points)
    .bind(limits.actor_restore)
    .bind(limits.reset)
    .fetch_optional(&mut *transaction)
    .await?;
    ensure!(changed.is_some(), "there is no tenant \"{}\"", limits.slug);
    if let Some(id) = changed {
        let detail = serde_json::json!({
            "operations": limits.operations.map(Mode::code),
            "points": limits.points,
            "restore": limits.restore,
            "actor_points": limits.actor_points,
            "actor_restore": limits.actor_restore,
            "reset": limits.reset,
        });
        tenant::note(&mut transaction, id, "LIMITS_SET", detail).await?;
    }
    transaction.commit().await?;
    records::show(admin, &limits.slug, context).await
}
