//! Clinics, as the installation knows them.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use praxis_entity::ids::TenantId;
use praxis_fleet::{
    registry::{self, DomainRecord, EventRecord, TenantFilter, TenantRecord},
    tenant::{self, LifeError, Usage, operation},
};
use uuid::Uuid;

use crate::{
    error::{bad_input, database, life},
    ground::reading,
    operations::Operation,
    page::{Connection, Edge, PageInfo, Paging, cost},
    scalar::{DateTime, Json},
    stored::{OperationMode, QuotaName, Stored, TenantState},
    together::Together,
};

/// The id of a clinic, as it is written.
pub(crate) fn clinic_id(id: &ID) -> Result<Uuid, Error> {
    let id: Option<TenantId> = id.parse().ok();
    id.map(|TenantId(id)| id).ok_or_else(|| bad_input("This is no id of a clinic."))
}

/// A clinic or hospital.
#[derive(Clone)]
pub(crate) struct Tenant {
    row: TenantRecord,
    together: Arc<Together>,
}

/// A clinic or hospital.
#[Object]
impl Tenant {
    /// Its id.
    async fn id(&self) -> ID {
        ID(TenantId(self.row.id).to_string())
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
    async fn state(&self) -> TenantState {
        TenantState::read(&self.row.state)
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

    /// Why its data and keys are kept, where it is under legal hold.
    async fn legal_hold_reason(&self) -> Option<&str> {
        self.row.legal_hold_reason.as_deref()
    }

    /// From when on it can be archived, where it is leaving.
    async fn archivable_at(&self) -> Option<DateTime> {
        self.row.offboard_after.map(DateTime)
    }

    /// What it may ask for and how fast, where that differs from the settings, and what it may have.
    async fn limits(&self) -> Limits {
        Limits {
            operations: self.row.operation_mode.as_deref().map(OperationMode::read),
            points: self.row.rate_points,
            restore: self.row.rate_restore,
            actor_points: self.row.actor_rate_points,
            actor_restore: self.row.actor_rate_restore,
            seats: self.row.max_seats,
            storage_bytes: self.row.max_storage_bytes.map(bytes),
        }
    }

    /// How much it has of what it is limited in; empty while its schema is older than the counting, and null with an error
    /// while its cell is away.
    #[graphql(complexity = "5 + child_complexity")]
    async fn usage(&self, context: &Context<'_>) -> Result<Option<Vec<TenantUsage>>, Error> {
        let rows = self.together.usage(context, self.row.id).await?;
        Ok(Some(rows.into_iter().map(TenantUsage::from).collect()))
    }

    /// Host names of its own.
    #[graphql(complexity = "5 + child_complexity")]
    async fn domains(&self, context: &Context<'_>) -> Result<Vec<Domain>, Error> {
        let rows = self.together.domains(context, self.row.id).await?;
        Ok(rows.into_iter().map(Domain::from).collect())
    }

    /// Long work that was done with it, or is under way: exports, restores, sandboxes, shredding; the newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn operations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Operation>, Error> {
        let paging = Paging::of(first, after)?;
        let rows = match paging.after(|place| place.parse().ok())? {
            None => self.together.operations(context, self.row.id, paging.limit()).await?,
            after => {
                let mut connection = reading(context).await?;
                let filter =
                    operation::Filter { clinics: Some(vec![self.row.id]), ..operation::Filter::default() };
                let rows = operation::newest_first(&mut connection, &filter, after, paging.limit()).await;
                rows.map_err(database)?
            }
        };
        Ok(paging.page(rows.into_iter().map(|row| (row.id.to_string(), row.into()))))
    }

    /// What happened to it as a whole, the newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
    ) -> Result<Connection<TenantEvent>, Error> {
        let paging = Paging::of(first, after)?;
        let rows = match paging.after(|place| place.parse().ok())? {
            None => self.together.events(context, self.row.id, paging.limit()).await?,
            before => {
                let mut connection = reading(context).await?;
                let of = Some(std::slice::from_ref(&self.row.id));
                let rows = registry::events(&mut connection, of, None, before, paging.limit()).await;
                rows.map_err(database)?
            }
        };
        Ok(paging.page(rows.into_iter().map(|row| (row.id.to_string(), row.into()))))
    }

