//! What a clinic may ask for and how fast, where it differs from the settings.

use serde_json::json;
use sqlx::{Connection, postgres::PgConnection};

use super::{Clinic, LifeError, Named};

/// What is to change: nothing, to what the settings say, or to a value of the clinic's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// What the settings say.
    Reset,
    /// A value of the clinic's own.
    Set(T),
}

impl<T> Change<T> {
    fn parts(self) -> (bool, Option<T>) {
        match self {
            Self::Keep => (false, None),
            Self::Reset => (true, None),
            Self::Set(value) => (true, Some(value)),
        }
    }
}

/// What a clinic may ask for and how fast.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitChanges {
    /// Which operations its programs may send: `OPEN`, `APQ` or `REGISTERED`.
    pub operations: Change<&'static str>,
    /// Points the whole clinic may spend at once.
    pub points: Change<i32>,
    /// Points it gets back each second.
    pub restore: Change<i32>,
    /// Points one person may spend at once.
    pub actor_points: Change<i32>,
    /// Points they get back each second.
    pub actor_restore: Change<i32>,
}

/// Changes what a clinic may ask for; false where it was so already.
pub async fn set_limits<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
    changes: LimitChanges,
) -> Result<bool, LifeError> {
    let LimitChanges { operations, points, restore, actor_points, actor_restore } = changes;
    let numbers = [
        ("points", &points),
        ("restore", &restore),
        ("actorPoints", &actor_points),
        ("actorRestore", &actor_restore),
    ];
    for (field, change) in numbers {
        if matches!(change, Change::Set(..=0)) {
            return Err(LifeError::invalid(field, "it has to be more than 0".to_owned()));
        }
    }
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    let (set_operations, operations) = operations.parts();
    let (set_points, points) = points.parts();
    let (set_restore, restore) = restore.parts();
    let (set_actor_points, actor_points) = actor_points.parts();
    let (set_actor_restore, actor_restore) = actor_restore.parts();
    let changed = sqlx::query(
        "WITH new AS (SELECT CASE WHEN $2 THEN $3 ELSE operation_mode END AS mode,
                CASE WHEN $4 THEN $5 ELSE rate_points END AS points, CASE WHEN $6 THEN $7 ELSE rate_restore END AS restore,
                CASE WHEN $8 THEN $9 ELSE actor_rate_points END AS actor_points,
                CASE WHEN $10 THEN $11 ELSE actor_rate_restore END AS actor_restore
            FROM control.tenant WHERE id = $1)
         UPDATE control.tenant SET operation_mode = new.mode, rate_points = new.points, rate_restore = new.restore,
            actor_rate_points = new.actor_points, actor_rate_restore = new.actor_restore
         FROM new WHERE id = $1 AND (operation_mode, rate_points, rate_restore, actor_rate_points, actor_rate_restore)
            IS DISTINCT FROM (new.mode, new.points, new.restore, new.actor_points, new.actor_restore)",
    )
    .bind(clinic.id)
    .bind(set_operations)
    .bind(operations)
    .bind(set_points)
    .bind(points)
    .bind(set_restore)
    .bind(restore)
    .bind(set_actor_points)
    .bind(actor_points)
    .bind(set_actor_restore)
    .bind(actor_restore)
    .execute(&mut *transaction)
    .await?;
    let changed = changed.rows_affected() == 1;
    if changed {
        let mut detail = serde_json::Map::new();
        for (name, is_set, value) in [
            ("operations", set_operations, json!(operations)),
            ("points", set_points, json!(points)),
            ("restore", set_restore, json!(restore)),
            ("actor_points", set_actor_points, json!(actor_points)),
            ("actor_restore", set_actor_restore, json!(actor_restore)),
        ] {
            if is_set {
                detail.insert(name.to_owned(), value);
            }
        }
        clinic.note(&mut transaction, "LIMITS_SET", detail.into()).await?;
        transaction.commit().await?;
    }
    Ok(changed)
}
