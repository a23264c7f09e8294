//! Changing who cares for a patient.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};
use praxis_domain::care_team;

use super::{CareTeamMember, types::CareTeamRole};
use crate::{context::change, error::ApiError, ids, payload::UserError, scalar::DateTime};

/// Changing who cares for a patient.
#[derive(Default)]
pub(crate) struct CareTeamMutation;

/// Who cares for a patient.
#[derive(OneofObject, Debug, Clone)]
pub(crate) enum CarerInput {
    /// A clinician.
    PractitionerId(ID),
    /// Another user of the clinic.
    UserId(ID),
}

/// Somebody to be added to a care team.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct CareTeamAddInput {
    /// Whose team.
    patient_id: ID,
    /// Who.
    carer: CarerInput,
    /// As what.
    role: CareTeamRole,
    /// From when on; now when absent.
    starts_at: Option<DateTime>,
    /// Until when; open when absent.
    ends_at: Option<DateTime>,
}

/// The new member, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct CareTeamAddPayload {
    /// The new member.
    care_team_member: Option<CareTeamMember>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A member whose part in the care ends.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct CareTeamEndInput {
    /// The member.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// The former member, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct CareTeamEndPayload {
    /// The former member.
    care_team_member: Option<CareTeamMember>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl CareTeamMutation {
    /// Adds a clinician or another user to the team that cares for a patient.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE, ALREADY_EXISTS.
    async fn care_team_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who cares for whom.")] input: CareTeamAddInput,
    ) -> Result<CareTeamAddPayload, ApiError> {
        let new = care_team::AddMember {
            patient: ids::parse(&input.patient_id)?,
            carer: match &input.carer {
                CarerInput::PractitionerId(id) => care_team::Carer::Practitioner(ids::parse(id)?),
                CarerInput::UserId(id) => care_team::Carer::User(ids::parse(id)?),
            },
            role: input.role.into(),
            starts_at: input.starts_at.map(|at| at.0),
            ends_at: input.ends_at.map(|at| at.0),
        };
        let done = change(ctx, "Mutation.careTeamAdd", async |op| care_team::add(op, new).await);
        let (row, user_errors) = done.await?.split();
        Ok(CareTeamAddPayload { care_team_member: row.map(CareTeamMember::new), user_errors })
    }

    /// Ends somebody's part in the care of a patient, now.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn care_team_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member.")] input: CareTeamEndInput,
    ) -> Result<CareTeamEndPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let done = change(ctx, "Mutation.careTeamEnd", async |op| care_team::end(op, id, version).await);
        let (row, user_errors) = done.await?.split();
        Ok(CareTeamEndPayload { care_team_member: row.map(CareTeamMember::new), user_errors })
    }
}
