//! What is known of a patient at a visit: gathered before any rule is asked, and kept in memory only.

use chrono::{DateTime, Utc};
use praxis_entity::{
    encounter,
    observation::{self, Column, ObservationCategory, ObservationStatus},
    patient,
    rule::RuleCause,
    value::{CodeableConcept, ObservationValue},
};
use praxis_platform::Op;
use rust_decimal::prelude::ToPrimitive;
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Result, alerts,
    condition::{Fact, Facts},
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
const MOST: u64 = 200;

/// What is known on an occasion.
pub(super) async fn gather<M>(op: &Op<M>, cause: RuleCause, visit: &encounter::Model) -> Result<Facts> {
    let mut facts = Facts::default();
    facts.know("visit.class", Fact::Text(visit.class.to_value()));
    if let Some(started) = visit.started_at {
        facts.know("visit.minutes", Fact::Number(minutes(op.now(), started)));
    }
    of_patient(op, visit, &mut facts).await?;
    let measured = of_vitals(op, visit, &mut facts).await?;
    if cause == RuleCause::EncounterClosing {
        facts.know("visit.has_vitals", Fact::Flag(measured));
        facts.know("visit.open_tasks", counted(tasks::open(op, &[visit.id]).await?.len()));
        facts.know("visit.open_alerts", counted(alerts::unacknowledged(op, &[visit.id]).await?.len()));
    }
    Ok(facts)
}

async fn of_patient<M>(op: &Op<M>, visit: &encounter::Model, facts: &mut Facts) -> Result<()> {
    let Some(patient) = patient::Entity::find_by_id(visit.patient_id).one(op.db()).await? else {
        return Ok(());
    };
    facts.know("patient.sex", Fact::Text(patient.administrative_sex.to_value()));
    let key = op.data_key(patient.id.0).await?;
    let place = op.place("patient", patient.id.0, patient.id.0);
    let identity = op.open_unseen(&key, &place, &patient.identity).await?;
    if let Some(age) = identity.birth_date.age_on(op.now().date_naive()) {
        facts.know("patient.age", Fact::Number(f64::from(age)));
    }
    Ok(())
}

/// Takes the latest of each measurement; tells whether there is any.
async fn of_vitals<M>(op: &Op<M>, visit: &encounter::Model, facts: &mut Facts) -> Result<bool> {
    let vitals = observation::Entity::find()
        .filter(Column::EncounterId.eq(visit.id))
        .filter(Column::Category.eq(ObservationCategory::VitalSigns))
        .filter(Column::Status.is_in([
            ObservationStatus::Final,
            ObservationStatus::Amended,
            ObservationStatus::Corrected,
        ]))
        .order_by_desc(Column::EffectiveAt)
        .order_by_desc(Column::Id)
        .limit(MOST)
        .all(op.db())
        .await?;
    let key = op.data_key(visit.patient_id.0).await?;
    for row in &vitals {
        let place = op.place("observation", row.id.0, visit.patient_id.0);
        let result = op.open_unseen(&key, &place, &row.result).await?;
        let parts = result.components.iter().map(|part| (&part.code, part.value.as_ref()));
        for (code, value) in std::iter::once((&result.code, result.value.as_ref())).chain(parts) {
            if let Some((name, number)) = measured(code, value)
                && !facts.knows(name)
            {
                facts.know(name, Fact::Number(number));
            }
        }
    }
    Ok(!vitals.is_empty())
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

fn counted(number: usize) -> Fact {
    Fact::Number(u32::try_from(number).map_or(f64::from(u32::MAX), f64::from))
}

fn minutes(now: DateTime<Utc>, since: DateTime<Utc>) -> f64 {
    let minutes = (now - since).num_minutes().clamp(0, i64::from(i32::MAX));
    i32::try_from(minutes).map_or(0.0, f64::from)
}
