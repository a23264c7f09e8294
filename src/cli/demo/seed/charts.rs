//! Patients with their visits, and what was found there.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use praxis_domain::{
    charting, encounters, history,
    patients::register,
    scheduling::{BookAppointment, CancelReason, advance, book, cancel, mark_no_show},
};
use praxis_entity::{
    appointment::{self, AppointmentStatus, Modality},
    encounter::EncounterClass,
    ids::PatientId,
};
use praxis_platform::{Op, OpFactory, Write};

use super::{
    super::{
        clinical::{History, PastVisit},
        clinics::Clinic,
        people::Person,
        random::Random,
        schedule::{Fate, Plan},
    },
    clinic::Premises,
};

/// Why patients say they come.
const REASONS: &[&str] = &[
    "Cough for two weeks",
    "Repeat prescription",
    "Blood pressure check",
    "Knee pain when climbing stairs",
    "Test results",
    "Tired all the time",
    "Rash on both arms",
    "Follow-up as agreed",
];

/// Writes the charts of a clinic.
pub(super) struct Charts {
    pub clinic: &'static Clinic,
    pub premises: Premises,
    pub seed: u64,
    pub now: OpFactory,
    pub instant: DateTime<Utc>,
}

/// Somebody taken into care, with the visits booked.
pub(super) struct TakenIn {
    patient: PatientId,
    person: Person,
    booked: Vec<(appointment::Model, Fate)>,
}

impl Charts {
    /// Registers people and books their visits, in one transaction.
    pub(super) async fn register_and_book(
        &self,
        then: &OpFactory,
        first: usize,
        people: &[Person],
        plans: &[Plan],
    ) -> Result<Vec<TakenIn>> {
        let op = then.write().await?;
        let mut taken_in = Vec::with_capacity(people.len());
        for (index, person) in people.iter().enumerate() {
            let patient = register(&op, person.registration(self.clinic.country)).await?.patient.id;
            let mut random = Random::new(self.seed, &format!("{} reasons", person.mrn));
            let mut booked = Vec::new();
            for plan in plans.iter().filter(|plan| plan.patient == first + index) {
                let visit = self.premises.visits.get(plan.visit).context("no such kind of visit")?;
                let (practitioner, facility, room) =
                    *self.premises.clinicians.get(plan.clinician).context("no such clinician")?;
                let wish = BookAppointment {
                    patient,
                    practitioner,
                    facility: Some(facility),
                    devices: Vec::new(),
                    overbook: false,
                    room: Some(room).filter(|_| visit.modality == Modality::InPerson),
                    visit_type: Some(visit.id),
                    modality: visit.modality,
                    starts_at: plan.hour + TimeDelta::minutes(i64::from(visit.buffer_before_minutes)),
                    duration_minutes: u32::try_from(visit.duration_minutes)?,
                    reason: Some(random.text(REASONS).to_owned()),
                };
                booked.push((book(&op, wish).await?, plan.fate));
            }
            taken_in.push(TakenIn { patient, person: person.clone(), booked });
        }
        op.commit().await?;
        Ok(taken_in)
    }

    /// Writes what became of the visits and what was found, in one transaction.
    pub(super) async fn write(self: Arc<Self>, taken_in: Vec<TakenIn>) -> Result<()> {
        let op = self.now.write().await?;
        let (mut encounters, mut problems, mut details) = (Vec::new(), Vec::new(), Vec::new());
        for TakenIn { patient, person, booked } in taken_in {
            let mut random = Random::new(self.seed, &person.mrn);
            let mut visits = self.earlier_visits(&mut random, &person);
            for (appointment, fate) in booked {
                visits.extend(self.carry_out(&op, appointment, fate).await?);
            }
            let today = self.instant.with_timezone(&self.premises.zone).date_naive();
            let history = Arc::new(History::of(&mut random, &person, person.died.unwrap_or(today)));
            if let Some(first) = visits.first() {
                problems.extend(history.problems(patient, first.practitioner));
            }
            for visit in visits {
                let (encounter, acute) = history.encounter(&mut random, patient, &visit, self.premises.zone);
                encounters.push(encounter);
                details.push((patient, visit, acute, Arc::clone(&history), random.clone()));
            }
        }
        let stored = encounters::record_many(&op, encounters).await?;
        let mut observations = Vec::new();
        for (encounter, (patient, visit, acute, history, mut random)) in stored.iter().zip(details) {
            let zone = self.premises.zone;
            observations.extend(history.observations(&mut random, patient, encounter.id, &visit, zone));
            problems.extend(acute.map(|disease| {
                History::diagnosis(patient, encounter.id, &visit, disease, self.instant, zone)
            }));
        }
        charting::record_many(&op, observations).await?;
        history::record_many(&op, problems).await?;
        op.commit().await?;
        Ok(())
    }

    fn earlier_visits(&self, random: &mut Random, person: &Person) -> Vec<PastVisit> {
        let zone = self.premises.zone;
        let today = self.instant.with_timezone(&zone).date_naive();
        let places: Vec<_> = self.premises.clinicians.iter().map(|(who, place, _)| (*who, *place)).collect();
        let hospital = self.clinic.template == "hospital";
        let mut visits =
            History::earlier_visits(random, &places, hospital, zone, person.died.unwrap_or(today));
        visits.retain(|visit| visit.from.date_naive() > person.born);
        visits
    }

    /// Brings an appointment to where it would be by now; a visit that took place is returned.
    async fn carry_out(
        &self,
        op: &Op<Write>,
        booked: appointment::Model,
        fate: Fate,
    ) -> Result<Option<PastVisit>> {
        let over = booked.ends_at < self.instant;
        let (id, version) = (booked.id, booked.version);
        match fate {
            Fate::TakesPlace { confirmed: false } if !over => {}
            Fate::TakesPlace { confirmed: true } if !over => {
                advance(op, id, version, AppointmentStatus::Confirmed).await?;
            }
            Fate::TakesPlace { .. } => {
                let mut current = version;
                for next in [
                    AppointmentStatus::CheckedIn,
                    AppointmentStatus::InProgress,
                    AppointmentStatus::Completed,
                ] {
                    current = advance(op, id, current, next).await?.version;
                }
                let in_person = booked.modality == Modality::InPerson;
                return Ok(Some(PastVisit {
                    appointment: Some(id),
                    practitioner: booked.practitioner_id,
                    facility: booked.facility_id,
                    class: if in_person { EncounterClass::Ambulatory } else { EncounterClass::Virtual },
                    from: booked.starts_at,
                    until: booked.ends_at,
                }));
            }
            Fate::FallsThrough if over => {
                mark_no_show(op, id, version).await?;
            }
            Fate::FallsThrough | Fate::CalledOff => {
                let why = CancelReason {
                    code: Some("pat".to_owned()),
                    text: Some("The patient called".to_owned()),
                };
                cancel(op, id, version, why).await?;
            }
        }
        Ok(None)
    }
}
