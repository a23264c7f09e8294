//! What is known of patients at visits: gathered before any rule is asked, with the same few statements however many
//! visits there are, and kept in memory only.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use praxis_entity::{
    encounter,
    ids::EncounterId,
    observation::{self, Column, ObservationCategory, ObservationStatus},
    patient,
    rule::RuleCause,
    value::{CodeableConcept, ObservationValue},
};
use praxis_platform::{Failure, Op, literal::Literal, vault::DataKey};
use rust_decimal::prelude::ToPrimitive;
use sea_orm::{ActiveEnum, ColumnTrait, Condition, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    PageRequest, Result, Slice, alerts,
    condition::{Fact, Facts},
    page::{Ordering, any_of, list_under},
    tasks,
};

/// The measurements that become facts: code of LOINC, name, and the UCUM unit that the fact is in.
const MEASURES: &[(&str, &str, &str)] = &[
    ("8480-6", "vitals.systolic", "mm[Hg]"),
    ("8462-4", "vitals.diastolic", "mm[Hg]"),
    ("8867-4", "vitals.heart_rate", "/min"),
    ("9279-1", "vitals.respiratory_rate", "/min"),
    ("8310-5", "vitals.temperature", "Cel"),
    ("59408-5", "vitals.spo2", "%"),
    ("2708-6", "vitals.spo2", "%"),
    ("29463-7", "vitals.weight", "kg"),
];

/// The most measurements of a visit that are looked at: the latest.
const MOST: u32 = 200;

/// What is known at a visit.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) facts: Facts,
    /// Which measurement a fact comes of.
    measured: BTreeMap<&'static str, Uuid>,
}

impl Known {
    /// The measurements that some facts come of.
    pub(super) fn measurements(&self, names: &[String]) -> Vec<Uuid> {
        let of = |name: &String| self.measured.get(name.as_str()).copied();
        let found: BTreeSet<Uuid> = names.iter().filter_map(of).collect();
        found.into_iter().collect()
    }
}

/// What is known at each visit on an occasion.
pub(super) async fn gather<M>(
    op: &Op<M>,
    cause: RuleCause,
    visits: &[&encounter::Model],
) -> Result<HashMap<EncounterId, Known>> {
    let ids: Vec<_> = visits.iter().map(|visit| visit.id).collect();
    let patients: BTreeSet<Uuid> = visits.iter().map(|visit| visit.patient_id.0).collect();
    let patients: Vec<Uuid> = patients.into_iter().collect();
    let keys = op.data_keys(&patients).await?;
    let persons = patient::Entity::find().filter(any_of(patient::Column::Id, patients)).all(op.db()).await?;
    let persons: HashMap<_, _> = persons.into_iter().map(|person| (person.id, person)).collect();
    let mut vitals = vitals(op, &ids).await?;
    let closing = cause == RuleCause::EncounterClosing;
    let (mut open_tasks, mut open_alerts) = (HashMap::new(), HashMap::new());
    if closing {
        for task in tasks::open(op, &ids).await? {
            *open_tasks.entry(task.encounter_id).or_insert(0_u32) += 1;
        }
        for alert in alerts::unacknowledged(op, &ids).await? {
            *open_alerts.entry(alert.encounter_id).or_insert(0_u32) += 1;
        }
    }
    let mut gathered = HashMap::with_capacity(visits.len());
    for visit in visits {
        let key = keys.get(&visit.patient_id.0).ok_or(Failure::KeyUnavailable)?;
        let mut known = Known::default();
        let facts = &mut known.facts;
        facts.know("visit.class", Fact::Text(visit.class.to_value()));
        if let Some(started) = visit.started_at {
            facts.know("visit.minutes", Fact::Number(minutes(op.now(), started)));
        }
        if let Some(person) = persons.get(&visit.patient_id) {
            of_patient(op, key, person, facts).await?;
        }
        let vitals = vitals.remove(&visit.id).unwrap_or_default().rows;
        if closing {
            let count = |of: &HashMap<_, u32>| of.get(&Some(visit.id)).copied().unwrap_or_default();
            facts.know("visit.has_vitals", Fact::Flag(!vitals.is_empty()));
            facts.know("visit.open_tasks", Fact::Number(count(&open_tasks).into()));
            facts.know("visit.open_alerts", Fact::Number(count(&open_alerts).into()));
        }
        of_vitals(op, key, &vitals, &mut known).await?;
        gathered.insert(visit.id, known);
    }
    Ok(gathered)
}

async fn of_patient<M>(op: &Op<M>, key: &DataKey, person: &patient::Model, facts: &mut Facts) -> Result<()> {
    facts.know("patient.sex", Fact::Text(person.administrative_sex.to_value()));
    let place = op.place("patient", person.id.0, person.id.0);
    let identity = op.open_unseen(key, &place, &person.identity).await?;
    if let Some(age) = identity.birth_date.age_on(op.now().date_naive()) {
        facts.know("patient.age", Fact::Number(f64::from(age)));
    }
    Ok(())
}

/// The measurements of each visit, the latest first.
async fn vitals<M>(
    op: &Op<M>,
    visits: &[EncounterId],
) -> Result<HashMap<EncounterId, Slice<observation::Model>>> {
    let wanted = Condition::all().add(Column::Category.eq(ObservationCategory::VitalSigns)).add(
        Column::Status.is_one_of(&[
            ObservationStatus::Final,
            ObservationStatus::Amended,
            ObservationStatus::Corrected,
        ]),
    );
    let latest = Ordering { column: Some(Column::EffectiveAt), id: Column::Id, descending: true };
    let (column, most) = (Column::EncounterId, PageRequest::first(MOST));
    Ok(list_under::<observation::Entity, _>(op.db(), visits, column, wanted, &latest, &most).await?)
}

/// Takes the latest of each measurement.
async fn of_vitals<M>(
    op: &Op<M>,
    key: &DataKey,
    vitals: &[observation::Model],
    known: &mut Known,
) -> Result<()> {
    for row in vitals {
        let place = op.place("observation", row.id.0, row.patient_id.0);
        let result = op.open_unseen(key, &place, &row.result).await?;
        let parts = result.components.iter().map(|part| (&part.code, part.value.as_ref()));
        for (code, value) in std::iter::once((&result.code, result.value.as_ref())).chain(parts) {
            if let Some((name, number)) = measured(code, value)
                && !known.facts.knows(name)
            {
                known.facts.know(name, Fact::Number(number));
                known.measured.insert(name, row.id.0);
            }
        }
    }
    Ok(())
}

/// A measurement as a fact. One in another unit than its fact's is not taken for it.
fn measured(code: &CodeableConcept, value: Option<&ObservationValue>) -> Option<(&'static str, f64)> {
    let Some(ObservationValue::Quantity(quantity)) = value else { return None };
    if quantity.comparator.is_some() {
        return None;
    }
    let loinc = code.codings.iter().filter(|coding| coding.system == "http://loinc.org");
    let (_, name, _) = loinc
        .flat_map(|coding| {
            MEASURES.iter().filter(move |(code, _, unit)| *code == coding.code && *unit == quantity.code)
        })
        .next()?;
    Some((name, quantity.value.to_f64()?))
}

fn minutes(now: DateTime<Utc>, since: DateTime<Utc>) -> f64 {
    let minutes = (now - since).num_minutes().clamp(0, i64::from(i32::MAX));
    i32::try_from(minutes).map_or(0.0, f64::from)
}
