//! The evaluator: what an actor may do with one patient, and with one row of theirs.
//!
//! What decides is loaded once per request for all patients at hand ([`Standing::load`]). From then on a
//! decision is arithmetic on permission sets ([`Standing::on`]), and a field asks one bit of the result.
//! [`super::predicate`] says the same in SQL, for lists and counts; a test compares both with a third, naive one.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use praxis_entity::{
    ids::{FacilityId, PatientId, PractitionerId, UserId},
    patient,
};
use sea_orm::{
    ConnectionTrait, FromQueryResult,
    sea_query::{Expr, Query},
};
use uuid::Uuid;

use super::{
    Actor, ActorKind, Grant, Permission, PermissionSet, Relation,
    class::{CONTENT, RECORD, RecordClass},
    facts,
};
use crate::Failure;

/// How sensitive a labelled object is, HL7 v3 Confidentiality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sensitivity {
    /// `N`: as all health data.
    Normal,
    /// `R`: its content is closed to whoever lacks `patient.restricted:read` and did not record it.
    Restricted,
    /// `V`: it is not there for whoever lacks `patient.restricted:read` or does not care for the patient.
    VeryRestricted,
}

impl Sensitivity {
    /// The stored form.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Normal => "N",
            Self::Restricted => "R",
            Self::VeryRestricted => "V",
        }
    }

    /// The level with this stored form. One that this version does not know counts as the highest.
    pub fn parse(code: &str) -> Self {
        match code {
            "N" => Self::Normal,
            "R" => Self::Restricted,
            _ => Self::VeryRestricted,
        }
    }
}

/// Whom a directive speaks of, from the least specific to the most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Anyone.
    Anyone,
    /// Whoever acts for a branch.
    Facility(FacilityId),
    /// Whoever holds a role.
    Role(String),
    /// One person.
    User(UserId),
}

impl Whom {
    /// How specific it is.
    pub fn rank(&self) -> usize {
        match self {
            Self::Anyone => 0,
            Self::Facility(_) => 1,
            Self::Role(_) => 2,
            Self::User(_) => 3,
        }
    }

    /// Whether it speaks of the actor. An exception for a role is not made for somebody who only looks through its
    /// eyes.
    pub fn is(&self, actor: &Actor, permit: bool) -> bool {
        match self {
            Self::Role(_) if permit && actor.view_as.is_some() => false,
            Self::Anyone => true,
            Self::Facility(facility) => actor.places().any(|place| place == *facility),
            Self::Role(code) => actor.roles.contains(code),
            Self::User(user) => actor.user == Some(*user),
        }
    }
}

/// What a patient allows or forbids at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Whether it allows.
    pub permit: bool,
    /// Which part of the record.
    pub class: RecordClass,
    /// To whom.
    pub whom: Whom,
}

/// What is known of a patient that decides about access.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The branches where they are known.
    pub known_at: Vec<FacilityId>,
    /// Whether the actor is in their care team.
    pub care_team: bool,
    /// Whether they are in care.
    pub in_care: bool,
    /// What they allow and forbid.
    pub directives: Vec<Directive>,
    /// Labels of the patient and of their rows.
    pub labels: Vec<(Uuid, Sensitivity)>,
}

/// What of a row decides about access.
#[derive(Debug, Clone, Copy, Default)]
pub struct Row {
    /// The row.
    pub id: Uuid,
    /// The encounter it hangs on.
    pub encounter: Option<Uuid>,
    /// The document that it adds to.
    pub document: Option<Uuid>,
    /// Its own branch; without one, it is where its patient is known.
    pub facility: Option<FacilityId>,
    /// Its clinician.
    pub practitioner: Option<PractitionerId>,
}

impl Row {
    /// A row without anything of its own: the patient, and what belongs to the patient alone.
    pub const fn of(id: Uuid) -> Self {
        Self { id, encounter: None, document: None, facility: None, practitioner: None }
    }
}

/// How an actor stands to one patient.
#[derive(Debug)]
pub struct Standing {
    patient: Uuid,
    facts: Facts,
    /// What directives take away.
    refused: PermissionSet,
    /// What emergency access opens.
    opened: PermissionSet,
    /// The system and operators are above labels and directives.
    exempt: bool,
}

/// What an actor may do with one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights {
    /// What they may.
    pub permissions: PermissionSet,
    granted: PermissionSet,
    refused: PermissionSet,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// No role permits it, here or under this condition.
    Permission,
    /// The patient forbids it.
    Consent,
    /// It is labelled as more sensitive.
    Sensitivity,
}

impl Rights {
    /// Of an actor whom no patient binds.
    pub const fn unbound(permissions: PermissionSet) -> Self {
        Self { permissions, granted: permissions, refused: PermissionSet::NONE }
    }

    /// Whether this is permitted: one bit.
    #[inline]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(permission)
    }

    /// Why it is not, if so.
    pub fn closed(&self, permission: Permission) -> Option<Closed> {
        if self.may(permission) {
            None
        } else if !self.granted.contains(permission) {
            Some(Closed::Permission)
        } else if self.refused.contains(permission) {
            Some(Closed::Consent)
        } else {
            Some(Closed::Sensitivity)
        }
    }
}

