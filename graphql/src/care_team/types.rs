//! Members of care teams.

use async_graphql::{Context, Enum, ID, Object};
use praxis_entity::care_team_member;

use crate::{
    context::Ask,
    error::{Edge, Nullable},
    ids,
    patients::Patient,
    scalar::DateTime,
    staff::Practitioner,
};

/// As what somebody cares for a patient.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "care_team_member::CareTeamRole")]
pub(crate) enum CareTeamRole {
    /// The patient's own doctor.
    PrimaryCare,
    /// The doctor in charge now.
    Attending,
    /// Was asked for advice.
    Consultant,
    /// Nurse.
    Nurse,
    /// Therapist.
    Therapist,
    /// Holds the threads together.
    CaseManager,
    /// Anything else.
    Other,
}

/// Somebody who cares for a patient, or did.
pub(crate) struct CareTeamMember {
    row: care_team_member::Model,
}

impl CareTeamMember {
    pub(crate) fn new(row: care_team_member::Model) -> Self {
        Self { row }
    }
}

/// Somebody who cares for a patient, or did.
#[Object]
impl CareTeamMember {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was recorded.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Whose care.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async { Ok(ctx.caller()?.loaders().patients.load(self.row.patient_id).await?.map(Patient::new)) }
            .await
            .or_hidden()
    }

    /// The clinician; null for another user.
    async fn practitioner(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            let Some(id) = self.row.practitioner_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new))
        }
        .await
        .or_hidden()
    }

    /// Opaque id of the user; null for a clinician.
    fn user_id(&self) -> Option<ID> {
        self.row.user_id.map(ids::show)
    }

    /// As what.
    fn role(&self) -> CareTeamRole {
        self.row.role.into()
    }

    /// From when on.
    fn starts_at(&self) -> DateTime {
        DateTime(self.row.starts_at)
    }

    /// Until when; null while it lasts.
    fn ends_at(&self) -> Option<DateTime> {
        self.row.ends_at.map(DateTime)
    }
}
