//! Who acts: a person in a session, the system itself, or nobody yet.

use std::{collections::HashSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::ids::{
    ApiClientId, BreakGlassId, FacilityId, PatientId, PractitionerId, SessionId, UserId,
};
use uuid::Uuid;

use super::{Grant, Override, Permission, PermissionSet, grant::held_at};
use crate::{Failure, rates::Rate};

/// For how long a second factor counts as fresh.
pub const FRESH: TimeDelta = TimeDelta::minutes(5);

/// What kind of actor it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// A person of the clinic.
    User,
    /// The system, on its own account: sign-in, index building.
    System,
    /// A person who runs the installation, through the CLI.
    Operator,
    /// A program with credentials of its own.
    Client,
}

impl ActorKind {
    /// The stored form.
    pub fn code(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::System => "SYSTEM",
            Self::Operator => "OPERATOR",
            Self::Client => "CLIENT",
        }
    }
}

/// What a program may do besides its permissions.
#[derive(Debug)]
pub struct ClientGrant {
    /// The program.
    pub id: ApiClientId,
    /// Ids of the registered operations it may call.
    pub operations: HashSet<String>,
    /// How fast it may ask.
    pub rate: Rate,
}

/// Who acts, with everything that decides what they may do.
#[derive(Debug, Clone)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// The user, unless it is the system.
    pub user: Option<UserId>,
    /// The clinician this user is.
    pub practitioner: Option<PractitionerId>,
    /// Name as shown.
    pub display_name: String,
    /// Codes of the roles held here and now.
    pub roles: Vec<String>,
    /// What those roles permit somewhere, and what emergency access opens: for [`super::Standing`] to judge.
    pub permissions: PermissionSet,
    /// What they permit, where and under which condition.
    pub grants: Vec<Grant>,
    /// Emergency access that was declared; some of it may have run out.
    pub overrides: Vec<Override>,
    /// The role through whose eyes the actor looks: nothing can be changed meanwhile.
    pub view_as: Option<String>,
    /// The session.
    pub session: Option<SessionId>,
    /// The branch the actor acts for, when one was chosen.
    pub facility: Option<FacilityId>,
    /// When a second factor was last shown in this session.
    pub second_factor_at: Option<DateTime<Utc>>,
    /// The program, when it is one.
    pub client: Option<Arc<ClientGrant>>,
    /// A role asks for a second factor that was not shown yet: the actor may do nothing but show one,
    /// or enrol one.
    pub awaits_second_factor: bool,
}

impl Actor {
    /// Somebody who has not signed in: may do nothing.
    pub fn anonymous() -> Self {
        Self::bare(ActorKind::User, "anonymous", PermissionSet::default())
    }

    /// The system itself.
    pub fn system() -> Self {
        Self::bare(ActorKind::System, "system", PermissionSet::all())
    }

    /// An operator at the command line.
    pub fn operator() -> Self {
        Self::bare(ActorKind::Operator, "operator", PermissionSet::all())
    }

    fn bare(kind: ActorKind, name: &str, permissions: PermissionSet) -> Self {
        Self {
            kind,
            user: None,
            practitioner: None,
            display_name: name.to_owned(),
            roles: Vec::new(),
            permissions,
            grants: vec![Grant::everywhere(permissions)],
            overrides: Vec::new(),
            view_as: None,
            session: None,
            facility: None,
            second_factor_at: None,
            client: None,
            awaits_second_factor: false,
        }
    }

    /// True once somebody has signed in, and for the system.
    pub fn is_known(&self) -> bool {
        self.user.is_some() || self.kind != ActorKind::User
    }

