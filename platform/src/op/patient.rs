//! Patients and their keys, as a reading operation comes to know them: each is asked for once, and what is known is at hand.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard, PoisonError},
};

use praxis_entity::{ids::PatientId, patient, place::ByPlace};
use sea_orm::{DbErr, FromQueryResult, QueryResult, sea_query::SelectStatement};
use uuid::Uuid;

use super::{Op, Read};
use crate::{
    Failure,
    access::{Facts, Standing, facts},
    vault::DataKey,
};

type Standings = HashMap<PatientId, Arc<Standing>>;

impl Op<Read> {
    /// Has a query of patients bring along what decides about them.
    pub fn bring_facts(&self, patients: &mut SelectStatement) {
        facts::bring(patients, self.actor(), self.now());
    }

    /// A patient of such a query, whose columns come first. How the actor stands to them is at hand from then on.
    pub fn patient_with_facts(&self, row: &QueryResult) -> Result<patient::Model, DbErr> {
        let patient = patient::Model::at(row, 0)?;
        let standing =
            Standing::new(self.actor(), patient.id, Facts::from_query_result(row, "")?, self.now());
        self.known().insert(patient.id, Arc::new(standing));
        Ok(patient)
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
