//! What makes a rule be asked, and what is known then.

use praxis_entity::rule::RuleCause;

use crate::condition::{Kind, Vocabulary};

/// A fact that conditions may use.
#[derive(Debug, Clone, Copy)]
pub struct FactSpec {
    /// Its name, `group.name`.
    pub name: &'static str,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What it means, and in which unit it is.
    pub meaning: &'static str,
    /// Known when a visit is closed only.
    pub on_closing: bool,
}

const fn fact(name: &'static str, kind: Kind, meaning: &'static str) -> FactSpec {
    FactSpec { name, kind, meaning, on_closing: false }
}

const fn on_closing(name: &'static str, kind: Kind, meaning: &'static str) -> FactSpec {
    FactSpec { name, kind, meaning, on_closing: true }
}

/// Every fact there is. What was not measured or recorded is unknown.
pub const FACTS: &[FactSpec] = &[
    fact("patient.age", Kind::Number, "Age in full years."),
    fact("patient.sex", Kind::Text, "Administrative sex: MALE, FEMALE, OTHER or UNKNOWN."),
    fact("visit.class", Kind::Text, "Setting: AMBULATORY, INPATIENT, EMERGENCY, HOME, VIRTUAL or OTHER."),
    fact("visit.minutes", Kind::Number, "Minutes since the visit began."),
    fact("vitals.systolic", Kind::Number, "Systolic blood pressure in mm[Hg], the latest of the visit."),
    fact("vitals.diastolic", Kind::Number, "Diastolic blood pressure in mm[Hg], the latest of the visit."),
    fact("vitals.heart_rate", Kind::Number, "Heart rate per minute, the latest of the visit."),
    fact("vitals.respiratory_rate", Kind::Number, "Breaths per minute, the latest of the visit."),
    fact("vitals.temperature", Kind::Number, "Body temperature in Cel, the latest of the visit."),
    fact("vitals.spo2", Kind::Number, "Oxygen saturation in %, the latest of the visit."),
    fact("vitals.weight", Kind::Number, "Body weight in kg, the latest of the visit."),
    on_closing("visit.open_tasks", Kind::Number, "Tasks of the visit that are still open."),
    on_closing("visit.open_alerts", Kind::Number, "Alerts of the visit to which nobody has replied."),
    on_closing("visit.has_vitals", Kind::Flag, "Whether any vital sign was recorded at the visit."),
];

/// The facts that are known on an occasion.
pub fn facts_of(cause: RuleCause) -> impl Iterator<Item = &'static FactSpec> {
    FACTS.iter().filter(move |fact| !fact.on_closing || cause == RuleCause::EncounterClosing)
}

/// The names that a condition may use on an occasion.
pub fn vocabulary(cause: RuleCause) -> Vocabulary {
    facts_of(cause).map(|fact| (fact.name.to_owned(), fact.kind)).collect()
}