impl Standing {
    /// How the actor stands to the patient, from what is known of them.
    pub fn new(actor: &Actor, patient: PatientId, facts: Facts, now: DateTime<Utc>) -> Self {
        let opened = actor.opened(patient, now).intersection(actor.permissions);
        let refused = refused(actor, &facts.directives);
        Self { patient: patient.0, facts, refused, opened, exempt: actor.kind != ActorKind::User }
    }

    /// Loads what decides about the patients, with one statement. Unknown patients are absent.
    pub async fn load(
        db: &impl ConnectionTrait,
        actor: &Actor,
        patients: &[PatientId],
        now: DateTime<Utc>,
    ) -> Result<HashMap<PatientId, Arc<Self>>, Failure> {
        let ids: Vec<Uuid> = patients.iter().map(|patient| patient.0).collect();
        let mut found = Query::select();
        found
            .from(patient::Entity)
            .columns([patient::Column::Id, patient::Column::Status])
            .and_where(Expr::cust_with_values("patient.id = ANY($1)", [ids]));
        facts::bring(&mut found, actor, now);
        let mut standings = HashMap::with_capacity(patients.len());
        for row in db.query_all(&found).await? {
            let patient = row.try_get("", "id")?;
            let facts = Facts::from_query_result(&row, "")?;
            standings.insert(patient, Arc::new(Self::new(actor, patient, facts, now)));
        }
        Ok(standings)
    }

    /// What the actor may do with a row of the patient.
    pub fn on(&self, actor: &Actor, row: &Row) -> Rights {
        let own = self.is_own(actor, row);
        let granted = self.granted(actor, |grant| {
            grant.facility.is_none_or(|facility| self.is_at(row, facility))
                && grant.condition.is_none_or(|relation| self.holds(actor, row, own, relation))
        });
        self.rights(granted, own, self.level(row))
    }

    /// What the actor may do at the best with rows that hang on this one: whether a list of them is worth a look.
    pub fn at_best(&self, actor: &Actor, row: &Row) -> Rights {
        let own = actor.practitioner.is_some() || self.facts.care_team;
        self.rights(self.granted(actor, |_| true), own, self.level(row))
    }

    fn rights(&self, granted: PermissionSet, own: bool, level: Sensitivity) -> Rights {
        if self.exempt {
            return Rights::unbound(granted);
        }
        let restricted = granted.contains(Permission::PATIENT_RESTRICTED_READ);
        let withheld = match level {
            Sensitivity::Restricted if !restricted && !own => CONTENT,
            Sensitivity::VeryRestricted if !restricted || !(own || self.facts.care_team) => RECORD,
            _ => PermissionSet::NONE,
        };
        let permissions = granted.without(self.refused).without(withheld).union(self.opened);
        Rights { permissions, granted, refused: self.refused }
    }

    fn granted(&self, actor: &Actor, applies: impl Fn(&Grant) -> bool) -> PermissionSet {
        let applying = actor.grants.iter().filter(|grant| applies(grant));
        applying.fold(PermissionSet::NONE, |all, grant| all.union(grant.permissions))
    }

    fn is_at(&self, row: &Row, facility: FacilityId) -> bool {
        match row.facility {
            Some(own) => own == facility,
            None => self.facts.known_at.contains(&facility),
        }
    }

    /// Whether a relation holds between the actor and a row of the patient.
    fn holds(&self, actor: &Actor, row: &Row, own: bool, relation: Relation) -> bool {
        match relation {
            Relation::Own => own,
            Relation::CareTeam => self.facts.care_team,
            Relation::Facility => actor.facility.is_some_and(|facility| self.is_at(row, facility)),
            Relation::InCare => self.facts.in_care,
        }
    }

    /// Whether a condition that a field asks for holds; emergency access does not ask.
    pub fn fulfils(&self, actor: &Actor, row: &Row, relation: Relation) -> bool {
        self.exempt || self.holds(actor, row, self.is_own(actor, row), relation)
    }

    fn is_own(&self, actor: &Actor, row: &Row) -> bool {
        match row.practitioner {
            Some(practitioner) => actor.practitioner == Some(practitioner),
            None => row.id == self.patient && self.facts.care_team,
        }
    }

    /// What emergency access opens of this patient's record.
    pub fn opened(&self) -> PermissionSet {
        self.opened
    }

    /// The label that counts for a row: the highest of its own, its encounter's and its patient's.
    pub fn level(&self, row: &Row) -> Sensitivity {
        let about = |id: Uuid| {
            id == row.id || id == self.patient || row.encounter == Some(id) || row.document == Some(id)
        };
        let levels = self.facts.labels.iter().filter(|(id, _)| about(*id)).map(|(_, level)| *level);
        levels.max().unwrap_or(Sensitivity::Normal)
    }
}

/// What directives take from the actor: for each permission the most specific decides, and of equals the one
/// that denies.
fn refused(actor: &Actor, directives: &[Directive]) -> PermissionSet {
    let (mut refused, mut permitted) = (PermissionSet::NONE, PermissionSet::NONE);
    for rank in (0..4).rev() {
        let mut denied_here = PermissionSet::NONE;
        let mut permitted_here = PermissionSet::NONE;
        for directive in directives.iter().filter(|it| it.whom.rank() == rank && it.whom.is(actor, it.permit))
        {
            let set = if directive.permit { &mut permitted_here } else { &mut denied_here };
            *set = set.union(directive.class.permissions());
        }
        refused = refused.union(denied_here.without(permitted));
        permitted = permitted.union(permitted_here);
    }
    refused
}
