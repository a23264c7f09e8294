//! The chart, and its lists.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Object};
use chrono::Utc;
use praxis_domain::{
    Slice,
    known::{self, Known},
};
use praxis_entity::{document_version, encounter, ids::PatientId};
use praxis_platform::access::Permission;

use crate::{
    batch::{self, Loader},
    charting::{Observation, ObservationConnection},
    context::{Ask, Caller},
    documents::{DocumentVersion, DocumentVersionConnection},
    encounters::{Encounter, EncounterConnection},
    error::{ApiError, Nullable},
    history::{
        Allergy, AllergyConnection, Condition, ConditionConnection, FamilyHistory, FamilyHistoryConnection,
        Immunization, ImmunizationConnection, MedicationStatement, MedicationStatementConnection, Procedure,
        ProcedureConnection, SocialHistory, SocialHistoryConnection,
    },
    loaders::Loaders,
    page::{Count, Cursors, Page, PageArguments, count_under, slice_under},
    policy::at,
    redaction,
    scalar::DateTime,
    subject::Subject,
};

/// What was known of a patient at a moment.
pub(crate) struct Chart {
    patient: PatientId,
    subject: Arc<Subject>,
    at: chrono::DateTime<Utc>,
}

impl Chart {
    pub(crate) fn new(patient: PatientId, subject: &Arc<Subject>, at: chrono::DateTime<Utc>) -> Self {
        Self { patient, subject: Arc::clone(subject), at }
    }

    async fn cursors(&self, caller: &Caller, list: &str) -> Result<Cursors, ApiError> {
        Cursors::of(caller, list, &format!("{:?}{:?}", self.patient, self.at)).await
    }

    /// Whether nothing is left out because it was overwritten, for whoever may read all of it.
    async fn whole(&self, ctx: &Context<'_>) -> Result<Option<bool>, ApiError> {
        let (caller, at) = (ctx.caller()?, self.at);
        let rights = self.subject.rights(caller).await?;
        if !ALL_SHELVES.iter().all(|permission| rights.may(*permission)) {
            return Ok(None);
        }
        let op = caller.reading().clone();
        let loader = caller.loaders().whole_charts.with(format!("{at:?}"), || {
            Loader::new(move |patients: Vec<PatientId>| {
                let op = op.clone();
                async move {
                    let whole = known::whole(&op, at, &patients).await?;
                    Ok(whole.into_iter().map(|patient| (patient, true)).collect::<HashMap<_, _>>())
                }
            })
        });
        Ok(Some(loader.load(self.patient).await?.unwrap_or(false)))
    }

    /// A page of a list, loaded together with those of its siblings, and how it is counted.
    async fn shelf<E: Known>(
        &self,
        caller: &Caller,
        list: &str,
        page: praxis_domain::PageRequest,
        lists: fn(&Loaders) -> &batch::Loaders<PatientId, Slice<E::Model>>,
    ) -> Result<(Slice<E::Model>, Count), ApiError>
    where
        E::Model: Clone + Send + Sync + 'static,
    {
        let (at, op) = (self.at, caller.reading().clone());
        let arguments = format!("as of {at:?} {page:?}");
        let slice = slice_under(lists(caller.loaders()), arguments, self.patient, move |patients| {
            let op = op.clone();
            async move { Ok(known::of_patients::<E, _>(&op, at, &patients, &page).await?) }
        });
        let slice = slice.await?;
        let (op, arguments) = (caller.reading().clone(), format!("{list} {at:?}"));
        let counts: fn(&Loaders) -> &batch::Loaders<PatientId, i64> = |loaders| &loaders.patient_counts;
        let count = count_under(caller, counts, arguments, self.patient, move |patients, max| {
            let op = op.clone();
            async move { Ok(known::count_of_patients::<E, _>(&op, at, &patients, max).await?) }
        });
        Ok((slice, count))
    }
}

/// What somebody has to hold to read all of a chart that may have been overwritten.
const ALL_SHELVES: [Permission; 7] = [
    Permission::CONDITION_READ,
    Permission::ALLERGY_READ,
    Permission::MEDICATION_READ,
    Permission::IMMUNIZATION_READ,
    Permission::HISTORY_READ,
    Permission::OBSERVATION_READ,
    Permission::ENCOUNTER_READ,
];

/// Rows with what they are shown with, where that may be read.
fn beside<M, T>(slice: Slice<M>, mut other: impl FnMut(&M) -> Option<T>) -> Slice<(M, T)> {
    let rows = slice.rows.into_iter().filter_map(|row| other(&row).map(|found| (row, found))).collect();
    Slice { rows, has_next: slice.has_next, has_previous: slice.has_previous }
}

