//! Host names that lead to a clinic besides its subdomain.

use praxis_platform::tenancy::Host;
use serde_json::json;
use sqlx::{Connection, postgres::PgConnection};

use super::{Clinic, LifeError, Named};

/// Gives a clinic a host name, or calls one of its own verified. It leads to the clinic once it is.
pub async fn add_domain<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
    host: &str,
    is_verified: bool,
    base_domain: &str,
) -> Result<bool, LifeError> {
    let refused = |why: String| LifeError::invalid("host", why);
    let name = Host::parse(host).filter(|name| name.as_str() == host.to_ascii_lowercase());
    let name = name.ok_or_else(|| refused(format!("\"{}\" is no host name", host.escape_debug())))?;
    let name = name.as_str();
    // A domain comes before subdomains: this one would take another clinic's place.
    if name == base_domain || name.strip_suffix(base_domain).is_some_and(|rest| rest.ends_with('.')) {
        return Err(refused(format!(
            "{name} lies below the base domain {base_domain}, whose names follow from the slugs"
        )));
    }
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    if clinic.state == "SHREDDED" {
        return Err(LifeError::Refused("nothing is left of a tenant that was shredded".to_owned()));
    }
    let before: Option<(uuid::Uuid, bool)> = sqlx::query_as(
        "SELECT tenant_id, verified_at IS NOT NULL FROM control.tenant_domain WHERE host = $1",
    )
    .bind(name)
    .fetch_optional(&mut *transaction)
    .await?;
    if before.is_some_and(|(owner, was_verified)| owner == clinic.id && (was_verified || !is_verified)) {
        return Ok(false);
    }
    let changed = sqlx::query(
        "INSERT INTO control.tenant_domain (host, tenant_id, verified_at) VALUES ($1, $2, CASE WHEN $3 THEN now() END)
         ON CONFLICT (host) DO UPDATE SET verified_at = coalesce(tenant_domain.verified_at, excluded.verified_at)
             WHERE tenant_domain.tenant_id = excluded.tenant_id",
    )
    .bind(name)
    .bind(clinic.id)
    .bind(is_verified)
    .execute(&mut *transaction)
    .await?;
    if changed.rows_affected() != 1 {
        return Err(refused(format!("{name} belongs to another tenant")));
    }
    let detail = json!({ "host": name, "verified": is_verified });
    clinic.note(&mut transaction, "DOMAIN_ADDED", detail).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Takes a host name away from a clinic; false where it had none such.
pub async fn remove_domain<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
    host: &str,
) -> Result<bool, LifeError> {
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    let removed: Option<String> = sqlx::query_scalar(
        "DELETE FROM control.tenant_domain WHERE tenant_id = $1 AND host = lower($2) RETURNING host",
    )
    .bind(clinic.id)
    .bind(host)
    .fetch_optional(&mut *transaction)
    .await?;
    if let Some(host) = &removed {
        clinic.note(&mut transaction, "DOMAIN_REMOVED", json!({ "host": host })).await?;
        transaction.commit().await?;
    }
    Ok(removed.is_some())
}
