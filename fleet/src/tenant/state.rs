//! Changes of a clinic's state, each one transaction and one event.
//!
//! Which state may follow which is data of the control schema, held by its triggers; so are legal hold and the
//! grace of one that leaves. Asking for the state that a clinic is in already changes nothing.

use praxis_platform::tenancy::is_slug;
use serde::Serialize;
use serde_json::json;
use sqlx::{Connection, postgres::PgConnection};

use super::{Clinic, LifeError};

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
pub async fn turn_into(admin: &mut PgConnection, slug: &str, state: State) -> Result<Changed, LifeError> {
    let sql = "UPDATE control.tenant SET state = $2, offboard_after = NULL WHERE id = $1";
    change(admin, slug, state.code(), sql, None).await
}

/// Begins to let a clinic go: it is read only from now on, and archived when the days of grace are over.
pub async fn offboard(admin: &mut PgConnection, slug: &str, grace_days: u32) -> Result<Changed, LifeError> {
    let sql = "UPDATE control.tenant SET state = $2, offboard_after = now() + make_interval(days => $3) WHERE id = $1";
    let days = i32::try_from(grace_days).map_err(|_| LifeError::Refused("too many days".to_owned()))?;
    change(admin, slug, "OFFBOARDING", sql, Some(days)).await
}

/// Serves a clinic that has left no more, once its grace is over. Its data and keys are still there.
pub async fn archive(admin: &mut PgConnection, slug: &str) -> Result<Changed, LifeError> {
    change(admin, slug, "ARCHIVED", "UPDATE control.tenant SET state = $2 WHERE id = $1", None).await
}

async fn change(
    admin: &mut PgConnection,
    slug: &str,
    state: &str,
    sql: &'static str,
    days: Option<i32>,
) -> Result<Changed, LifeError> {
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of_slug(&mut transaction, slug).await?;
    let changed = clinic.state != state;
    if changed {
        let mut query = sqlx::query(sql).bind(clinic.id).bind(state);
        if let Some(days) = days {
            query = query.bind(days);
        }
        let done = query.execute(&mut *transaction).await;
        done.map_err(|error| LifeError::of_change(error, &clinic.state, state))?;
        let mut detail = json!({ "from": clinic.state });
        if let (Some(days), Some(detail)) = (days, detail.as_object_mut()) {
            detail.insert("graceDays".to_owned(), days.into());
        }
        clinic.note(&mut transaction, state, detail).await?;
        transaction.commit().await?;
    }
    Ok(Changed { slug: clinic.slug, state: state.to_owned(), changed })
}

/// Keeps a clinic's data and keys until it is released, in whichever state it is.
pub async fn hold(admin: &mut PgConnection, slug: &str, reason: &str) -> Result<Changed, LifeError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(LifeError::Refused("a legal hold needs a reason".to_owned()));
    }
    set_hold(admin, slug, Some(reason), "HELD").await
}

/// Ends a legal hold.
pub async fn release(admin: &mut PgConnection, slug: &str) -> Result<Changed, LifeError> {
    set_hold(admin, slug, None, "RELEASED").await
}

async fn set_hold(
    admin: &mut PgConnection,
    slug: &str,
    reason: Option<&str>,
    kind: &str,
) -> Result<Changed, LifeError> {
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of_slug(&mut transaction, slug).await?;
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
pub async fn rename(
    admin: &mut PgConnection,
    slug: &str,
    new_slug: &str,
    display_name: Option<&str>,
) -> Result<Changed, LifeError> {
    if !is_slug(new_slug) {
        return Err(LifeError::SlugInvalid);
    }
    if display_name.is_some_and(|name| name.trim().is_empty()) {
        return Err(LifeError::Refused("the name is empty".to_owned()));
    }
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of_slug(&mut transaction, slug).await?;
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
