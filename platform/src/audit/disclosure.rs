//! What an operation opened so far, to be written down as one entry.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

/// Patients and sensitivity classes that were opened for somebody to read.
#[derive(Debug, Default)]
pub struct Disclosures(Mutex<Opened>);

#[derive(Debug, Default)]
struct Opened {
    patients: BTreeSet<Uuid>,
    classes: BTreeSet<&'static str>,
}

impl Disclosures {
    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a class of a patient's data was opened.
    pub fn note(&self, patient: Uuid, class: &'static str) {
        let mut opened = self.opened();
        opened.patients.insert(patient);
        opened.classes.insert(class);
    }

    /// What was opened since the last call, if anything.
    pub fn take(&self) -> Option<(Vec<Uuid>, Vec<String>)> {
        let opened = std::mem::take(&mut *self.opened());
        (!opened.classes.is_empty()).then(|| {
            (opened.patients.into_iter().collect(), opened.classes.into_iter().map(str::to_owned).collect())
        })
    }

    /// True while something opened has not been written down.
    pub fn pending(&self) -> bool {
        !self.opened().classes.is_empty()
    }
}