    /// What is left of a clinic that was shredded.
    #[graphql(complexity = "5 + child_complexity")]
    async fn certificate(&self, context: &Context<'_>) -> Result<Option<Certificate>, Error> {
        if self.row.state != "SHREDDED" {
            return Ok(None);
        }
        let mut connection = reading(context).await?;
        match tenant::certificate(&mut connection, self.row.id).await {
            Ok(tenant::Certified { text, public_key, signature }) => {
                Ok(Some(Certificate { text, public_key, signature }))
            }
            // The keys are gone, and the certificate is not yet written.
            Err(LifeError::Refused(_)) => Ok(None),
            Err(error) => Err(life(error)),
        }
    }
}

impl From<TenantRecord> for Tenant {
    fn from(row: TenantRecord) -> Self {
        Self { together: Together::of(vec![row.id]), row }
    }
}

/// What was destroyed, signed by the installation.
#[derive(SimpleObject)]
pub(crate) struct Certificate {
    /// The certificate as JSON, to the byte as it was signed.
    text: String,
    /// The installation's Ed25519 key, in base64.
    public_key: String,
    /// Its signature over `praxis certificate of destruction`, a line feed and the text, in base64.
    signature: String,
}

/// What a clinic may ask for and how fast, and what it may have; null for what the settings say.
#[derive(SimpleObject)]
pub(crate) struct Limits {
    /// Which operations its programs may send.
    operations: Option<OperationMode>,
    /// Points the whole clinic may spend at once.
    points: Option<i32>,
    /// Points it gets back each second.
    restore: Option<i32>,
    /// Points one person may spend at once.
    actor_points: Option<i32>,
    /// Points they get back each second.
    actor_restore: Option<i32>,
    /// Accounts that can sign in; null for as many as there are.
    seats: Option<i32>,
    /// Bytes of documents and of what was imported; null for as many as there are.
    storage_bytes: Option<f64>,
}

#[expect(clippy::cast_precision_loss, reason = "a clinic has far fewer bytes than 2^53")]
fn bytes(number: i64) -> f64 {
    number as f64
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

impl From<Usage> for TenantUsage {
    fn from(row: Usage) -> Self {
        Self { name: QuotaName::read(&row.name), used: bytes(row.used), max: row.most.map(bytes) }
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
#[derive(SimpleObject, Clone)]
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

/// Which clinics are listed.
#[derive(InputObject, Default)]
pub(crate) struct TenantFilterInput {
    /// Only those that stand there.
    state: Option<TenantState>,
    /// Only those whose subdomain or name has this in it.
    search: Option<String>,
    /// Only those whose schema is older than this version.
    below_version: Option<i32>,
    /// Only those of this cell.
    cell: Option<String>,
    /// Only those made from this template.
    template: Option<String>,
    /// Only those that are under legal hold, or only those that are not.
    is_held: Option<bool>,
}

impl From<TenantFilterInput> for TenantFilter {
    fn from(input: TenantFilterInput) -> Self {
        let TenantFilterInput { state, search, below_version, cell, template, is_held } = input;
        let state = state.map(|state| state.code().to_owned());
        Self { state, search, below_version, cell, template, is_held }
    }
}

/// A page of clinics, by subdomain.
pub(crate) struct TenantConnection {
    page: Connection<Tenant>,
    filter: TenantFilter,
}

/// A page of clinics, by subdomain.
#[Object]
impl TenantConnection {
    /// Its rows, each with its cursor.
    async fn edges(&self) -> Vec<Edge<Tenant>> {
        self.page.edges_of()
    }

    /// Its rows.
    async fn nodes(&self) -> Vec<&Tenant> {
        self.page.nodes_of()
    }

    /// Where it lies in its list.
    async fn page_info(&self) -> &PageInfo {
        &self.page.page_info
    }

    /// How many there are in all.
    async fn total_count(&self, context: &Context<'_>) -> Result<i32, Error> {
        let mut connection = reading(context).await?;
        let count = registry::count(&mut connection, &self.filter).await.map_err(database)?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

impl TenantConnection {
    pub(crate) async fn read(
        context: &Context<'_>,
        paging: Paging,
        filter: TenantFilter,
    ) -> Result<Self, Error> {
        let after = paging.after(|slug| Some(slug.to_owned()))?;
        let mut connection = reading(context).await?;
        let rows = registry::tenants(&mut connection, &filter, after.as_deref(), paging.limit()).await;
        let rows = rows.map_err(database)?;
        let together = Together::of(rows.iter().map(|row| row.id).collect());
        let tenant = |row: TenantRecord| (row.slug.clone(), Tenant { row, together: Arc::clone(&together) });
        Ok(Self { page: paging.page(rows.into_iter().map(tenant)), filter })
    }
}
