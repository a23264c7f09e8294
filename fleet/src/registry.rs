//! What the control schema says: which clinics there are, where, at which version, and what was done with them. No PHI.

use chrono::{DateTime, Utc};
use praxis_entity::ids::TenantId;
use serde::{Serialize, Serializer};
use sqlx::{FromRow, postgres::PgConnection};
use uuid::Uuid;

use crate::tenant::Named;

/// A clinic.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct TenantRecord {
    /// Id; told as programs write it.
    #[serde(serialize_with = "public_id")]
    pub id: Uuid,
    /// Subdomain.
    pub slug: String,
    /// Name as shown.
    pub display_name: String,
    /// Where it stands, such as `ACTIVE`.
    pub state: String,
    /// Since when.
    pub state_since: DateTime<Utc>,
    /// Which cell holds it.
    pub cell_id: String,
    /// Number of steps applied to its schema.
    pub schema_version: i32,
    /// The oldest build that can serve it.
    pub oldest_build: i32,
    /// What it was made from.
    pub template: String,
    /// In which version.
    pub template_version: String,
    /// BCP 47 locale.
    pub locale: String,
    /// IANA zone.
    pub time_zone: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Why it is kept, where it is under legal hold.
    pub legal_hold_reason: Option<String>,
    /// When its grace is over, where it is leaving.
    pub offboard_after: Option<DateTime<Utc>>,
    /// Which operations it may send, where it differs from the settings.
    pub operation_mode: Option<String>,
    /// Points the whole clinic may spend at once, where it differs.
    pub rate_points: Option<i32>,
    /// Points it gets back each second.
    pub rate_restore: Option<i32>,
    /// Points one person may spend at once.
    pub actor_rate_points: Option<i32>,
    /// Points they get back each second.
    pub actor_rate_restore: Option<i32>,
    /// Accounts that can sign in; `None` for any number.
    pub max_seats: Option<i32>,
    /// Bytes of documents and of what was imported; `None` for any number.
    pub max_storage_bytes: Option<i64>,
}

fn public_id<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&TenantId(*id))
}

/// Which clinics.
#[derive(Debug, Clone, Default)]
pub struct TenantFilter {
    /// Only of this state.
    pub state: Option<String>,
    /// Only those whose slug or name has this in it.
    pub search: Option<String>,
    /// Only those whose schema is older than this version.
    pub below_version: Option<i32>,
    /// Only those of this cell.
    pub cell: Option<String>,
    /// Only those made from this template.
    pub template: Option<String>,
    /// Only those that are under legal hold, or that are not.
    pub is_held: Option<bool>,
}

const WHERE: &str = "($1::text IS NULL OR state = $1)
    AND ($2::text IS NULL OR strpos(slug, lower($2)) > 0 OR strpos(lower(display_name), lower($2)) > 0)
    AND ($3::integer IS NULL OR schema_version < $3) AND ($4::text IS NULL OR cell_id = $4)
    AND ($5::text IS NULL OR template = $5) AND ($6::boolean IS NULL OR legal_hold = $6)";
const TENANT: &str =
    "id, slug, display_name, state, state_since, cell_id, schema_version, oldest_build, template,
    template_version, locale, time_zone, created_at, legal_hold_reason, offboard_after, operation_mode, rate_points,
    rate_restore, actor_rate_points, actor_rate_restore, max_seats, max_storage_bytes";

