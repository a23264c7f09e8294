//! Changes of a clinic's state, each one transaction and one event.
//!
//! Which state may follow which is data of the control schema, held by its triggers; so are legal hold and the
//! grace of one that leaves. Asking for the state that a clinic is in already changes nothing.

use praxis_platform::tenancy::is_slug;
use serde::Serialize;
use serde_json::json;
use sqlx::{Connection, postgres::PgConnection};

use super::{Clinic, LifeError, Named, create, swap::none_is_open};

/// A state that an operator brings a clinic into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Served.
    Active,
    /// Served; payment is late.
    PastDue,
    /// Not served.
    Suspended,
    /// Read only.
    Locked,
}

impl State {
    fn code(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::PastDue => "PAST_DUE",
            Self::Suspended => "SUSPENDED",
            Self::Locked => "LOCKED",
        }
    }
}

/// Ten years.
const MOST_DAYS: i32 = 3650;
/// Letters of the reason of a legal hold.
const LONGEST_REASON: usize = 1_000;

/// What became of a clinic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its subdomain.
    pub slug: String,
    /// Where it stands.
    pub state: String,
    /// Whether anything changed.
    pub changed: bool,
}

/// Brings a clinic into another state. One that was leaving and is served again leaves no more.
pub async fn turn_into<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
    state: State,
) -> Result<Changed, LifeError> {
    let sql = "UPDATE control.tenant SET state = $2, offboard_after = NULL WHERE id = $1";
    change(admin, clinic.into(), state.code(), sql).await
}

/// Begins to let a clinic go: it is read only from now on, and archived when the days of grace are over. They count from
/// when it began to leave; for one that is leaving already they are set anew.
pub async fn offboard<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
    grace_days: u32,
) -> Result<Changed, LifeError> {
    let days = i32::try_from(grace_days).ok().filter(|days| *days <= MOST_DAYS);
    let days =
        days.ok_or_else(|| LifeError::invalid("graceDays", "the grace is from 0 to 3650 days".to_owned()))?;
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    none_is_open(&mut transaction, clinic.id).await?;
    let is_leaving = clinic.state == "OFFBOARDING";
    let sql = "UPDATE control.tenant SET state = 'OFFBOARDING', offboard_after =
            CASE WHEN state = 'OFFBOARDING' THEN state_since ELSE now() END + make_interval(days => $2)
        WHERE id = $1 AND (state <> 'OFFBOARDING' OR offboard_after IS DISTINCT FROM state_since + make_interval(days => $2))";
    let done = sqlx::query(sql).bind(clinic.id).bind(days).execute(&mut *transaction).await;
    let done = done.map_err(|error| LifeError::of_change(error, &clinic.state, "OFFBOARDING"))?;
    let changed = done.rows_affected() == 1;
    if changed {
        let kind = if is_leaving { "GRACE_CHANGED" } else { "OFFBOARDING" };
        let detail = json!({ "from": clinic.state, "graceDays": days });
        clinic.note(&mut transaction, kind, detail).await?;
        transaction.commit().await?;
    }
    Ok(Changed { slug: clinic.slug, state: "OFFBOARDING".to_owned(), changed })
}

/// Serves a clinic that has left no more, once its grace is over. Its data and keys are still there.
pub async fn archive<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
) -> Result<Changed, LifeError> {
    change(admin, clinic.into(), "ARCHIVED", "UPDATE control.tenant SET state = $2 WHERE id = $1").await
}

async fn change(
    admin: &mut PgConnection,
    clinic: Named<'_>,
    state: &str,
    sql: &'static str,
) -> Result<Changed, LifeError> {
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    let changed = clinic.state != state;
    if changed {
        none_is_open(&mut transaction, clinic.id).await?;
        let done = sqlx::query(sql).bind(clinic.id).bind(state).execute(&mut *transaction).await;
        done.map_err(|error| LifeError::of_change(error, &clinic.state, state))?;
        clinic.note(&mut transaction, state, json!({ "from": clinic.state })).await?;
        transaction.commit().await?;
    }
    Ok(Changed { slug: clinic.slug, state: state.to_owned(), changed })
}

/// Keeps a clinic's data and keys until it is released, in whichever state it is.
pub async fn hold<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
    reason: &str,
) -> Result<Changed, LifeError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let why = format!("a legal hold needs a reason of up to {LONGEST_REASON} letters");
        return Err(LifeError::invalid("reason", why));
    }
    set_hold(admin, clinic.into(), Some(reason), "HELD").await
}

/// Ends a legal hold.
pub async fn release<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
) -> Result<Changed, LifeError> {
    set_hold(admin, clinic.into(), None, "RELEASED").await
}

async fn set_hold(
    admin: &mut PgConnection,
    clinic: Named<'_>,
    reason: Option<&str>,
    kind: &str,
) -> Result<Changed, LifeError> {
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    if clinic.state == "SHREDDED" {
        return Err(LifeError::Refused("nothing is left of a tenant that was shredded".to_owned()));
    }
    let done = sqlx::query(
        "UPDATE control.tenant SET legal_hold = $2 IS NOT NULL, legal_hold_reason = $2
         WHERE id = $1 AND legal_hold_reason IS DISTINCT FROM $2",
    )
    .bind(clinic.id)
    .bind(reason)
    .execute(&mut *transaction)
    .await?;
    let changed = done.rows_affected() == 1;
    if changed {
        clinic.note(&mut transaction, kind, json!({ "reason": reason })).await?;
        transaction.commit().await?;
    }
    Ok(Changed { slug: clinic.slug, state: clinic.state, changed })
}

/// Gives a clinic another subdomain, and if asked for another name. The old subdomain is free from then on.
pub async fn rename<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
    new_slug: &str,
    display_name: Option<&str>,
) -> Result<Changed, LifeError> {
    if !is_slug(new_slug) {
        return Err(LifeError::SlugInvalid);
    }
    if let Some(name) = display_name {
        create::check_name(name)?;
    }
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    if clinic.state == "SHREDDED" {
        return Err(LifeError::Refused("nothing is left of a tenant that was shredded".to_owned()));
    }
    let done = sqlx::query(
        "UPDATE control.tenant SET slug = $2, display_name = coalesce($3, display_name)
         WHERE id = $1 AND (slug, display_name) IS DISTINCT FROM ($2, coalesce($3, display_name))",
    )
    .bind(clinic.id)
    .bind(new_slug)
    .bind(display_name.map(str::trim))
    .execute(&mut *transaction)
    .await;
    let changed = match done {
        Err(sqlx::Error::Database(error)) if error.constraint() == Some("tenant_slug_unique") => {
            return Err(LifeError::SlugTaken);
        }
        done => done?.rows_affected() == 1,
    };
    if changed {
        let detail = json!({ "from": clinic.slug, "to": new_slug, "named": display_name.is_some() });
        clinic.note(&mut transaction, "RENAMED", detail).await?;
        transaction.commit().await?;
    }
    Ok(Changed { slug: new_slug.to_owned(), state: clinic.state, changed })
}
