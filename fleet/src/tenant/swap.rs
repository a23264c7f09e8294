//! What was restored beside a clinic takes the place of the live data, in one transaction; or is thrown away.
//!
//! In a further cell it is one there and one in the control schema, in this order. Before them the control schema is told that
//! an exchange begins: until it ends, the clinic is neither served nor left, and nothing of it is thrown away. A mark at the
//! schema that was put aside says which exchange was the last, so that the next `swap` tells of one that was made and not told.
//!
//! The two schemas exchange their names. The clinic keeps its id, role, keys and host names, and what was live
//! lies beside from then on, so that the exchange can be taken back; work that waits in it waits there. Every table
//! of the live schema is locked first: what was being written ends before, and what comes later finds the restored
//! tables.

use praxis_platform::tenancy::{MAIN, SchemaName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{Connection, postgres::PgConnection};
use uuid::Uuid;

use super::{
    Clinic, LifeError, Named, Places, Restored,
    control_rows::{plan_anew, set_version, wake},
    copy::{qualified, tables},
    export::{schema_version, waiting},
    limits::{may_have, set_quotas},
    run,
    sides::Sides,
};

/// What lies beside a clinic: what was restored, or what was live before the exchange. There is no more than one. The home
/// is given where it is in another database than the control schema.
pub(super) async fn lying_beside(
    control: &mut PgConnection,
    home: Option<&mut PgConnection>,
    tenant: Uuid,
) -> Result<Option<(Restored, SchemaName)>, LifeError> {
    let restores: Vec<Value> = sqlx::query_scalar(
        "SELECT detail FROM control.operation WHERE tenant_id = $1 AND kind = 'RESTORE' AND state = 'DONE'
            AND detail->>'placed' = 'beside' ORDER BY created_at DESC",
    )
    .bind(tenant)
    .fetch_all(&mut *control)
    .await?;
    let restores: Result<Vec<Restored>, _> = restores.into_iter().map(serde_json::from_value).collect();
    let mut restores = restores.map_err(|_| LifeError::Malformed("operation"))?;
    let names: Vec<_> = restores.iter().map(|restored| restored.schema.clone()).collect();
    let there: Option<String> = sqlx::query_scalar(
        "SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS made (name, place)
         WHERE to_regnamespace(name) IS NOT NULL ORDER BY place LIMIT 1",
    )
    .bind(names)
    .fetch_optional(home.unwrap_or(control))
    .await?;
    let Some(name) = there else { return Ok(None) };
    restores.retain(|restored| restored.schema == name);
    let schema = SchemaName::stored(&name).ok_or(LifeError::Malformed("operation"))?;
    Ok(restores.pop().map(|restored| (restored, schema)))
}

pub(super) fn something_lies_beside() -> LifeError {
    LifeError::Refused(
        "something lies beside the tenant already: `praxis tenant discard` throws it away".to_owned(),
    )
}

fn nothing_lies_beside() -> LifeError {
    LifeError::Refused("nothing lies beside the tenant: restore an export first".to_owned())
}

/// What was exchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct Swapped {
    /// What had been restored.
    pub restored: Restored,
    /// Whether that is live now; else it lies beside again.
    pub is_live: bool,
}

/// Exchanges what lies beside the clinic with what is live. The clinic must not be served meanwhile.
pub async fn swap<'a>(
    admin: &mut PgConnection,
    places: Places<'_>,
    clinic: impl Into<Named<'a>>,
) -> Result<Swapped, LifeError> {
    let clinic = Clinic::of(admin, clinic).await?;
    begun(admin, places, &clinic, None).await
}

/// The same for what a restore put there, if it was not done before: asked for again, it is not taken back.
pub async fn swap_once(
    admin: &mut PgConnection,
    places: Places<'_>,
    restored: Restored,
) -> Result<Swapped, LifeError> {
    let clinic = Clinic::find(admin, Named::Id(restored.manifest.tenant)).await?;
    let clinic = clinic.ok_or_else(|| LifeError::Unknown(restored.slug.clone()))?;
    let aside = SchemaName::stored(&restored.schema).ok_or(LifeError::Malformed("operation"))?;
    let before = times(admin, &clinic, &aside).await?;
    if !before.is_empty() {
        return Ok(Swapped { restored, is_live: before.len() % 2 == 1 });
    }
    begun(admin, places, &clinic, Some(restored)).await
}

const BEGUN: &str = "SWAP_BEGUN";
const GIVEN_UP: &str = "SWAP_GIVEN_UP";

