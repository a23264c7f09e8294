//! The tasks of a patient and of an encounter.

use std::{collections::HashMap, fmt::Debug, hash::Hash, sync::Arc};

use async_graphql::{Context, Object};
use futures::FutureExt;
use praxis_domain::{PageRequest, Slice, tasks};
use praxis_entity::{
    ids::{EncounterId, PatientId},
    task,
};
use praxis_platform::{Op, Read};

use super::{
    inputs::{TaskFilter, TaskOrder},
    types::TaskConnection,
};
use crate::{
    batch,
    context::Ask,
    error::{ApiError, Nullable},
    loaders::Loaders,
    page::{Cursors, PageArguments, count_under, slice_under},
    policy::{At, at},
    redaction,
    subject::Subject,
};

/// What is asked of a list of tasks.
struct Asked {
    page: PageArguments,
    filter: Option<TaskFilter>,
    order: TaskOrder,
}

/// Where the tasks under a parent are found and counted, together with those of its siblings.
struct Shelf<P> {
    at: &'static At,
    slices: fn(&Loaders) -> &batch::Loaders<P, Slice<task::Model>>,
    counts: fn(&Loaders) -> &batch::Loaders<P, i64>,
}

impl<P: Copy + Debug + Eq + Hash + Send + Sync + 'static> Shelf<P> {
    async fn list<F, C>(
        &self,
        ctx: &Context<'_>,
        (parent, subject): (P, &Subject),
        asked: Asked,
        find: fn(Op<Read>, Vec<P>, tasks::TaskFilter, tasks::TaskOrder, PageRequest) -> F,
        count: fn(Op<Read>, Vec<P>, tasks::TaskFilter, u64) -> C,
    ) -> Result<Option<TaskConnection>, ApiError>
    where
        F: Future<Output = Result<HashMap<P, Slice<task::Model>>, ApiError>> + Send + 'static,
        C: Future<Output = Result<HashMap<P, i64>, ApiError>> + Send + 'static,
    {
        let filter: tasks::TaskFilter = asked.filter.unwrap_or_default().try_into()?;
        let (caller, order) = (ctx.caller()?, tasks::TaskOrder::from(asked.order));
        let list = format!("{parent:?}{filter:?}{order:?}");
        let cursors = Cursors::of(caller, &self.at.name, &list).await?;
        let page = cursors.request(&asked.page)?;
        if !redaction::allowed(ctx, self.at, subject).await? {
            return Ok(None);
        }
        let (op, wanted) = (caller.reading().clone(), filter.clone());
        let arguments = format!("{filter:?}{order:?}{page:?}");
        let slice = slice_under((self.slices)(caller.loaders()), arguments, parent, move |parents| {
            find(op.clone(), parents, wanted.clone(), order, page)
        })
        .await?;
        let (op, arguments) = (caller.reading().clone(), format!("tasks {filter:?}"));
        let counted = count_under(caller, self.counts, arguments, parent, move |parents, max| {
            count(op.clone(), parents, filter.clone(), max)
        });
        Ok(Some(TaskConnection::of_slice(slice, order, cursors, counted)))
    }
}

/// What is to be done about a patient.
pub(crate) struct PatientTasks {
    patient: PatientId,
    subject: Arc<Subject>,
}

impl PatientTasks {
    pub(crate) fn new(patient: PatientId, subject: &Arc<Subject>) -> Self {
        Self { patient, subject: Arc::clone(subject) }
    }
}

/// What is to be done about a patient.
#[Object]
impl PatientTasks {
    /// Tasks about the patient. Null where the viewer may not know whether there are any.
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which tasks.")] filter: Option<TaskFilter>,
        #[graphql(desc = "Order.", default_with = "TaskOrder::DueAt")] order_by: TaskOrder,
    ) -> Nullable<TaskConnection> {
        let page = PageArguments { first, after, last, before };
        let shelf = Shelf {
            at: at!("Patient.tasks"),
            slices: |loaders| &loaders.tasks_of_patients,
            counts: |loaders| &loaders.patient_counts,
        };
        shelf
            .list(
                ctx,
                (self.patient, &self.subject),
                Asked { page, filter, order: order_by },
                |op, patients, filter, order, page| async move {
                    Ok(tasks::of_patients(&op, &patients, &filter, order, &page).await?)
                },
                |op, patients, filter, max| async move {
                    Ok(tasks::count_of_patients(&op, &patients, &filter, max).await?)
                },
            )
            .boxed()
            .await
            .transpose()
    }
}

/// What is to be done in an encounter.
pub(crate) struct EncounterTasks {
    encounter: EncounterId,
    subject: Arc<Subject>,
}

impl EncounterTasks {
    pub(crate) fn new(encounter: EncounterId, subject: &Arc<Subject>) -> Self {
        Self { encounter, subject: Arc::clone(subject) }
    }
}

/// What is to be done in an encounter.
#[Object]
impl EncounterTasks {
    /// Tasks of the encounter. Null where the viewer may not know whether there are any.
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which tasks.")] filter: Option<TaskFilter>,
        #[graphql(desc = "Order.", default_with = "TaskOrder::DueAt")] order_by: TaskOrder,
    ) -> Nullable<TaskConnection> {
        let page = PageArguments { first, after, last, before };
        let shelf = Shelf {
            at: at!("Encounter.tasks"),
            slices: |loaders| &loaders.tasks_of_encounters,
            counts: |loaders| &loaders.encounter_counts,
        };
        shelf
            .list(
                ctx,
                (self.encounter, &self.subject),
                Asked { page, filter, order: order_by },
                |op, encounters, filter, order, page| async move {
                    Ok(tasks::of_encounters(&op, &encounters, &filter, order, &page).await?)
                },
                |op, encounters, filter, max| async move {
                    Ok(tasks::count_of_encounters(&op, &encounters, &filter, max).await?)
                },
            )
            .boxed()
            .await
            .transpose()
    }
}
