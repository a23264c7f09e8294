//! The documents of a patient and of an encounter.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object};
use futures::FutureExt;
use praxis_domain::{PageRequest, documents};
use praxis_entity::ids::{EncounterId, PatientId};

use super::types::{ClinicalDocument, ClinicalDocumentConnection, DocumentStatus};
use crate::{
    context::{Ask, Caller},
    error::{ApiError, Nullable},
    page::{Cursors, Page, PageArguments, count_under, slice_under},
    policy::at,
    redaction,
    subject::Subject,
};

/// Which documents; all that is given must hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct ClinicalDocumentFilter {
    /// In one of these statuses; without a choice, all but those given up.
    status: Option<Vec<DocumentStatus>>,
    /// Of one of these LOINC types.
    #[graphql(name = "type")]
    type_code: Option<Vec<String>>,
    /// With addenda, which otherwise stand under their documents only.
    #[graphql(default)]
    with_addenda: bool,
}

impl From<ClinicalDocumentFilter> for documents::DocumentFilter {
    fn from(filter: ClinicalDocumentFilter) -> Self {
        Self {
            status: filter.status.map(|all| all.into_iter().map(Into::into).collect()),
            type_code: filter.type_code,
            with_addenda: filter.with_addenda,
        }
    }
}

/// What is written about a patient.
pub(crate) struct PatientDocuments {
    patient: PatientId,
    subject: Arc<Subject>,
}

impl PatientDocuments {
    pub(crate) fn new(patient: PatientId, subject: &Arc<Subject>) -> Self {
        Self { patient, subject: Arc::clone(subject) }
    }
}

/// What is written about a patient.
#[Object]
impl PatientDocuments {
    /// Clinical documents, the newest first. Null where the viewer may not know whether there are any.
    async fn documents(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which documents.")] filter: Option<ClinicalDocumentFilter>,
    ) -> Nullable<ClinicalDocumentConnection> {
        async {
            let filter: documents::DocumentFilter = filter.unwrap_or_default().into();
            let list = format!("{:?}{filter:?}", self.patient);
            let cursors = Cursors::of(ctx.caller()?, "Patient.documents", &list).await?;
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            if !redaction::allowed(ctx, at!("Patient.documents"), &self.subject).await? {
                return Ok(None);
            }
            of_patient(ctx.caller()?, self.patient, filter, page, cursors).await.map(Some)
        }
        .boxed()
        .await
        .transpose()
    }
}

/// What is written in an encounter.
pub(crate) struct EncounterDocuments {
    encounter: EncounterId,
    subject: Arc<Subject>,
}

impl EncounterDocuments {
    pub(crate) fn new(encounter: EncounterId, subject: &Arc<Subject>) -> Self {
        Self { encounter, subject: Arc::clone(subject) }
    }
}

/// What is written in an encounter.
#[Object]
impl EncounterDocuments {
    /// Clinical documents of this encounter, the newest first. Null where the viewer may not know whether there are any.
    async fn documents(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which documents.")] filter: Option<ClinicalDocumentFilter>,
    ) -> Nullable<ClinicalDocumentConnection> {
        async {
            let filter: documents::DocumentFilter = filter.unwrap_or_default().into();
            let list = format!("{:?}{filter:?}", self.encounter);
            let cursors = Cursors::of(ctx.caller()?, "Encounter.documents", &list).await?;
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            if !redaction::allowed(ctx, at!("Encounter.documents"), &self.subject).await? {
                return Ok(None);
            }
            of_encounter(ctx.caller()?, self.encounter, filter, page, cursors).await.map(Some)
        }
        .boxed()
        .await
        .transpose()
    }
}

/// The documents of one patient, loaded together with those of its siblings.
async fn of_patient(
    caller: &Caller,
    patient: PatientId,
    filter: documents::DocumentFilter,
    page: PageRequest,
    cursors: Cursors,
) -> Result<ClinicalDocumentConnection, ApiError> {
    let arguments = format!("{filter:?}{page:?}");
    let (op, wanted) = (caller.reading().clone(), filter.clone());
    let slice = slice_under(&caller.loaders().documents_of_patients, arguments, patient, move |patients| {
        let (op, filter) = (op.clone(), wanted.clone());
        async move { Ok(documents::of_patients(&op, &patients, &filter, &page).await?) }
    })
    .await?;
    let (op, arguments) = (caller.reading().clone(), format!("documents {filter:?}"));
    let count = count_under(
        caller,
        |loaders| &loaders.patient_counts,
        arguments,
        patient,
        move |patients, max| {
            let (op, filter) = (op.clone(), filter.clone());
            async move { Ok(documents::count_of_patients(&op, &patients, &filter, max).await?) }
        },
    );
    let page = Page::new(slice, cursors, ClinicalDocument::position, ClinicalDocument::new);
    Ok(ClinicalDocumentConnection::new(page, count))
}

/// The documents of one encounter, loaded together with those of its siblings.
async fn of_encounter(
    caller: &Caller,
    encounter: EncounterId,
    filter: documents::DocumentFilter,
    page: PageRequest,
    cursors: Cursors,
) -> Result<ClinicalDocumentConnection, ApiError> {
    let arguments = format!("{filter:?}{page:?}");
    let (op, wanted) = (caller.reading().clone(), filter.clone());
    let loaders = &caller.loaders().documents_of_encounters;
    let slice = slice_under(loaders, arguments, encounter, move |encounters| {
        let (op, filter) = (op.clone(), wanted.clone());
        async move { Ok(documents::of_encounters(&op, &encounters, &filter, &page).await?) }
    })
    .await?;
    let (op, arguments) = (caller.reading().clone(), format!("documents {filter:?}"));
    let count = count_under(
        caller,
        |loaders| &loaders.encounter_counts,
        arguments,
        encounter,
        move |encounters, max| {
            let (op, filter) = (op.clone(), filter.clone());
            async move { Ok(documents::count_of_encounters(&op, &encounters, &filter, max).await?) }
        },
    );
    let page = Page::new(slice, cursors, ClinicalDocument::position, ClinicalDocument::new);
    Ok(ClinicalDocumentConnection::new(page, count))
}