/// Tells that an exchange begins where it is more than one transaction, and makes it.
async fn begun(
    admin: &mut PgConnection,
    places: Places<'_>,
    clinic: &Clinic,
    wanted: Option<Restored>,
) -> Result<Swapped, LifeError> {
    let begins = clinic.cell != MAIN && !is_open(admin, clinic.id).await?;
    if begins {
        clinic.note(admin, BEGUN, json!({})).await?;
    }
    let mut is_settled = false;
    let result = made(admin, places, clinic.id, wanted, &mut is_settled).await;
    if result.is_err() && begins && !is_settled {
        clinic.note(admin, GIVEN_UP, json!({})).await?;
    }
    result
}

/// The exchange with what lies beside the clinic, or with what is wanted of that. Once it is settled, an error does not say
/// that nothing was done.
async fn made(
    admin: &mut PgConnection,
    places: Places<'_>,
    clinic: Uuid,
    wanted: Option<Restored>,
    is_settled: &mut bool,
) -> Result<Swapped, LifeError> {
    let mut control = admin.begin().await?;
    let clinic = Clinic::of(&mut control, clinic).await?;
    clinic.must_not_be_moving(&mut control).await?;
    // Somebody else ended what was begun.
    if clinic.cell != MAIN && !is_open(&mut control, clinic.id).await? {
        return Err(LifeError::Locked);
    }
    let mut sides = Sides::of(places, control, &clinic.cell).await?;
    let (control, home) = sides.both();
    let lying = lying_beside(control, home, clinic.id).await?;
    let is_wanted = |lying: &Restored| wanted.as_ref().is_none_or(|wanted| wanted.schema == lying.schema);
    let (restored, aside) = lying.filter(|(lying, _)| is_wanted(lying)).ok_or_else(nothing_lies_beside)?;
    let before = times(sides.control(), &clinic, &aside).await?;
    exchange(&mut sides, &clinic, (&restored, &aside), &before).await?;
    *is_settled = true;
    sides.commit().await?;
    Ok(Swapped { restored, is_live: before.len() % 2 == 0 })
}

/// Whether an exchange was begun of which it is not known whether it was made.
async fn is_open(control: &mut PgConnection, tenant: Uuid) -> Result<bool, sqlx::Error> {
    let newest: Option<String> = sqlx::query_scalar(
        "SELECT kind FROM control.tenant_event WHERE tenant_id = $1 AND kind IN ($2, $3, 'SWAPPED')
         ORDER BY id DESC LIMIT 1",
    )
    .bind(tenant)
    .bind(BEGUN)
    .bind(GIVEN_UP)
    .fetch_optional(control)
    .await?;
    Ok(newest.is_some_and(|kind| kind == BEGUN))
}

/// Refuses a clinic of which it is not known which of its data are live.
pub(super) async fn none_is_open(control: &mut PgConnection, tenant: Uuid) -> Result<(), LifeError> {
    if is_open(control, tenant).await? {
        let why = "an exchange was begun and not ended: `praxis tenant swap` ends it";
        return Err(LifeError::Refused(why.to_owned()));
    }
    Ok(())
}

/// The exchanges with what lies beside that there were, oldest first: the work that waited in what was put aside.
async fn times(
    transaction: &mut PgConnection,
    clinic: &Clinic,
    aside: &SchemaName,
) -> Result<Vec<Value>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT coalesce(detail->'waiting', '[]') FROM control.tenant_event
         WHERE tenant_id = $1 AND kind = 'SWAPPED' AND detail->>'aside' = $2 ORDER BY id",
    )
    .bind(clinic.id)
    .bind(aside.as_str())
    .fetch_all(transaction)
    .await
}

async fn exchange(
    sides: &mut Sides<'_>,
    clinic: &Clinic,
    (restored, other): (&Restored, &SchemaName),
    before: &[Value],
) -> Result<(), LifeError> {
    if clinic.state != "SUSPENDED" && clinic.state != "ARCHIVED" {
        return Err(LifeError::Refused(
            "servers remember what they read: suspend the tenant, swap, and resume it".to_owned(),
        ));
    }
    let live = &clinic.schema;
    let number = before.len() + 1;
    let waiting = match last(sides.home(), other).await? {
        // Killed between the two sides.
        Some(Exchanged { number: made, waiting }) if made == number => waiting,
        _ => {
            let most = may_have(sides.control(), clinic).await?;
            let home = sides.home();
            rename(home, live, other).await?;
            let waiting = json!(waiting(home, live).await?);
            // What the clinic may have is not brought back.
            set_quotas(home, clinic, most).await?;
            // What comes back was put aside by the exchange before.
            wake(home, live, before.last().unwrap_or(&restored.waiting)).await?;
            plan_anew(home, live).await?;
            Exchanged { number, waiting: waiting.clone() }.write(home, other).await?;
            waiting
        }
    };
    let version = schema_version(sides.home(), live.as_str()).await?;
    set_version(sides.control(), clinic.id, version).await?;
    let detail = json!({ "export": restored.manifest.export, "aside": other.as_str(), "waiting": waiting });
    Ok(clinic.note(sides.control(), "SWAPPED", detail).await?)
}

