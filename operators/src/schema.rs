//! What operators can ask.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use praxis_fleet::{
    operators::{self, Right as Held, Session},
    registry,
    tenant::operation,
};
use praxis_platform::template::Source;
use uuid::Uuid;

use crate::{
    error::{bad_input, database},
    fleet::{Cell, Fleet, MigrationPlan, Pool},
    ground::{Ground, holder, reading},
    operations::Operation,
    page::{Connection, Paging, cost},
    people::{Operator, OperatorEvent, Right},
    runs::MigrationRun,
    scalar::DateTime,
    stored::{OperationKind, OperationState, Stored},
    tenants::{Tenant, TenantConnection, TenantEvent, TenantFilterInput, clinic_id},
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
    /// What they may do.
    rights: Vec<Right>,
    /// When their session ends at the latest.
    session_ends_at: DateTime,
    /// They showed their password within the last five minutes.
    is_proved: bool,
}

#[Object]
impl Query {
    /// Who asks.
    async fn viewer(&self, context: &Context<'_>) -> Result<Viewer, Error> {
        let Session { operator, expires_at, is_proved } = context.data::<Session>()?;
        Ok(Viewer {
            email: operator.email.clone(),
            display_name: operator.display_name.clone(),
            rights: operator.rights.iter().map(Right::from).collect(),
            session_ends_at: DateTime(*expires_at),
            is_proved: *is_proved,
        })
    }

    /// The clinic of an id, or of a subdomain; null when there is none.
    async fn tenant(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: Option<ID>,
        #[graphql(desc = "Its subdomain, which may have been another's before.")] slug: Option<String>,
    ) -> Result<Option<Tenant>, Error> {
        let mut connection = reading(context).await?;
        let found = match (id, slug) {
            (Some(id), None) => registry::tenant(&mut connection, clinic_id(&id)?).await,
            (None, Some(slug)) => registry::tenant(&mut connection, &slug).await,
            _ => return Err(bad_input("Give either the id or the slug.")),
        };
        Ok(found.map_err(database)?.map(Tenant::from))
    }

    /// Clinics, by subdomain.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn tenants(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Which ones.")] filter: Option<TenantFilterInput>,
    ) -> Result<TenantConnection, Error> {
        let filter = filter.unwrap_or_default().into();
        TenantConnection::read(context, Paging::of(first, after)?, filter).await
    }

    /// What happened to clinics as a whole, the newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn tenant_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what this operator, or login on the database, did.")] actor: Option<String>,
    ) -> Result<Connection<TenantEvent>, Error> {
        let paging = Paging::of(first, after)?;
        let before = paging.after(|place| place.parse().ok())?;
        let mut connection = reading(context).await?;
        let rows = registry::events(&mut connection, None, actor.as_deref(), before, paging.limit()).await;
        let rows = rows.map_err(database)?.into_iter();
        Ok(paging.page(rows.map(|row| (row.id.to_string(), row.into()))))
    }

    /// Long work on clinics and on the installation, the newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn operations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those that are so far.")] state: Option<OperationState>,
        #[graphql(desc = "Only those of this kind.")] kind: Option<OperationKind>,
    ) -> Result<Connection<Operation>, Error> {
        let paging = Paging::of(first, after)?;
        let filter = operation::Filter {
            state: state.map(OperationState::code),
            kind: kind.map(OperationKind::code),
            ..operation::Filter::default()
        };
        let after = paging.after(|place| place.parse().ok())?;
        let mut connection = reading(context).await?;
        let rows = operation::newest_first(&mut connection, &filter, after, paging.limit()).await;
        let rows = rows.map_err(database)?.into_iter();
        Ok(paging.page(rows.map(|row| (row.id.to_string(), row.into()))))
    }

    /// One operation; null when there is none of that id.
    async fn operation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<Operation>, Error> {
        let filter = operation::Filter { id: Some(uuid(&id)?), ..operation::Filter::default() };
        let mut connection = reading(context).await?;
        let rows = operation::newest_first(&mut connection, &filter, None, 1).await.map_err(database)?;
        Ok(rows.into_iter().next().map(Operation::from))
    }

    /// All cells.
    async fn cells(&self, context: &Context<'_>) -> Result<Vec<Cell>, Error> {
        let mut connection = reading(context).await?;
        let rows = registry::cells(&mut connection).await.map_err(database)?;
        let cells = &context.data::<Ground>()?.cells;
        Ok(rows.into_iter().map(|row| Cell::of(row, cells)).collect())
    }

    /// Where the schemas are, and which servers are there.
    async fn fleet(&self, context: &Context<'_>) -> Result<Fleet, Error> {
        Fleet::read(context).await
    }

    /// Schemas made ahead of need.
    async fn pool(&self, context: &Context<'_>) -> Result<Pool, Error> {
        Pool::read(context).await
    }

    /// What `praxis migrate up` of this build would do.
    #[graphql(complexity = "100 + child_complexity")]
    async fn migration_plan(&self, context: &Context<'_>) -> Result<MigrationPlan, Error> {
        MigrationPlan::read(context).await
    }

    /// Runs of migrations, the newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn migration_runs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
    ) -> Result<Connection<MigrationRun>, Error> {
        let paging = Paging::of(first, after)?;
        let before = paging.after(|place| place.parse().ok())?;
        let mut connection = reading(context).await?;
        let rows = registry::runs(&mut connection, None, before, paging.limit()).await.map_err(database)?;
        Ok(paging.page(rows.into_iter().map(|row| (row.id.to_string(), row.into()))))
    }

    /// One run of migrations; null when there is none of that id.
    async fn migration_run(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<MigrationRun>, Error> {
        let id = uuid(&id)?;
        let mut connection = reading(context).await?;
        let rows = registry::runs(&mut connection, Some(id), None, 1).await.map_err(database)?;
        Ok(rows.into_iter().next().map(MigrationRun::from))
    }

    /// Names of the templates that clinics can be made from.
    async fn templates(&self, context: &Context<'_>) -> Result<Vec<String>, Error> {
        holder(context, Held::Read)?;
        Ok(Source::shipped().names().into_iter().map(str::to_owned).collect())
    }

    /// Those who run the installation, by address.
    #[graphql(complexity = "25 * child_complexity")]
    async fn operators(&self, context: &Context<'_>) -> Result<Vec<Operator>, Error> {
        let mut connection = reading(context).await?;
        let rows = operators::list(&mut connection).await.map_err(database)?;
        Ok(rows.into_iter().map(Operator::from).collect())
    }

    /// Who signed in from where, and what became of accounts; the newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn operator_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only of the account of this address.")] email: Option<String>,
    ) -> Result<Connection<OperatorEvent>, Error> {
        let paging = Paging::of(first, after)?;
        let before = paging.after(|place| place.parse().ok())?;
        let mut connection = reading(context).await?;
        let rows = registry::operator_events(&mut connection, email.as_deref(), before, paging.limit()).await;
        let rows = rows.map_err(database)?.into_iter();
        Ok(paging.page(rows.map(|row| (row.id.to_string(), row.into()))))
    }
}

fn uuid(id: &ID) -> Result<Uuid, Error> {
    id.parse().map_err(|_| bad_input("This is no id."))
}
