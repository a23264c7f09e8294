//! The tasks of a patient and of an encounter.

use std::sync::Arc;

use async_graphql::{Context, Object};
use praxis_domain::tasks;
use praxis_entity::ids::{EncounterId, PatientId};

use super::{
    inputs::{TaskFilter, TaskOrder},
    types::TaskConnection,
};
use crate::{
    context::Ask,
    error::Nullable,
    page::{Cursors, PageArguments, count_under, slice_under},
    policy::at,
    redaction,
    subject::Subject,
};

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
        async {
            let filter: tasks::TaskFilter = filter.unwrap_or_default().try_into()?;
            let (caller, order) = (ctx.caller()?, tasks::TaskOrder::from(order_by));
            let list = format!("{:?}{filter:?}{order:?}", self.patient);
            let cursors = Cursors::of(caller, "Patient.tasks", &list).await?;
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            if !redaction::allowed(ctx, at!("Patient.tasks"), &self.subject).await? {
                return Ok(None);
            }
            let arguments = format!("{filter:?}{order:?}{page:?}");
            let (op, wanted) = (caller.reading().clone(), filter.clone());
            let loaders = &caller.loaders().tasks_of_patients;
            let slice = slice_under(loaders, arguments, self.patient, move |patients| {
                let (op, filter) = (op.clone(), wanted.clone());
                async move { Ok(tasks::of_patients(&op, &patients, &filter, order, &page).await?) }
            })
            .await?;
            let (op, arguments) = (caller.reading().clone(), format!("tasks {filter:?}"));
            let count = count_under(
                caller,
                |loaders| &loaders.patient_counts,
                arguments,
                self.patient,
                move |patients, max| {
                    let (op, filter) = (op.clone(), filter.clone());
                    async move { Ok(tasks::count_of_patients(&op, &patients, &filter, max).await?) }
                },
            );
            Ok(Some(TaskConnection::of_slice(slice, order, cursors, count)))
        }
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
        async {
            let filter: tasks::TaskFilter = filter.unwrap_or_default().try_into()?;
            let (caller, order) = (ctx.caller()?, tasks::TaskOrder::from(order_by));
            let list = format!("{:?}{filter:?}{order:?}", self.encounter);
            let cursors = Cursors::of(caller, "Encounter.tasks", &list).await?;
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            if !redaction::allowed(ctx, at!("Encounter.tasks"), &self.subject).await? {
                return Ok(None);
            }
            let arguments = format!("{filter:?}{order:?}{page:?}");
            let (op, wanted) = (caller.reading().clone(), filter.clone());
            let loaders = &caller.loaders().tasks_of_encounters;
            let slice = slice_under(loaders, arguments, self.encounter, move |encounters| {
                let (op, filter) = (op.clone(), wanted.clone());
                async move { Ok(tasks::of_encounters(&op, &encounters, &filter, order, &page).await?) }
            })
            .await?;
            let (op, arguments) = (caller.reading().clone(), format!("tasks {filter:?}"));
            let count = count_under(
                caller,
                |loaders| &loaders.encounter_counts,
                arguments,
                self.encounter,
                move |encounters, max| {
                    let (op, filter) = (op.clone(), filter.clone());
                    async move { Ok(tasks::count_of_encounters(&op, &encounters, &filter, max).await?) }
                },
            );
            Ok(Some(TaskConnection::of_slice(slice, order, cursors, count)))
        }
        .await
        .transpose()
    }
}
