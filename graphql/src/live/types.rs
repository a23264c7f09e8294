//! An event as the API shows it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use praxis_domain::event::Recorded;
use praxis_entity::ids::{AnyId, UserId};

use super::kind::EventKind;
use crate::{
    context::Ask,
    encounters::Encounter,
    error::{ApiError, Nullable},
    identity::User,
    node::{self, Node},
    patients::Patient,
    scalar::DateTime,
};

/// Something that happened. It says what and to what; what the object is like now, it is asked itself.
pub(crate) struct EventObject(pub(super) Arc<Recorded>);

impl EventObject {
    /// The patient it concerns, if the viewer may know of them.
    async fn patient_known(&self, ctx: &Context<'_>) -> Result<Option<Patient>, ApiError> {
        let Some(patient) = self.0.event.patient() else { return Ok(None) };
        match node::find(ctx.caller()?, AnyId::PatientId(patient)).await? {
            Some(Node::Patient(patient)) => Ok(Some(patient)),
            _ => Ok(None),
        }
    }

    /// The encounter in which it happened, if the viewer may know of it.
    async fn encounter_known(&self, ctx: &Context<'_>) -> Result<Option<Encounter>, ApiError> {
        let Some(encounter) = self.0.event.encounter() else { return Ok(None) };
        match node::find(ctx.caller()?, AnyId::EncounterId(encounter)).await? {
            Some(Node::Encounter(encounter)) => Ok(Some(encounter)),
            _ => Ok(None),
        }
    }
}

/// Something that happened. It says what and to what; what the object is like now, it is asked itself.
#[Object(name = "Event")]
impl EventObject {
    /// Its id; `afterEventId` resumes a subscription behind it.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What happened.
    fn kind(&self) -> EventKind {
        EventKind(self.0.event.kind())
    }

    /// When.
    fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// Id of whoever did it; null where it happened by itself.
    fn actor_id(&self) -> Option<ID> {
        self.0.actor.map(|actor| UserId(actor).to_string().into())
    }

    /// Who did it; null where it happened by itself, or the viewer may not see accounts.
    async fn actor(&self, ctx: &Context<'_>) -> Nullable<User> {
        async {
            let Some(actor) = self.0.actor else { return Ok(None) };
            match node::find(ctx.caller()?, AnyId::UserId(UserId(actor))).await? {
                Some(Node::User(user)) => Ok(Some(user)),
                _ => Ok(None),
            }
        }
        .await
        .transpose()
    }

    /// Id of what it happened to.
    fn subject_id(&self) -> ID {
        self.0.event.subject().to_string().into()
    }

    /// What it happened to, as it is now.
    async fn subject(&self, ctx: &Context<'_>) -> Nullable<Node> {
        async { node::find(ctx.caller()?, self.0.event.subject()).await }.await.transpose()
    }

    /// Id of the patient it concerns; null where the viewer may not know of them.
    async fn patient_id(&self, ctx: &Context<'_>) -> Nullable<ID> {
        async {
            let known = self.patient_known(ctx).await?.is_some();
            Ok(self.0.event.patient().filter(|_| known).map(|patient| patient.to_string().into()))
        }
        .await
        .transpose()
    }

    /// The patient it concerns, as they are now.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        self.patient_known(ctx).await.transpose()
    }

    /// Id of the encounter in which it happened; null where the viewer may not know of it.
    async fn encounter_id(&self, ctx: &Context<'_>) -> Nullable<ID> {
        async {
            let known = self.encounter_known(ctx).await?.is_some();
            let encounter = self.0.event.encounter().filter(|_| known);
            Ok(encounter.map(|encounter| encounter.to_string().into()))
        }
        .await
        .transpose()
    }

    /// The encounter in which it happened, as it is now.
    async fn encounter(&self, ctx: &Context<'_>) -> Nullable<Encounter> {
        self.encounter_known(ctx).await.transpose()
    }

    /// Its number among the events of the encounter, from one and without a gap.
    fn encounter_sequence(&self) -> Option<i32> {
        self.0.encounter_seq
    }
}
