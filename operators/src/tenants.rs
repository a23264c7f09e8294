//! Clinics, as the installation knows them.

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};
use data_encoding::BASE64URL_NOPAD;
use praxis_fleet::{
    registry::{self, DomainRecord, EventRecord, TenantFilter, TenantRecord},
    tenant::{self as life, operation},
};

use crate::{
    page::{PageInfo, size},
    plane::{Ground, coded, unavailable},
    scalar::{DateTime, Json},
};

/// Where a clinic stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TenantState {
    /// Being made.
    Provisioning,
    /// Served.
    Active,
    /// Served; payment is late.
    PastDue,
    /// Not served.
    Suspended,
    /// Read-only; payment is long overdue.
    Locked,
    /// Leaving.
    Offboarding,
    /// Kept, not served.
    Archived,
    /// Keys destroyed.
    Shredded,
}

const STATES: [(TenantState, &str); 8] = [
    (TenantState::Provisioning, "PROVISIONING"),
    (TenantState::Active, "ACTIVE"),
    (TenantState::PastDue, "PAST_DUE"),
    (TenantState::Suspended, "SUSPENDED"),
    (TenantState::Locked, "LOCKED"),
    (TenantState::Offboarding, "OFFBOARDING"),
    (TenantState::Archived, "ARCHIVED"),
    (TenantState::Shredded, "SHREDDED"),
];

impl TenantState {
    fn code(self) -> Option<&'static str> {
        STATES.iter().find(|(state, _)| *state == self).map(|(_, code)| *code)
    }

    fn read(code: &str) -> Option<Self> {
        STATES.iter().find(|(_, stored)| *stored == code).map(|(state, _)| *state)
    }
}

/// A clinic or hospital.
pub(crate) struct Tenant {
    row: TenantRecord,
}

/// A clinic or hospital.
#[Object]
impl Tenant {
    /// Its id.
    async fn id(&self) -> ID {
        ID(self.row.id.to_string())
    }

    /// Its subdomain.
    async fn slug(&self) -> &str {
        &self.row.slug
    }

    /// Its name as shown.
    async fn display_name(&self) -> &str {
        &self.row.display_name
    }

    /// Where it stands.
    async fn state(&self) -> Result<TenantState, Error> {
        TenantState::read(&self.row.state).ok_or_else(|| unavailable("a state that is not known"))
    }

    /// Since when it stands there.
    async fn state_since(&self) -> DateTime {
        DateTime(self.row.state_since)
    }

    /// The cell that holds it.
    async fn cell_id(&self) -> &str {
        &self.row.cell_id
    }

    /// How many steps were applied to its schema.
    async fn schema_version(&self) -> i32 {
        self.row.schema_version
    }

    /// The oldest build that can serve it, by the number of steps that build knows; 0 for any.
    async fn oldest_build(&self) -> i32 {
        self.row.oldest_build
    }

    /// The template that it was made from.
    async fn template(&self) -> &str {
        &self.row.template
    }

    /// The version of that template.
    async fn template_version(&self) -> &str {
        &self.row.template_version
    }

    /// BCP 47 locale.
    async fn locale(&self) -> &str {
        &self.row.locale
    }

    /// IANA time zone.
    async fn time_zone(&self) -> &str {
        &self.row.time_zone
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// How much it has of what it is limited in; empty while its schema is older than the counting.
    #[graphql(complexity = "5 + child_complexity")]
    async fn usage(&self, context: &Context<'_>) -> Result<Vec<TenantUsage>, Error> {
        let mut connection = context.data::<Ground>()?.connect().await?;
        let rows = life::usage(&mut connection, &self.row.slug).await.map_err(unavailable)?;
        rows.into_iter().map(TenantUsage::read).collect()
    }

    /// Host names of its own.
    #[graphql(complexity = "5 + child_complexity")]
    async fn domains(&self, context: &Context<'_>) -> Result<Vec<Domain>, Error> {
        let mut connection = context.data::<Ground>()?.connect().await?;
        let rows = registry::domains(&mut connection, &[self.row.id]).await.map_err(unavailable)?;
        Ok(rows.into_iter().map(Domain::from).collect())
    }

    /// Long work that was done with it, or is under way: exports, restores, sandboxes, shredding; the oldest first.
    #[graphql(complexity = "5 + child_complexity")]
    async fn operations(&self, context: &Context<'_>) -> Result<Vec<Operation>, Error> {
        let mut connection = context.data::<Ground>()?.connect().await?;
        let rows = operation::list(&mut connection, Some(&self.row.slug)).await.map_err(unavailable)?;
        Ok(rows.into_iter().map(Operation::from).collect())
    }

    /// What happened to it as a whole, the newest first.
    #[graphql(complexity = "5 + child_complexity")]
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 200; 25 unless said otherwise.")] first: Option<i32>,
    ) -> Result<Vec<TenantEvent>, Error> {
        let mut connection = context.data::<Ground>()?.connect().await?;
        let rows = registry::events(&mut connection, self.row.id, size(first)?).await.map_err(unavailable)?;
        Ok(rows.into_iter().map(TenantEvent::from).collect())
    }
}

