//! What is asked of each clinic of a page is read once for all of them, however many there are.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Error};
use praxis_fleet::{
    registry::{self, DomainRecord, EventRecord},
    tenant::{self, Operation, Usage, operation},
};
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;

use crate::{
    error::{cell_away, database},
    ground::{Ground, reading},
};

type OfClinics<T> = Result<HashMap<Uuid, Vec<T>>, Error>;
/// What was found, and the clinics whose cell could not be asked.
type UsageByClinic = (HashMap<Uuid, Vec<Usage>>, Vec<Uuid>);
/// By how many rows are wanted of each clinic.
type BySize<T> = Mutex<HashMap<i64, Arc<OnceCell<OfClinics<T>>>>>;

/// The clinics of a page.
pub(crate) struct Together {
    clinics: Vec<Uuid>,
    domains: OnceCell<OfClinics<DomainRecord>>,
    usage: OnceCell<Result<UsageByClinic, Error>>,
    events: BySize<EventRecord>,
    operations: BySize<Operation>,
}

impl Together {
    pub(crate) fn of(clinics: Vec<Uuid>) -> Arc<Self> {
        Arc::new(Self {
            clinics,
            domains: OnceCell::new(),
            usage: OnceCell::new(),
            events: BySize::default(),
            operations: BySize::default(),
        })
    }

    /// The host names of one of them.
    pub(crate) async fn domains(
        &self,
        context: &Context<'_>,
        clinic: Uuid,
    ) -> Result<Vec<DomainRecord>, Error> {
        let read = async || {
            let mut connection = reading(context).await?;
            let rows = registry::domains(&mut connection, &self.clinics).await.map_err(database)?;
            Ok(shared_out(rows, |row| Some(row.tenant_id)))
        };
        of(self.domains.get_or_init(read).await, clinic)
    }

    /// How much one of them has.
    pub(crate) async fn usage(&self, context: &Context<'_>, clinic: Uuid) -> Result<Vec<Usage>, Error> {
        let read = async || {
            let mut connection = reading(context).await?;
            let cells = &context.data::<Ground>()?.cells;
            let found = tenant::usage(&mut connection, cells, &self.clinics).await.map_err(database)?;
            Ok((shared_out(found.rows, |row| Some(row.tenant_id)), found.away))
        };
        let (rows, away) = self.usage.get_or_init(read).await.as_ref().map_err(Clone::clone)?;
        if away.contains(&clinic) {
            return Err(cell_away());
        }
        Ok(rows.get(&clinic).cloned().unwrap_or_default())
    }

    /// The latest events of one of them.
    pub(crate) async fn events(
        &self,
        context: &Context<'_>,
        clinic: Uuid,
        limit: i64,
    ) -> Result<Vec<EventRecord>, Error> {
        let read = async || {
            let mut connection = reading(context).await?;
            let of = Some(self.clinics.as_slice());
            let rows = registry::events(&mut connection, of, None, None, limit).await.map_err(database)?;
            Ok(shared_out(rows, |row| Some(row.tenant_id)))
        };
        of(cell(&self.events, limit).await.get_or_init(read).await, clinic)
    }

    /// The latest operations of one of them.
    pub(crate) async fn operations(
        &self,
        context: &Context<'_>,
        clinic: Uuid,
        limit: i64,
    ) -> Result<Vec<Operation>, Error> {
        let read = async || {
            let mut connection = reading(context).await?;
            let filter =
                operation::Filter { clinics: Some(self.clinics.clone()), ..operation::Filter::default() };
            let rows = operation::newest_first(&mut connection, &filter, None, limit).await;
            Ok(shared_out(rows.map_err(database)?, |row| row.tenant_id))
        };
        of(cell(&self.operations, limit).await.get_or_init(read).await, clinic)
    }
}

async fn cell<T>(cells: &BySize<T>, size: i64) -> Arc<OnceCell<OfClinics<T>>> {
    Arc::clone(cells.lock().await.entry(size).or_default())
}

fn shared_out<T>(rows: Vec<T>, clinic: impl Fn(&T) -> Option<Uuid>) -> HashMap<Uuid, Vec<T>> {
    let mut shares: HashMap<Uuid, Vec<T>> = HashMap::new();
    for row in rows {
        if let Some(clinic) = clinic(&row) {
            shares.entry(clinic).or_default().push(row);
        }
    }
    shares
}

fn of<T: Clone>(all: &OfClinics<T>, clinic: Uuid) -> Result<Vec<T>, Error> {
    all.as_ref().map(|all| all.get(&clinic).cloned().unwrap_or_default()).map_err(Clone::clone)
}
