//! Whose row an object is, and what the reader may do with it: found out once per object, and for all patients of
//! an answer in one statement.

use std::sync::{Arc, OnceLock};

use praxis_entity::ids::PatientId;
use praxis_platform::access::{
    ActorKind, Closed, Permission, Rights, Row, Sensitivity, Standing,
    class::{OF_ROWS, ON_RECORD},
};
use uuid::Uuid;

use crate::{
    context::Caller,
    error::ApiError,
    policy::{At, Denied},
    redaction::Reason,
};

/// The patient and row that an object stands for.
pub(crate) struct Subject {
    /// Nobody for what belongs to the clinic itself.
    patient: Option<PatientId>,
    row: Row,
    known: OnceLock<(Option<Arc<Standing>>, Rights)>,
}

impl Subject {
    /// The subject of an object.
    pub(crate) fn new(patient: PatientId, row: impl Into<Row>) -> Arc<Self> {
        Arc::new(Self { patient: Some(patient), row: row.into(), known: OnceLock::new() })
    }

    /// The subject of an object that concerns no patient: what a role permits decides alone.
    pub(crate) fn of_the_clinic() -> Arc<Self> {
        Arc::new(Self { patient: None, row: Row::default(), known: OnceLock::new() })
    }

    /// Under whose key the object's words are sealed.
    pub(crate) fn owner(&self, caller: &Caller) -> Uuid {
        self.patient.map_or_else(|| caller.tenant().uuid(), |patient| patient.0)
    }

    /// Whether it concerns a patient, whose disclosures are written down.
    pub(crate) fn is_a_patients(&self) -> bool {
        self.patient.is_some()
    }

    async fn known(&self, caller: &Caller) -> Result<&(Option<Arc<Standing>>, Rights), ApiError> {
        if let Some(known) = self.known.get() {
            return Ok(known);
        }
        let actor = caller.actor();
        let known = match self.patient {
            Some(patient) if actor.kind == ActorKind::User => {
                let standing = standing(caller, patient).await?;
                let rights =
                    standing.as_ref().map(|standing| standing.on(actor, &self.row)).unwrap_or_default();
                (standing, rights)
            }
            // The system and operators are bound by what they may in general, and by no patient.
            _ => (None, Rights::unbound(actor.permissions)),
        };
        Ok(self.known.get_or_init(|| known))
    }

    /// What the reader may do with the row.
    pub(crate) async fn rights(&self, caller: &Caller) -> Result<Rights, ApiError> {
        Ok(self.known(caller).await?.1)
    }

    /// Why a field of the row is closed to the reader, if it is.
    pub(crate) async fn closed(&self, caller: &Caller, at: &At) -> Result<Option<Reason>, ApiError> {
        if let Err(denied) = caller.check(at) {
            return Ok(Some(denied.into()));
        }
        let Some(permission) = at.permission() else { return Ok(None) };
        let (standing, rights) = self.known(caller).await?;
        if let Some(closed) = rights.closed(permission) {
            return Ok(Some(Reason::of(closed, permission)));
        }
        // What the clinic asks for has to hold for this row as well.
        for extra in caller.extra(at) {
            if let Some(asked) = extra.permission.filter(|asked| ON_RECORD.contains(*asked))
                && let Some(closed) = rights.closed(asked)
            {
                return Ok(Some(Reason::of(closed, asked)));
            }
            if let (Some(relation), Some(standing)) = (extra.condition, standing)
                && !standing.opened().contains(permission)
                && !standing.fulfils(caller.actor(), &self.row, relation)
            {
                return Ok(Some(Reason::of(Closed::Permission, permission)));
            }
        }
        Ok(None)
    }

    /// Why a list of rows of the same patient is closed to the reader as a whole, if it is. Where only some rows
    /// may be, the list is shorter; rows that are all as open as their patient are all there or none.
    pub(crate) async fn closed_list(&self, caller: &Caller, at: &At) -> Result<Option<Reason>, ApiError> {
        if let Err(denied) = caller.check(at) {
            return Ok(Some(denied.into()));
        }
        let Some(permission) = at.permission() else { return Ok(None) };
        let (standing, rights) = self.known(caller).await?;
        let rights = match standing {
            Some(standing) if OF_ROWS.contains(permission) => standing.at_best(caller.actor(), &self.row),
            _ => *rights,
        };
        Ok(rights.closed(permission).map(|closed| Reason::of(closed, permission)))
    }

    /// How sensitive the row is.
    pub(crate) async fn level(&self, caller: &Caller) -> Result<Sensitivity, ApiError> {
        let Some(patient) = self.patient else { return Ok(Sensitivity::Normal) };
        let standing = standing(caller, patient).await?;
        Ok(standing.map_or(Sensitivity::Normal, |standing| standing.level(&self.row)))
    }

    /// What the reader may do with the row, as codes: what their roles permit for the records of patients.
    pub(crate) async fn permissions(&self, caller: &Caller) -> Result<Vec<&'static str>, ApiError> {
        let rights = self.rights(caller).await?;
        let here = rights.permissions.intersection(ON_RECORD);
        Ok(here.iter().map(Permission::code).collect())
    }
}

/// How the reader stands to a patient: at once if that is at hand, else with the others that are asked for.
async fn standing(caller: &Caller, patient: PatientId) -> Result<Option<Arc<Standing>>, ApiError> {
    match caller.reading().standing_at_hand(patient) {
        Some(standing) => Ok(Some(standing)),
        None => caller.loaders().standings.load(patient).await,
    }
}

impl From<Denied> for Reason {
    fn from(denied: Denied) -> Self {
        Self::Permission(match denied {
            Denied::Lacks(permission) => Some(permission),
            Denied::SignIn | Denied::SecondFactor | Denied::NoRule => None,
        })
    }
}