impl From<TenantRecord> for Tenant {
    fn from(row: TenantRecord) -> Self {
        Self { row }
    }
}

/// What a clinic is limited in.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuotaName {
    /// Accounts that can sign in.
    Seats,
    /// Bytes of documents, their versions, and what was imported.
    Storage,
}

/// How much a clinic has of something.
#[derive(SimpleObject)]
pub(crate) struct TenantUsage {
    /// Of what.
    name: QuotaName,
    /// How much it has.
    used: f64,
    /// How much it may have; null for as much as there is.
    max: Option<f64>,
}

impl TenantUsage {
    #[expect(clippy::cast_precision_loss, reason = "a clinic has far fewer bytes than 2^52")]
    fn read(row: life::Usage) -> Result<Self, Error> {
        let name = match row.name.as_str() {
            "SEATS" => QuotaName::Seats,
            "STORAGE" => QuotaName::Storage,
            _ => return Err(unavailable("a quota that is not known")),
        };
        Ok(Self { name, used: row.used as f64, max: row.most.map(|most| most as f64) })
    }
}

/// A host name of a clinic's own.
#[derive(SimpleObject)]
pub(crate) struct Domain {
    /// The name.
    host: String,
    /// When the clinic proved that it is theirs; until then it leads nowhere.
    verified_at: Option<DateTime>,
}

impl From<DomainRecord> for Domain {
    fn from(row: DomainRecord) -> Self {
        Self { host: row.host, verified_at: row.verified_at.map(DateTime) }
    }
}

/// Something that happened to a clinic as a whole.
#[derive(SimpleObject)]
pub(crate) struct TenantEvent {
    /// When.
    at: DateTime,
    /// What, such as `PROVISIONED`.
    kind: String,
    /// Who did it: an operator's address, or a role of the database.
    actor: String,
    /// More about it; nothing of a patient.
    detail: Json,
}

impl From<EventRecord> for TenantEvent {
    fn from(row: EventRecord) -> Self {
        Self { at: DateTime(row.at), kind: row.kind, actor: row.actor, detail: Json(row.detail) }
    }
}

/// Long work on a clinic.
#[derive(SimpleObject)]
pub(crate) struct Operation {
    /// Its id.
    id: ID,
    /// What it is about, such as `EXPORT`.
    kind: String,
    /// `PENDING`, `RUNNING`, `DONE` or `FAILED`. One that was killed stays `RUNNING` until it is taken up.
    state: String,
    /// What it is at.
    step: Option<String>,
    /// How many rows are done.
    progress: f64,
    /// How often it was begun.
    attempts: i32,
    /// What came of it; nothing of a patient.
    detail: Json,
    /// Why it failed.
    error: Option<String>,
    /// Who asked for it.
    actor: String,
    /// When it was asked for.
    created_at: DateTime,
    /// When it ended.
    finished_at: Option<DateTime>,
}

impl From<operation::Operation> for Operation {
    #[expect(clippy::cast_precision_loss, reason = "rows of a clinic are far fewer than 2^52")]
    fn from(row: operation::Operation) -> Self {
        Self {
            id: ID(row.id.to_string()),
            kind: row.kind,
            state: row.state,
            step: row.step,
            progress: row.progress as f64,
            attempts: row.attempts,
            detail: Json(row.detail),
            error: row.error,
            actor: row.actor,
            created_at: DateTime(row.created_at),
            finished_at: row.finished_at.map(DateTime),
        }
    }
}

/// A page of clinics, by slug.
#[derive(SimpleObject)]
pub(crate) struct TenantConnection {
    /// The clinics.
    nodes: Vec<Tenant>,
    /// Where the page lies.
    page_info: PageInfo,
    /// How many there are in all.
    total_count: i32,
}

impl TenantConnection {
    pub(crate) async fn read(
        ground: &Ground,
        first: Option<i32>,
        after: Option<String>,
        state: Option<TenantState>,
        search: Option<String>,
        below_version: Option<i32>,
    ) -> Result<Self, Error> {
        let size = size(first)?;
        let after = after.map(|cursor| opened(&cursor)).transpose()?;
        let search = search.filter(|search| !search.contains('\0'));
        let filter = TenantFilter {
            state: state.and_then(TenantState::code).map(str::to_owned),
            search,
            below_version,
        };
        let mut connection = ground.connect().await?;
        let mut rows = registry::tenants(&mut connection, &filter, after.as_deref(), size + 1)
            .await
            .map_err(unavailable)?;
        let count = registry::count(&mut connection, &filter).await.map_err(unavailable)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let has_next_page = rows.len() > size;
        rows.truncate(size);
        let end_cursor = rows.last().map(|row| BASE64URL_NOPAD.encode(row.slug.as_bytes()));
        Ok(Self {
            nodes: rows.into_iter().map(Tenant::from).collect(),
            page_info: PageInfo { has_next_page, end_cursor },
            total_count: i32::try_from(count).unwrap_or(i32::MAX),
        })
    }
}

fn opened(cursor: &str) -> Result<String, Error> {
    let slug = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    slug.filter(|slug| !slug.contains('\0'))
        .ok_or_else(|| coded("This cursor does not belong to this list.", "BAD_USER_INPUT"))
}
