//! What operators can ask.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use praxis_fleet::{operators::Operator, registry};
use praxis_platform::template::Source;

use crate::{
    fleet::{Cell, Fleet, MigrationPlan},
    page::size,
    plane::{Ground, unavailable},
    runs::MigrationRun,
    tenants::{Tenant, TenantConnection, TenantState},
};

/// What operators can ask.
pub(crate) struct Query;

/// Who asks.
#[derive(SimpleObject)]
pub(crate) struct Viewer {
    /// The operator's address.
    email: String,
    /// Their name as shown.
    display_name: String,
}

#[Object]
impl Query {
    /// Who asks.
    async fn viewer(&self, context: &Context<'_>) -> Result<Viewer, Error> {
        let operator = context.data::<Operator>()?;
        Ok(Viewer { email: operator.email.clone(), display_name: operator.display_name.clone() })
    }

    /// The clinic of a subdomain; null when there is none.
    async fn tenant(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its subdomain.")] slug: String,
    ) -> Result<Option<Tenant>, Error> {
        if slug.contains('\0') {
            return Ok(None);
        }
        let mut connection = context.data::<Ground>()?.connect().await?;
        Ok(registry::tenant(&mut connection, &slug).await.map_err(unavailable)?.map(Tenant::from))
    }

    /// Clinics, by subdomain.
    #[graphql(complexity = "first.unwrap_or(25).clamp(1, 200) as usize / 10 + child_complexity")]
    async fn tenants(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 200; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those that stand there.")] state: Option<TenantState>,
        #[graphql(desc = "Only those whose subdomain or name has this in it.")] search: Option<String>,
        #[graphql(desc = "Only those whose schema is older than this version.")] below_version: Option<i32>,
    ) -> Result<TenantConnection, Error> {
        TenantConnection::read(context.data::<Ground>()?, first, after, state, search, below_version).await
    }

    /// All cells.
    async fn cells(&self, context: &Context<'_>) -> Result<Vec<Cell>, Error> {
        let mut connection = context.data::<Ground>()?.connect().await?;
        let rows = registry::cells(&mut connection).await.map_err(unavailable)?;
        Ok(rows.into_iter().map(Cell::from).collect())
    }

    /// Where the schemas are, and which servers are there.
    async fn fleet(&self, context: &Context<'_>) -> Result<Fleet, Error> {
        Fleet::read(context.data::<Ground>()?).await
    }

    /// What `praxis migrate up` of this build would do.
    async fn migration_plan(&self, context: &Context<'_>) -> Result<MigrationPlan, Error> {
        MigrationPlan::read(context.data::<Ground>()?).await
    }

    /// Runs of migrations, the newest first.
    async fn migration_runs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 200; 25 unless said otherwise.")] first: Option<i32>,
    ) -> Result<Vec<MigrationRun>, Error> {
        let mut connection = context.data::<Ground>()?.connect().await?;
        let rows = registry::runs(&mut connection, None, size(first)?).await.map_err(unavailable)?;
        Ok(rows.into_iter().map(MigrationRun::from).collect())
    }

    /// One run of migrations; null when there is none of that id.
    async fn migration_run(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<MigrationRun>, Error> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let mut connection = context.data::<Ground>()?.connect().await?;
        let rows = registry::runs(&mut connection, Some(id), 1).await.map_err(unavailable)?;
        Ok(rows.into_iter().next().map(MigrationRun::from))
    }

    /// Names of the templates that clinics can be made from.
    async fn templates(&self) -> Vec<String> {
        Source::shipped().names().into_iter().map(str::to_owned).collect()
    }
}
