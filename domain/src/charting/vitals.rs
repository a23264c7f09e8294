//! Vital signs, as they are taken at a visit: each an observation of its own, all of one round together.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    encounter,
    ids::{EncounterId, PractitionerId},
    observation::{self, Column, ObservationCategory, ObservationStatus},
    value::{CodeableConcept, Component, ObservationResult, ObservationValue, Quantity},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Table},
    audit::Entry,
    literal::Literal,
};
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value, sea_query::Expr};
use uuid::Uuid;

use super::{
    Measure,
    measure::{body_mass_index, loinc},
    record::{RecordObservation, store},
};
use crate::{
    Result, ViolationCode, encounters,
    error::Violations,
    event::{self, Event},
    page::{PageRequest, Slice, any_of},
};

/// LOINC's panel of systolic and diastolic pressure.
const BLOOD_PRESSURE: (&str, &str) = ("85354-9", "Blood pressure panel with all children optional");
/// LOINC's level of consciousness.
pub(super) const CONSCIOUSNESS: (&str, &str) = ("80288-4", "Level of consciousness");

/// How awake somebody is: ACVPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consciousness {
    /// Awake and clear.
    Alert,
    /// Newly confused.
    Confusion,
    /// Answers to a voice.
    Voice,
    /// Answers to pain.
    Pain,
    /// Does not answer.
    Unresponsive,
}

impl Consciousness {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Alert, Self::Confusion, Self::Voice, Self::Pain, Self::Unresponsive];

    fn text(self) -> &'static str {
        match self {
            Self::Alert => "Alert",
            Self::Confusion => "New confusion",
            Self::Voice => "Responds to voice",
            Self::Pain => "Responds to pain",
            Self::Unresponsive => "Unresponsive",
        }
    }

    /// What was recorded under this text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.text() == text)
    }
}

/// One value as it was read off: where it stands in the input, and in which unit it is.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What.
    pub measure: Measure,
    /// How much.
    pub value: Decimal,
    /// UCUM code of the unit.
    pub unit: String,
    /// Path of the field in the input.
    pub path: &'static [&'static str],
}

/// What was measured in one round.
#[derive(Debug, Clone, Default)]
pub struct Round {
    /// When; now if it is not given.
    pub taken_at: Option<DateTime<Utc>>,
    /// The values.
    pub readings: Vec<Reading>,
    /// How awake.
    pub consciousness: Option<Consciousness>,
}

/// A round as it is recorded.
#[derive(Debug, Clone)]
pub struct VitalSigns {
    /// What keeps the round together.
    pub id: Uuid,
    /// In which visit.
    pub encounter: encounter::Model,
    /// When it was taken.
    pub taken_at: Option<DateTime<Utc>>,
    /// By whom.
    pub taken_by: Option<PractitionerId>,
    /// The observations.
    pub observations: Vec<observation::Model>,
}

/// Records a round of vital signs. Whoever measures and whoever writes the assessment don't get in each other's way:
/// the visit's version stays.
pub async fn record_vitals(op: &Op<Write>, id: EncounterId, round: Round) -> Result<VitalSigns> {
    let step = encounters::begin(op, Permission::VITALS_RECORD, "vitalsRecord", (id, None)).await?;
    let (encounter, now) = (step.into_stored(), op.now());
    let taken_at = round.taken_at.unwrap_or(now);
    let results = judged(&round, taken_at, now)?;
    let together = op.new_id();
    let rows = results.into_iter().map(|result| RecordObservation {
        patient: encounter.patient_id,
        encounter: Some(id),
        performer: op.actor().practitioner,
        category: ObservationCategory::VitalSigns,
        status: ObservationStatus::Final,
        effective_at: Some(taken_at),
        issued_at: Some(now),
        result,
    });
    let observations = store(op, rows.collect(), Some(together)).await?;
    event::happened(op, Event::VitalsRecorded { encounter: id, patient: encounter.patient_id }).await?;
    let entry = Entry::done("vitals.record").on("Encounter", id.0, encounter.version);
    op.record(entry.of(encounter.patient_id.0));
    let taken_by = op.actor().practitioner;
    Ok(VitalSigns { id: together, encounter, taken_at: Some(taken_at), taken_by, observations })
}