/// Exchanges the names of two schemas.
async fn rename(home: &mut PgConnection, live: &SchemaName, other: &SchemaName) -> Result<(), LifeError> {
    run(home, "SET LOCAL lock_timeout = '10s'".to_owned()).await?;
    let names: Vec<_> = tables(home, live.as_str())
        .await?
        .iter()
        .map(|table| qualified(live.as_str(), &table.name))
        .collect();
    run(home, format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", "))).await?;
    let exchange = format!(
        "ALTER SCHEMA {live} RENAME TO {live}_away; ALTER SCHEMA {other} RENAME TO {live};
         ALTER SCHEMA {live}_away RENAME TO {other}"
    );
    run(home, exchange).await?;
    for schema in [live, other] {
        point_functions(home, schema).await?;
    }
    Ok(())
}

/// The exchange by which a schema was put aside, as it is written at the schema.
#[derive(Serialize, Deserialize)]
struct Exchanged {
    /// The first one is 1.
    number: usize,
    /// The work that waited in what was put aside.
    waiting: Value,
}

impl Exchanged {
    async fn write(&self, home: &mut PgConnection, schema: &SchemaName) -> Result<(), LifeError> {
        let text = serde_json::to_string(self).map_err(|_| LifeError::Malformed("exchange"))?;
        let comment: String = sqlx::query_scalar("SELECT format('COMMENT ON SCHEMA %I IS %L', $1, $2)")
            .bind(schema.as_str())
            .bind(text)
            .fetch_one(&mut *home)
            .await?;
        Ok(run(home, comment).await?)
    }
}

/// By which exchange a schema was put aside last, if it was.
async fn last(home: &mut PgConnection, schema: &SchemaName) -> Result<Option<Exchanged>, sqlx::Error> {
    let comment: Option<String> =
        sqlx::query_scalar("SELECT obj_description(to_regnamespace($1), 'pg_namespace')")
            .bind(schema.as_str())
            .fetch_one(home)
            .await?;
    Ok(comment.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Functions name the schema that they work in; they follow it.
pub(super) async fn point_functions(
    transaction: &mut PgConnection,
    schema: &SchemaName,
) -> Result<(), LifeError> {
    let functions: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1",
    )
    .bind(schema.as_str())
    .fetch_all(&mut *transaction)
    .await?;
    let statements: Vec<_> = functions
        .iter()
        .map(|function| format!("ALTER FUNCTION {function} SET search_path = {schema}"))
        .collect();
    Ok(run(transaction, statements.join("; ")).await?)
}

/// Throws away what lies beside a clinic: what was restored, or what was live before the exchange.
pub async fn discard<'a>(
    admin: &mut PgConnection,
    places: Places<'_>,
    clinic: impl Into<Named<'a>>,
) -> Result<Restored, LifeError> {
    let mut control = admin.begin().await?;
    let clinic = Clinic::of(&mut control, clinic).await?;
    // What lies beside may be what was live before the exchange.
    let held: bool = sqlx::query_scalar("SELECT legal_hold FROM control.tenant WHERE id = $1")
        .bind(clinic.id)
        .fetch_one(&mut *control)
        .await?;
    if held {
        return Err(LifeError::Held);
    }
    clinic.must_not_be_moving(&mut control).await?;
    none_is_open(&mut control, clinic.id).await?;
    let mut sides = Sides::of(places, control, &clinic.cell).await?;
    let (control, home) = sides.both();
    let (restored, schema) = lying_beside(control, home, clinic.id).await?.ok_or_else(nothing_lies_beside)?;
    let drop = format!("SET LOCAL client_min_messages = warning; DROP SCHEMA {schema} CASCADE");
    run(sides.home(), drop).await?;
    clinic.note(sides.control(), "DISCARDED", json!({ "schema": schema.as_str() })).await?;
    sides.commit_told_first().await?;
    Ok(restored)
}