    /// True when the actor holds the permission, at one branch or under a condition at least. Whether it holds for
    /// a patient or row, [`super::Standing`] says.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(permission)
    }

    /// Refuses unless the actor holds the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Failure> {
        if !self.is_known() {
            return Err(Failure::Unauthenticated);
        }
        if self.awaits_second_factor {
            return Err(Failure::SecondFactorRequired);
        }
        if self.may(permission) { Ok(()) } else { Err(Failure::Forbidden(permission)) }
    }

    /// True when the actor holds the permission at a branch, or everywhere.
    pub fn may_at(&self, permission: Permission, facility: FacilityId) -> bool {
        let here = |grant: &&Grant| grant.facility.is_none_or(|bound| bound == facility);
        self.grants.iter().filter(here).any(|grant| grant.permissions.contains(permission))
    }

    /// Refuses unless the actor holds the permission at a branch, or everywhere.
    pub fn require_at(&self, permission: Permission, facility: FacilityId) -> Result<(), Failure> {
        self.require(permission)?;
        if self.may_at(permission, facility) { Ok(()) } else { Err(Failure::Forbidden(permission)) }
    }

    /// Refuses unless the actor holds the permission everywhere and always.
    pub fn require_everywhere(&self, permission: Permission) -> Result<(), Failure> {
        self.require(permission)?;
        if self.held_at(None).contains(permission) { Ok(()) } else { Err(Failure::Forbidden(permission)) }
    }

    /// What roles permit without a condition at a branch, or, without one, everywhere. What an emergency opened
    /// does not count.
    pub fn held_at(&self, facility: Option<FacilityId>) -> PermissionSet {
        held_at(&self.grants, facility)
    }

    /// The same actor seeing what a holder of the role would: at the most what the actor sees, and only to look at.
    ///
    /// `role` is what the role permits. The actor's own roles stay, for what patients forbid to them is forbidden
    /// still; emergency access is left behind.
    #[must_use]
    pub fn viewing_as(&self, code: &str, role: &[Grant]) -> Self {
        let own = self.held_at(None);
        let within = |grant: &Grant| Grant { permissions: grant.permissions.intersection(own), ..*grant };
        // Who acts for a branch goes on to, for what patients forbid to it; it gives nothing any more.
        let places = self.grants.iter().filter(|grant| grant.facility.is_some());
        let places = places.map(|grant| Grant { permissions: PermissionSet::NONE, ..*grant });
        let grants: Vec<Grant> = role.iter().map(within).chain(places).collect();
        let mut roles = self.roles.clone();
        if !roles.iter().any(|held| held == code) {
            roles.push(code.to_owned());
        }
        Self {
            permissions: grants.iter().fold(PermissionSet::NONE, |all, grant| all.union(grant.permissions)),
            grants,
            roles,
            overrides: Vec::new(),
            view_as: Some(code.to_owned()),
            ..self.clone()
        }
    }

    /// The branches the actor acts for: the one that was chosen, or else all where a role is held.
    pub fn places(&self) -> impl Iterator<Item = FacilityId> {
        let held = self.grants.iter().filter_map(|grant| grant.facility);
        self.facility.into_iter().chain(held.filter(|_| self.facility.is_none()))
    }

    /// The same actor with the emergency access that is open to them now.
    #[must_use]
    pub fn with_overrides(&self, overrides: Vec<Override>) -> Self {
        let permissions = overrides.iter().fold(self.permissions, |all, over| all.union(over.permissions));
        Self { permissions, overrides, ..self.clone() }
    }

    /// The emergency access under which the actor meets a patient now.
    pub fn emergency(&self, patient: Uuid, now: DateTime<Utc>) -> Option<BreakGlassId> {
        let open = |over: &&Override| over.patient.0 == patient && over.expires_at > now;
        self.overrides.iter().find(open).map(|over| over.id)
    }

    /// What emergency access opens of a patient's record now.
    pub fn opened(&self, patient: PatientId, now: DateTime<Utc>) -> PermissionSet {
        let open = self.overrides.iter().filter(|over| over.patient == patient && over.expires_at > now);
        open.fold(PermissionSet::NONE, |all, over| all.union(over.permissions))
    }

    /// Refuses unless a second factor was shown a short while ago.
    pub fn require_step_up(&self, now: DateTime<Utc>) -> Result<(), Failure> {
        if matches!(self.kind, ActorKind::System | ActorKind::Operator) {
            return Ok(());
        }
        let fresh = self.second_factor_at.is_some_and(|shown| shown <= now && now < shown + FRESH);
        if fresh { Ok(()) } else { Err(Failure::StepUpRequired) }
    }

    /// The id under which idempotency keys are kept; nil for the system.
    pub fn key_owner(&self) -> Uuid {
        self.id().unwrap_or_default()
    }

    /// The id of the person or the program.
    pub fn id(&self) -> Option<Uuid> {
        self.user.map(|user| user.0).or_else(|| self.client.as_ref().map(|client| client.id.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_through_a_role_does_not_shake_off_ones_branch() {
        let branch = FacilityId(Uuid::from_u128(1));
        let at_branch = Grant {
            permissions: PermissionSet::of(&[Permission::PATIENT_READ]),
            facility: Some(branch),
            condition: None,
        };
        let everywhere = Grant::everywhere(PermissionSet::of(&[Permission::ROLE_MANAGE]));
        let owner = Actor { grants: vec![everywhere, at_branch], ..Actor::anonymous() };
        let role = [Grant::everywhere(PermissionSet::all())];
        let viewing = owner.viewing_as("nurse", &role);
        assert_eq!(viewing.places().collect::<Vec<_>>(), [branch]);
        // What was held at the branch alone is not seen meanwhile: no more than the actor sees everywhere.
        assert_eq!(viewing.permissions, PermissionSet::of(&[Permission::ROLE_MANAGE]));
        assert!(!viewing.may_at(Permission::PATIENT_READ, branch));
    }
}