/// The results, each in the unit in which it is kept; all that is wrong is said at once.
fn judged(round: &Round, taken_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<Vec<ObservationResult>> {
    let mut found = Violations::default();
    if taken_at > now + TimeDelta::minutes(5) || taken_at < now - TimeDelta::days(366) {
        found.add(ViolationCode::OutOfRange, &["takenAt"], "Give a time within the last year.");
    }
    if round.readings.is_empty() && round.consciousness.is_none() {
        found.add(ViolationCode::Required, &[], "Give at least one measurement.");
    }
    let mut kept: HashMap<Measure, (Quantity, Option<String>)> = HashMap::new();
    for reading in &round.readings {
        match reading.measure.kept(reading.value, &reading.unit) {
            Ok(quantity) => {
                kept.insert(reading.measure, quantity);
            }
            Err(wrong) => found.add(ViolationCode::OutOfRange, reading.path, wrong),
        }
    }
    let value = |measure: Measure| kept.get(&measure).map(|(quantity, _)| quantity.value);
    let (systolic, diastolic) = (value(Measure::Systolic), value(Measure::Diastolic));
    if systolic.zip(diastolic).is_some_and(|(systolic, diastolic)| diastolic >= systolic) {
        let message = "The diastolic pressure is not below the systolic.";
        found.add(ViolationCode::OutOfRange, &["bloodPressure", "diastolic"], message);
    }
    if let Some(index) = value(Measure::Weight)
        .zip(value(Measure::Height))
        .and_then(|(weight, height)| body_mass_index(weight, height))
    {
        kept.insert(Measure::BodyMassIndex, (Measure::BodyMassIndex.quantity(index), None));
    }
    found.check()?;
    Ok(results(kept, round.consciousness))
}

fn results(
    mut kept: HashMap<Measure, (Quantity, Option<String>)>,
    consciousness: Option<Consciousness>,
) -> Vec<ObservationResult> {
    let mut results = Vec::new();
    let mut pressure = result(loinc(BLOOD_PRESSURE.0, BLOOD_PRESSURE.1), None);
    for measure in [Measure::Systolic, Measure::Diastolic] {
        if let Some((quantity, given)) = kept.remove(&measure) {
            pressure.components.push(Component {
                code: measure.concept(),
                value: Some(ObservationValue::Quantity(quantity)),
                absent_reason: None,
                interpretations: Vec::new(),
                reference_ranges: Vec::new(),
            });
            pressure.notes.extend(given.map(measured_as));
        }
    }
    if !pressure.components.is_empty() {
        results.push(pressure);
    }
    let mut rest: Vec<_> = kept.into_iter().collect();
    rest.sort_unstable_by_key(|(measure, _)| *measure);
    for (measure, (quantity, given)) in rest {
        let mut single = result(measure.concept(), Some(ObservationValue::Quantity(quantity)));
        single.notes.extend(given.map(measured_as));
        results.push(single);
    }
    if let Some(consciousness) = consciousness {
        let level = CodeableConcept { text: Some(consciousness.text().to_owned()), codings: Vec::new() };
        let code = loinc(CONSCIOUSNESS.0, CONSCIOUSNESS.1);
        results.push(result(code, Some(ObservationValue::Concept(level))));
    }
    results
}

fn measured_as(given: String) -> String {
    format!("Measured as {given}.")
}

fn result(code: CodeableConcept, value: Option<ObservationValue>) -> ObservationResult {
    ObservationResult {
        code,
        value,
        absent_reason: None,
        interpretations: Vec::new(),
        reference_ranges: Vec::new(),
        components: Vec::new(),
        body_site: None,
        method: None,
        notes: Vec::new(),
        effective: None,
        issued: None,
    }
}

/// The latest rounds of each visit, at most so many of each.
const LATEST: &str = "taken_together IN (SELECT latest.id FROM unnest($1::uuid[]) AS visit (id) CROSS JOIN LATERAL (
    SELECT o.taken_together AS id FROM observation o
    WHERE o.encounter_id = visit.id AND o.taken_together IS NOT NULL AND o.status <> 'ENTERED_IN_ERROR'
    GROUP BY o.taken_together ORDER BY max(o.effective_at) DESC NULLS LAST, o.taken_together DESC LIMIT $2) AS latest)";

/// The rounds of each visit, the latest first, at most so many of each.
pub async fn vitals_of<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    first: u32,
) -> Result<HashMap<EncounterId, Slice<VitalSigns>>> {
    let ids: Vec<Uuid> = encounters.iter().map(|id| id.0).collect();
    let latest = Expr::cust_with_values(LATEST, [Value::from(ids), (i64::from(first) + 1).into()]);
    let rounds = rounds(op, encounters, latest).await?.into_iter();
    Ok(rounds.map(|(visit, rounds)| (visit, Slice::cut(rounds, &PageRequest::first(first)))).collect())
}

/// One round of a visit.
pub async fn round_of<M>(op: &Op<M>, encounter: EncounterId, id: Uuid) -> Result<Option<VitalSigns>> {
    let found = rounds(op, &[encounter], Column::TakenTogether.eq(id)).await?.remove(&encounter);
    Ok(found.and_then(|mut rounds| rounds.pop()))
}

async fn rounds<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    which: Expr,
) -> Result<HashMap<EncounterId, Vec<VitalSigns>>> {
    op.require(Permission::OBSERVATION_READ)?;
    let ids = encounters.iter().map(|id| id.0).collect();
    let rows = observation::Entity::find()
        .filter(any_of(Column::EncounterId, ids))
        .filter(which)
        .filter(Column::Status.is_not(ObservationStatus::EnteredInError))
        .filter(op.permitted(Permission::OBSERVATION_READ, Table::Observation))
        .order_by_desc(Column::EffectiveAt)
        .order_by_asc(Column::Id)
        .all(op.db())
        .await?;
    let visits = encounters::by_ids(op, encounters).await?;
    let visits: HashMap<_, _> = visits.into_iter().map(|visit| (visit.id, visit)).collect();
    let mut of: HashMap<EncounterId, Vec<VitalSigns>> = HashMap::new();
    for row in rows {
        let (Some(id), Some(encounter)) = (row.taken_together, row.encounter_id) else { continue };
        let rounds = of.entry(encounter).or_default();
        if let Some(round) = rounds.iter_mut().find(|round| round.id == id) {
            round.observations.push(row);
        } else if let Some(visit) = visits.get(&encounter) {
            rounds.push(VitalSigns {
                id,
                encounter: visit.clone(),
                taken_at: row.effective_at,
                taken_by: row.performer_id,
                observations: vec![row],
            });
        }
    }
    Ok(of)
}
