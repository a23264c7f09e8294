//! Patients and their keys, as a reading operation comes to know them: each is asked for once, and what is known is at hand.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard, PoisonError},
};

use praxis_entity::{ids::PatientId, patient};
use sea_orm::{DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryResult, sea_query::Expr};
use uuid::Uuid;

use super::{Op, Read};
use crate::{
    Failure,
    access::{Facts, Permission, Row, Standing, facts},
    vault::DataKey,
};

type Standings = HashMap<PatientId, Arc<Standing>>;

struct Found(patient::Model, Facts);

impl FromQueryResult for Found {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self(patient::Model::from_query_result(row, prefix)?, Facts::from_query_result(row, prefix)?))
    }
}

impl Op<Read> {
    /// Those of the patients of whom the actor may know, with one statement. How the actor stands to them is at hand
    /// from then on.
    pub async fn patients(&self, ids: &[PatientId]) -> Result<Vec<patient::Model>, Failure> {
        self.require(Permission::PATIENT_READ)?;
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let found = patient::Entity::find().filter(Expr::cust_with_values("patient.id = ANY($1)", [ids]));
        let found = facts::with_facts(found, self.actor(), self.now());
        let mut seen = Vec::new();
        for Found(row, facts) in found.into_model::<Found>().all(self.db()).await? {
            let standing = Arc::new(Standing::new(self.actor(), row.id, facts, self.now()));
            let rights = standing.on(self.actor(), &Row::from(&row));
            self.known().insert(row.id, standing);
            if rights.may(Permission::PATIENT_READ) {
                seen.push(row);
            }
        }
        Ok(seen)
    }

    /// How the actor stands to patients, with one statement for those that are not at hand. Unknown ones are absent.
    pub async fn standings_once(&self, patients: &[PatientId]) -> Result<Standings, Failure> {
        let (mut at_hand, mut missing) = (Standings::with_capacity(patients.len()), Vec::new());
        for patient in patients {
            match self.standing_at_hand(*patient) {
                Some(standing) => drop(at_hand.insert(*patient, standing)),
                None => missing.push(*patient),
            }
        }
        if !missing.is_empty() {
            let found = self.standings(&missing).await?;
            self.known().extend(found.iter().map(|(patient, standing)| (*patient, Arc::clone(standing))));
            at_hand.extend(found);
        }
        Ok(at_hand)
    }

    /// How the actor stands to a patient, if that is at hand.
    pub fn standing_at_hand(&self, patient: PatientId) -> Option<Arc<Standing>> {
        self.known().get(&patient).cloned()
    }

    /// The data key of a subject, if it is at hand.
    pub fn data_key_at_hand(&self, subject: Uuid) -> Option<Arc<DataKey>> {
        self.0.platform.keyring.data_at_hand(&self.0.tenant, subject)
    }

    fn known(&self) -> MutexGuard<'_, Standings> {
        self.0.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