/// So many clinics after a slug, by slug.
pub async fn tenants(
    connection: &mut PgConnection,
    filter: &TenantFilter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<TenantRecord>, sqlx::Error> {
    let sql = format!(
        "SELECT {TENANT} FROM control.tenant WHERE {WHERE} AND ($7::text IS NULL OR slug > $7) ORDER BY slug LIMIT $8"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(&filter.state)
        .bind(&filter.search)
        .bind(filter.below_version)
        .bind(&filter.cell)
        .bind(&filter.template)
        .bind(filter.is_held)
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await
}

/// How many clinics there are.
pub async fn count(connection: &mut PgConnection, filter: &TenantFilter) -> Result<i64, sqlx::Error> {
    let sql = format!("SELECT count(*) FROM control.tenant WHERE {WHERE}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(&filter.state)
        .bind(&filter.search)
        .bind(filter.below_version)
        .bind(&filter.cell)
        .bind(&filter.template)
        .bind(filter.is_held)
        .fetch_one(connection)
        .await
}

/// A clinic.
pub async fn tenant<'a>(
    connection: &mut PgConnection,
    named: impl Into<Named<'a>>,
) -> Result<Option<TenantRecord>, sqlx::Error> {
    let (slug, id) = match named.into() {
        Named::Slug(slug) => (Some(slug), None),
        Named::Id(id) => (None, Some(id)),
    };
    let sql = format!("SELECT {TENANT} FROM control.tenant WHERE slug = $1 OR id = $2");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(slug).bind(id).fetch_optional(connection).await
}

/// A host name of a clinic's own.
#[derive(Debug, Clone, FromRow)]
pub struct DomainRecord {
    /// Whose.
    pub tenant_id: Uuid,
    /// The name.
    pub host: String,
    /// When the clinic proved that it is theirs; until then it leads nowhere.
    pub verified_at: Option<DateTime<Utc>>,
}

/// The host names of some clinics.
pub async fn domains(
    connection: &mut PgConnection,
    tenants: &[Uuid],
) -> Result<Vec<DomainRecord>, sqlx::Error> {
    let sql = "SELECT tenant_id, host, verified_at FROM control.tenant_domain WHERE tenant_id = ANY($1) ORDER BY host";
    sqlx::query_as(sql).bind(tenants).fetch_all(connection).await
}

/// Something that happened to a clinic as a whole.
#[derive(Debug, Clone, FromRow)]
pub struct EventRecord {
    /// Its place among all of them.
    pub id: i64,
    /// To which.
    pub tenant_id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// What, such as `PROVISIONED`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// More about it.
    pub detail: serde_json::Value,
}

/// The latest events before one, the newest first: so many of each of some clinics, or of all of them together; all, or
/// those of one actor.
pub async fn events(
    connection: &mut PgConnection,
    tenants: Option<&[Uuid]>,
    actor: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<EventRecord>, sqlx::Error> {
    let latest = "(SELECT id, tenant_id, at, kind, actor, detail FROM control.tenant_event
        WHERE ($3::text IS NULL OR actor = $3) AND ($4::bigint IS NULL OR id < $4)";
    let sql = match tenants {
        Some(_) => format!(
            "SELECT e.* FROM unnest($1::uuid[]) AS t (id)
             CROSS JOIN LATERAL {latest} AND tenant_id = t.id ORDER BY id DESC LIMIT $2) AS e ORDER BY e.id DESC"
        ),
        None => format!("SELECT * FROM {latest} AND $1::uuid[] IS NULL ORDER BY id DESC LIMIT $2) AS e ORDER BY id DESC"),
    };
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(tenants)
        .bind(limit)
        .bind(actor)
        .bind(before)
        .fetch_all(connection)
        .await
}

/// Something that happened to an operator's account.
#[derive(Debug, Clone, FromRow)]
pub struct OperatorEventRecord {
    /// Its place among all of them.
    pub id: i64,
    /// The account's address.
    pub email: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What, such as `SIGNED_IN`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// From where.
    pub source_address: Option<String>,
    /// More about it.
    pub detail: serde_json::Value,
}

/// What happened to operators' accounts before an event, the newest first; to all, or to the one of an address.
pub async fn operator_events(
    connection: &mut PgConnection,
    email: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<OperatorEventRecord>, sqlx::Error> {
    let sql = "SELECT e.id, o.email, e.at, e.kind, e.actor, e.source_address, e.detail
        FROM control.operator_event e JOIN control.operator o ON o.id = e.operator_id
        WHERE ($1::text IS NULL OR o.email = $1) AND ($2::bigint IS NULL OR e.id < $2) ORDER BY e.id DESC LIMIT $3";
    sqlx::query_as(sql).bind(email).bind(before).bind(limit).fetch_all(connection).await
}

/// A Postgres that holds clinics.
#[derive(Debug, Clone, FromRow)]
pub struct CellRecord {
    /// Its name.
    pub id: String,
    /// `active`, `draining` or `sandbox`.
    pub role: String,
    /// Clinics that it may hold.
    pub max_tenants: i32,
    /// Clinics that it holds.
    pub tenants: i64,
}

/// All cells.
pub async fn cells(connection: &mut PgConnection) -> Result<Vec<CellRecord>, sqlx::Error> {
    let sql = "SELECT c.id, c.role, c.max_tenants,
            (SELECT count(*) FROM control.tenant t WHERE t.cell_id = c.id AND t.state <> 'SHREDDED') AS tenants
        FROM control.cell c ORDER BY c.id";
    sqlx::query_as(sql).fetch_all(connection).await
}

/// How many clinics are at a version.
#[derive(Debug, Clone, FromRow)]
pub struct VersionRecord {
    /// The version.
    pub version: i32,
    /// How many.
    pub tenants: i64,
}

/// How many clinics are at which version.
pub async fn versions(connection: &mut PgConnection) -> Result<Vec<VersionRecord>, sqlx::Error> {
    let sql =
        "SELECT schema_version AS version, count(*) AS tenants FROM control.tenant WHERE state <> 'SHREDDED'
        GROUP BY 1 ORDER BY 1";
    sqlx::query_as(sql).fetch_all(connection).await
}

/// A server that said lately that it is there.
#[derive(Debug, Clone, FromRow)]
pub struct ServerRecord {
    /// Id, new with each start.
    pub id: Uuid,
    /// The newest step of a clinic's schema that it knows.
    pub build: i32,
    /// Since when it is there.
    pub started_at: DateTime<Utc>,
    /// When it last said so.
    pub seen_at: DateTime<Utc>,
}

/// The servers that were heard of within half a minute.
pub async fn servers(connection: &mut PgConnection) -> Result<Vec<ServerRecord>, sqlx::Error> {
    let sql = "SELECT id, build, started_at, seen_at FROM control.server
        WHERE seen_at > now() - interval '30 seconds' ORDER BY started_at, id";
    sqlx::query_as(sql).fetch_all(connection).await
}

/// A run of migrations.
#[derive(Debug, Clone, FromRow)]
pub struct RunRecord {
    /// Id.
    pub id: Uuid,
    /// `RUNNING`, `DONE`, `PARTIAL` or `FAILED`.
    pub state: String,
    /// The version that it was for.
    pub target_version: i32,
    /// In which order, such as `canary:5,rest`.
    pub waves: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Clinics that it was about.
    pub tenants: i64,
    /// Clinics that got there.
    pub done: i64,
    /// Clinics that could not be migrated.
    pub failed: i64,
}

/// The latest runs before one, the newest first; or the one of an id.
pub async fn runs(
    connection: &mut PgConnection,
    id: Option<Uuid>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<RunRecord>, sqlx::Error> {
    let sql = "SELECT r.id, r.state, r.target_version, r.waves, r.started_at, r.finished_at, i.tenants, i.done, i.failed
        FROM control.migration_run r CROSS JOIN LATERAL (
            SELECT count(*) AS tenants, count(*) FILTER (WHERE state = 'DONE') AS done, count(*) FILTER (WHERE state = 'FAILED') AS failed
            FROM control.migration_run_item WHERE run_id = r.id) AS i
        WHERE ($1::uuid IS NULL OR r.id = $1) AND ($2::uuid IS NULL OR r.id < $2) ORDER BY r.id DESC LIMIT $3";
    sqlx::query_as(sql).bind(id).bind(before).bind(limit).fetch_all(connection).await
}

/// How a run went for a clinic.
#[derive(Debug, Clone, FromRow)]
pub struct RunItemRecord {
    /// The clinic's subdomain.
    pub tenant: String,
    /// In which wave, from 1 on.
    pub wave: i32,
    /// The version it was at.
    pub from_version: i32,
    /// `PENDING`, `DONE` or `FAILED`.
    pub state: String,
    /// How often the step was tried that was tried most often.
    pub attempts: i32,
    /// How long it took.
    pub duration_ms: Option<i32>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The clinics of a run after a wave and slug, all or those of a state, by wave and slug.
pub async fn run_items(
    connection: &mut PgConnection,
    run: Uuid,
    state: Option<&str>,
    after: Option<(i32, String)>,
    limit: i64,
) -> Result<Vec<RunItemRecord>, sqlx::Error> {
    let sql = "SELECT t.slug AS tenant, i.wave, i.from_version, i.state, i.attempts, i.duration_ms, i.error
        FROM control.migration_run_item i JOIN control.tenant t ON t.id = i.tenant_id
        WHERE i.run_id = $1 AND ($2::text IS NULL OR i.state = $2)
            AND ($3::integer IS NULL OR (i.wave, t.slug) > ($3, $4)) ORDER BY i.wave, t.slug LIMIT $5";
    let (wave, slug) = after.unzip();
    sqlx::query_as(sql).bind(run).bind(state).bind(wave).bind(slug).bind(limit).fetch_all(connection).await
}

/// The version of the control schema.
pub async fn control_version(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM control.migration").fetch_one(connection).await
}
