//! Who cares for a patient.

mod mutation;
mod types;

pub(crate) use mutation::CareTeamMutation;
pub(crate) use types::CareTeamMember;

use praxis_platform::access::Permission;

use crate::policy::{Rule, inherited, needs};

pub(crate) const POLICY: &[Rule] = &[
    needs("Patient", Permission::CARE_TEAM_READ, &["careTeam"]),
    needs(
        "CareTeamMember",
        Permission::CARE_TEAM_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "patient",
            "practitioner",
            "userId",
            "role",
            "startsAt",
            "endsAt",
        ],
    ),
    needs("Mutation", Permission::CARE_TEAM_MANAGE, &["careTeamAdd", "careTeamEnd"]),
    inherited("CareTeamAddPayload", &["careTeamMember", "userErrors"]),
    inherited("CareTeamEndPayload", &["careTeamMember", "userErrors"]),
];
