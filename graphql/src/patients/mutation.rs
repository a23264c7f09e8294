//! Changing patients.

use async_graphql::{Context, Object, SimpleObject};
use praxis_domain::patients;
use praxis_entity::{patient, value::Moment};

use super::{
    Patient, RelatedPerson,
    inputs::{
        PatientCreateInput, PatientDeactivateInput, PatientReactivateInput, PatientRecordDeathInput,
        PatientUpdateInput, RelatedPersonAddInput, RelatedPersonEndInput,
    },
};
use crate::{
    context::{Ask, change},
    error::ApiError,
    ids,
    payload::{Done, UserError},
};

/// Changing patients.
#[derive(Default)]
pub(crate) struct PatientMutation;

/// The new patient, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct PatientCreatePayload {
    /// The new patient.
    patient: Option<Patient>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
    /// Patients who may be the same person, whether accepted or not.
    duplicate_candidates: Vec<Patient>,
}

macro_rules! patient_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The patient as it is now.
                patient: Option<Patient>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<patient::Model>> for $name {
                fn from(done: Done<patient::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { patient: row.map(Patient::new), user_errors }
                }
            }
        )*
    };
}

patient_payload! {
    /// The changed patient, or why nothing changed.
    PatientUpdatePayload;
    /// The deactivated patient, or why nothing changed.
    PatientDeactivatePayload;
    /// The reactivated patient, or why nothing changed.
    PatientReactivatePayload;
    /// The patient whose death was recorded, or why nothing changed.
    PatientRecordDeathPayload;
}

macro_rules! related_person_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The related person as it is now.
                related_person: Option<RelatedPerson>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<praxis_entity::related_person::Model>> for $name {
                fn from(done: Done<praxis_entity::related_person::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { related_person: row.map(RelatedPerson::new), user_errors }
                }
            }
        )*
    };
}

related_person_payload! {
    /// The new related person, or why there is none.
    RelatedPersonAddPayload;
    /// The ended related person, or why nothing changed.
    RelatedPersonEndPayload;
}

#[Object]
impl PatientMutation {
    /// Registers a patient. Likely duplicates are refused until somebody has looked at them.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, OUT_OF_RANGE, ALREADY_EXISTS.
    async fn patient_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new patient.")] input: PatientCreateInput,
    ) -> Result<PatientCreatePayload, ApiError> {
        let new = input.try_into()?;
        let done = change(ctx, "Mutation.patientCreate", async |op| patients::register(op, new).await);
        let (registered, user_errors) = done.await?.split();
        let (patient, candidates) = match registered {
            Some(registered) => (Some(Patient::new(registered.patient)), registered.duplicate_candidates),
            None => (None, Vec::new()),
        };
        // The patient is written: whatever keeps the candidates back must not hide that.
        let candidates = ctx.caller()?.loaders().patients.load_many(&candidates).await.unwrap_or_default();
        let duplicate_candidates = candidates.into_iter().map(Patient::new).collect();
        Ok(PatientCreatePayload { patient, user_errors, duplicate_candidates })
    }

    /// Changes what is known of a patient: absent is unchanged, null is cleared.
    ///
    /// Errors: INVALID, TOO_LONG, OUT_OF_RANGE, NOT_FOUND, ALREADY_EXISTS, VERSION_CONFLICT, LOCKED.
    async fn patient_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: PatientUpdateInput,
    ) -> Result<PatientUpdatePayload, ApiError> {
        let (id, version, patch) = (ids::parse(&input.id)?, input.if_version, input.into());
        let amend = async |op: &_| patients::amend(op, id, version, patch).await;
        Ok(change(ctx, "Mutation.patientUpdate", amend).await?.into())
    }

    /// Takes a patient out of care, for example after a move. The record stays.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn patient_deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The patient.")] input: PatientDeactivateInput,
    ) -> Result<PatientDeactivatePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let deactivate = async |op: &_| patients::deactivate(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.patientDeactivate", deactivate).await?.into())
    }

    /// Takes a patient back into care.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn patient_reactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The patient.")] input: PatientReactivateInput,
    ) -> Result<PatientReactivatePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let reactivate = async |op: &_| patients::reactivate(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.patientReactivate", reactivate).await?.into())
    }

    /// Records that a patient died.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn patient_record_death(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The patient and when they died.")] input: PatientRecordDeathInput,
    ) -> Result<PatientRecordDeathPayload, ApiError> {
        let (id, at) = (ids::parse(&input.id)?, input.deceased_at.0);
        let died = Moment { at, text: at.to_rfc3339() };
        let record = async |op: &_| patients::record_death(op, id, input.if_version, died).await;
        Ok(change(ctx, "Mutation.patientRecordDeath", record).await?.into())
    }

    /// Adds next of kin, a guardian or another person around a patient.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, NOT_FOUND, LOCKED.
    async fn related_person_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person.")] input: RelatedPersonAddInput,
    ) -> Result<RelatedPersonAddPayload, ApiError> {
        let patient = ids::parse(&input.patient_id)?;
        let new = patients::AddRelatedPerson {
            relationship: input.relationship.into(),
            name: input.name.into(),
            points: input.contact_points.unwrap_or_default().into_iter().map(Into::into).collect(),
            guardian: input.guardian,
            emergency_contact: input.emergency_contact,
        };
        let add = async |op: &_| patients::add_related_person(op, patient, new).await;
        Ok(change(ctx, "Mutation.relatedPersonAdd", add).await?.into())
    }

    /// Ends a relation to a patient. The record stays.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT.
    async fn related_person_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The related person.")] input: RelatedPersonEndInput,
    ) -> Result<RelatedPersonEndPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let end = async |op: &_| patients::end_related_person(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.relatedPersonEnd", end).await?.into())
    }
}
