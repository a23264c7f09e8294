//! Patients and their keys, as a reading operation comes to know them: each is asked for once, and what is known is at hand.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard, PoisonError},
};

use praxis_entity::{ids::PatientId, patient};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryResult, QuerySelect,
    sea_query::{Expr, SelectStatement},
};
use uuid::Uuid;

use super::{Op, Read};
use crate::{
    Failure,
    access::{Facts, Permission, Row, Standing, facts},
    vault::DataKey,
};

type Standings = HashMap<PatientId, Arc<Standing>>;

impl Op<Read> {
    /// Those of the patients of whom the actor may know, with one statement. How the actor stands to them is at hand
    /// from then on.
    pub async fn patients(&self, ids: &[PatientId]) -> Result<Vec<patient::Model>, Failure> {
        self.require(Permission::PATIENT_READ)?;
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let mut found = patient::Entity::find().filter(Expr::cust_with_values("patient.id = ANY($1)", [ids]));
        self.bring_facts(QuerySelect::query(&mut found));
        let mut seen = Vec::new();
        for row in self.db().query_all(QuerySelect::query(&mut found)).await? {
            let row = self.patient_with_facts(&row)?;
            let standing = self.standing_at_hand(row.id);
            if standing.is_some_and(|it| it.on(self.actor(), &Row::from(&row)).may(Permission::PATIENT_READ))
            {
                seen.push(row);
            }
        }
        Ok(seen)
    }

    /// Has a query of patients bring along what decides about them.
    pub fn bring_facts(&self, patients: &mut SelectStatement) {
        facts::bring(patients, self.actor(), self.now());
    }

    /// A patient of such a query. How the actor stands to them is at hand from then on.
    pub fn patient_with_facts(&self, row: &QueryResult) -> Result<patient::Model, DbErr> {
        let patient = patient::Model::from_query_result(row, "")?;
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