macro_rules! chart {
    ($($(#[$doc:meta])* $field:ident($coordinate:literal, $entity:ident, $connection:ident, $lists:ident, |$caller:ident, $at:ident, $slice:ident, $cursors:ident| $page:expr);)*) => {
        /// What was known of a patient at a moment: what had been recorded by then, as it stood then. The rules of
        /// today say who may read it. What is linked from here, other than the lists, is of today: so are the tasks and
        /// documents of an encounter.
        #[Object]
        impl Chart {
            /// The moment.
            fn as_of(&self) -> DateTime {
                DateTime(self.at)
            }

            /// False where something was recorded by then, but changed later, before the clinic kept what it overwrites:
            /// that is left out. Null where the viewer may not read all of the chart, of which it would tell.
            async fn complete(&self, ctx: &Context<'_>) -> Nullable<bool> {
                self.whole(ctx).await.transpose()
            }

            $(
                $(#[$doc])*
                async fn $field(
                    &self,
                    ctx: &Context<'_>,
                    #[graphql(desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most.")]
                    first: Option<i32>,
                    #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
                    #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
                    #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
                ) -> Nullable<$connection> {
                    async {
                        let ($caller, $at) = (ctx.caller()?, self.at);
                        let $cursors = self.cursors($caller, $coordinate).await?;
                        let page = $cursors.request(&PageArguments { first, after, last, before })?;
                        if !redaction::allowed(ctx, at!($coordinate), &self.subject).await? {
                            return Ok(None);
                        }
                        let lists: fn(&Loaders) -> &batch::Loaders<PatientId, _> = |loaders| &loaders.$lists;
                        let ($slice, count) =
                            self.shelf::<praxis_entity::$entity::Entity>($caller, $coordinate, page, lists).await?;
                        Ok(Some($connection::new($page, count)))
                    }
                    .await
                    .transpose()
                }
            )*
        }
    };
}

chart! {
    /// Problems and diagnoses, the latest first. Null where the viewer may not know whether there are any.
    conditions("Chart.conditions", condition, ConditionConnection, conditions_of_patients,
        |caller, _at, slice, cursors| Page::new(slice, cursors, Condition::position, Condition::as_known));
    /// Allergies and intolerances, or the finding that there is none, the latest first. Null where the viewer may not know whether there are any.
    allergies("Chart.allergies", allergy, AllergyConnection, allergies_of_patients,
        |caller, _at, slice, cursors| Page::new(slice, cursors, Allergy::position, Allergy::as_known));
    /// Medications as stated, the latest first. Null where the viewer may not know whether there are any.
    medication_statements("Chart.medicationStatements", medication_statement, MedicationStatementConnection, medications_of_patients,
        |caller, _at, slice, cursors| Page::new(slice, cursors, MedicationStatement::position, MedicationStatement::as_known));
    /// Immunisations, the latest first. Null where the viewer may not know whether there are any.
    immunizations("Chart.immunizations", immunization, ImmunizationConnection, immunizations_of_patients,
        |caller, _at, slice, cursors| Page::new(slice, cursors, Immunization::position, Immunization::as_known));
    /// Procedures, the latest first. Null where the viewer may not know whether there are any.
    procedures("Chart.procedures", procedure, ProcedureConnection, procedures_of_patients,
        |caller, _at, slice, cursors| Page::new(slice, cursors, Procedure::position, Procedure::as_known));
    /// What relatives have or had, the latest first. Null where the viewer may not know whether there is anything.
    family_history("Chart.familyHistory", family_history, FamilyHistoryConnection, family_histories_of_patients,
        |caller, _at, slice, cursors| Page::new(slice, cursors, FamilyHistory::position, FamilyHistory::as_known));
    /// How the patient lives, the latest first. Null where the viewer may not know whether there is anything.
    social_history("Chart.socialHistory", social_history, SocialHistoryConnection, social_histories_of_patients,
        |caller, _at, slice, cursors| Page::new(slice, cursors, SocialHistory::position, SocialHistory::as_known));
    /// Measurements and findings, the latest first. Null where the viewer may not know whether there are any.
    observations("Chart.observations", observation, ObservationConnection, observations_of_patients,
        |caller, _at, slice, cursors| Page::new(slice, cursors, Observation::position, Observation::as_known));
    /// Encounters with their assessments and plans, the latest first. Null where the viewer may not know whether there are any.
    encounters("Chart.encounters", encounter, EncounterConnection, encounters_of_patients, |caller, at, slice, cursors| {
        let ids: Vec<_> = slice.rows.iter().map(|row| row.id).collect();
        let today = caller.loaders().encounters.load_many(&ids).await?;
        let today: HashMap<_, _> = today.into_iter().map(|row| (row.id, row)).collect();
        let rows = beside(slice, |row| today.get(&row.id).cloned());
        let position = |(row, _): &(encounter::Model, encounter::Model)| Encounter::position(row);
        Page::new(rows, cursors, position, |(row, today)| Encounter::as_known(row, &today, at))
    });
    /// Of each document that was signed or received by then, the version that counted, the latest first. Null where
    /// the viewer may not know whether there are any.
    documents("Chart.documents", document_version, DocumentVersionConnection, document_versions_of_patients, |caller, at, slice, cursors| {
        let ids: Vec<_> = slice.rows.iter().map(|row| row.document_id).collect();
        let today = caller.loaders().documents.load_many(&ids).await?;
        let today: HashMap<_, _> = today.into_iter().map(|row| (row.id, row)).collect();
        let rows = beside(slice, |row| today.get(&row.document_id).cloned());
        let position = |(row, _): &(document_version::Model, _)| DocumentVersion::position(row);
        Page::new(rows, cursors, position, |(row, document)| DocumentVersion::as_known(row, document, at))
    });
}
