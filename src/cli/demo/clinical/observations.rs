//! Vital signs and laboratory results that fit a body and its diseases.

use chrono::{DateTime, Utc};
use praxis_domain::charting::RecordObservation;
use praxis_entity::{
    ids::{EncounterId, PatientId, PractitionerId},
    observation::{ObservationCategory, ObservationStatus},
    value::{
        CodeableConcept, Component, Moment, ObservationResult, ObservationValue, Quantity, ReferenceRange,
    },
};
use rust_decimal::Decimal;

use super::{
    super::random::Random,
    codes::{coding, loinc, snomed},
};

/// What a body measures.
#[derive(Debug)]
pub(in crate::cli::demo) struct Body {
    age: u32,
    male: bool,
    hypertensive: bool,
    diabetic: bool,
    height_cm: i64,
    weight_kg: i64,
    smoking: (&'static str, &'static str),
}

/// A laboratory test: code, words, unit, decimals, and the range that is normal.
struct Test {
    code: (&'static str, &'static str),
    text: &'static str,
    unit: &'static str,
    decimals: u32,
    range: (i64, i64),
}

const fn test(
    code: (&'static str, &'static str),
    text: &'static str,
    unit: &'static str,
    decimals: u32,
    range: (i64, i64),
) -> Test {
    Test { code, text, unit, decimals, range }
}

const GLUCOSE: Test = test(("2339-0", "Glucose [Mass/volume] in Blood"), "Glucose", "mg/dL", 0, (70, 99));
const HBA1C: Test = test(("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"), "HbA1c", "%", 1, (40, 56));
const PANEL: [Test; 4] = [
    test(("718-7", "Hemoglobin [Mass/volume] in Blood"), "Hemoglobin", "g/dL", 1, (120, 175)),
    test(("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"), "Creatinine", "mg/dL", 2, (60, 120)),
    test(("2823-3", "Potassium [Moles/volume] in Serum or Plasma"), "Potassium", "mmol/L", 1, (35, 51)),
    test(
        ("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma"),
        "Total cholesterol",
        "mg/dL",
        0,
        (125, 200),
    ),
];

impl Body {
    pub(super) fn new(random: &mut Random, age: u32, male: bool, hypertensive: bool, diabetic: bool) -> Self {
        let grown = if male { random.around(177, 15) } else { random.around(164, 14) };
        let years = i64::from(age);
        let height_cm = if years < 17 { (50 + years * 7).min(grown) } else { grown };
        // From the body mass index, in tenths.
        let index = random.around(
            if years < 17 {
                180
            } else if diabetic {
                305
            } else {
                258
            },
            45,
        );
        let smoking = match random.below(10) {
            _ if years < 16 => ("266919005", "Never smoked tobacco"),
            0 | 1 => ("77176002", "Smoker"),
            2..=4 => ("8517006", "Ex-smoker"),
            _ => ("266919005", "Never smoked tobacco"),
        };
        let weight_kg = index * height_cm * height_cm / 100_000;
        Self { age, male, hypertensive, diabetic, height_cm, weight_kg, smoking }
    }

    /// A set of vital signs, and laboratory results now and then.
    pub(super) fn observations(
        &self,
        random: &mut Random,
        patient: PatientId,
        encounter: EncounterId,
        performer: PractitionerId,
        at: DateTime<Utc>,
        written: Moment,
    ) -> Vec<RecordObservation> {
        let mut results = Vec::new();
        let vital = ObservationCategory::VitalSigns;
        results.push((vital, self.blood_pressure(random)));
        let pulse = random.around(if self.age < 10 { 95 } else { 73 }, 18);
        results.push((vital, measured(("8867-4", "Heart rate"), "Heart rate", number(pulse, 0, "/min"))));
        let temperature = random.around(368, 9);
        results.push((
            vital,
            measured(("8310-5", "Body temperature"), "Temperature", number(temperature, 1, "Cel")),
        ));
        let oxygen = random.between(94, 100);
        let code = ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry");
        results.push((vital, measured(code, "Oxygen saturation", number(oxygen, 0, "%"))));
        if random.percent(60) {
            let weight = (self.weight_kg + random.between(-2, 2)).max(3);
            let index = weight * 100_000 / (self.height_cm * self.height_cm).max(1);
            results.push((
                vital,
                measured(("8302-2", "Body height"), "Height", number(self.height_cm, 0, "cm")),
            ));
            results
                .push((vital, measured(("29463-7", "Body weight"), "Weight", number(weight * 10, 1, "kg"))));
            let code = ("39156-5", "Body mass index (BMI) [Ratio]");
            results.push((vital, measured(code, "Body mass index", number(index, 1, "kg/m2"))));
        }
        if self.age >= 16 && random.percent(25) {
            let code = loinc(("72166-2", "Tobacco smoking status"), "Smoking status");
            let status = ObservationValue::Concept(snomed(self.smoking));
            results.push((ObservationCategory::SocialHistory, result(code, Some(status))));
        }
        if self.age >= 16 && random.percent(45) {
            self.laboratory(random, &mut results);
        }
        let record = |(category, mut result): (ObservationCategory, ObservationResult)| {
            result.effective = Some(written.clone());
            result.issued = Some(written.clone());
            RecordObservation {
                patient,
                encounter: Some(encounter),
                performer: Some(performer),
                category,
                status: ObservationStatus::Final,
                effective_at: Some(at),
                issued_at: Some(at),
                result,
            }
        };
        results.into_iter().map(record).collect()
    }

    fn blood_pressure(&self, random: &mut Random) -> ObservationResult {
        let mean = if self.hypertensive { 146 } else { 108 + i64::from(self.age.min(80)) / 4 };
        let systolic = random.around(mean, 18);
        let diastolic = systolic * 62 / 100 + random.between(-5, 5);
        let part = |code, text, value| Component {
            code: loinc(code, text),
            value: Some(ObservationValue::Quantity(number(value, 0, "mm[Hg]"))),
            absent_reason: None,
            interpretations: Vec::new(),
            reference_ranges: Vec::new(),
        };
        let mut result = result(
            loinc(("85354-9", "Blood pressure panel with all children optional"), "Blood pressure"),
            None,
        );
        result.components = vec![
            part(("8480-6", "Systolic blood pressure"), "Systolic", systolic),
            part(("8462-4", "Diastolic blood pressure"), "Diastolic", diastolic),
        ];
        result
    }

    fn laboratory(&self, random: &mut Random, results: &mut Vec<(ObservationCategory, ObservationResult)>) {
        let mut add =
            |test: &Test, value: i64| results.push((ObservationCategory::Laboratory, test.result(value)));
        add(&GLUCOSE, random.around(if self.diabetic { 148 } else { 88 }, 21));
        if self.diabetic {
            add(&HBA1C, random.around(74, 15));
        }
        for test in &PANEL {
            let (low, high) = test.range;
            let shift = if self.male { (high - low) / 8 } else { 0 };
            // A little wider than what is normal: one result in a few is flagged.
            add(test, random.around((low + high) / 2 + shift, (high - low) * 7 / 10));
        }
    }
}

impl Test {
    fn result(&self, value: i64) -> ObservationResult {
        let (low, high) = self.range;
        let quantity = |value| number(value, self.decimals, self.unit);
        let flag = match value {
            value if value < low => ("L", "Low"),
            value if value > high => ("H", "High"),
            _ => ("N", "Normal"),
        };
        let system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
        let mut result = measured(self.code, self.text, quantity(value));
        result.interpretations = vec![CodeableConcept { text: None, codings: vec![coding(system, flag)] }];
        result.reference_ranges =
            vec![ReferenceRange { low: Some(quantity(low)), high: Some(quantity(high)), text: None }];
        result
    }
}

fn number(value: i64, decimals: u32, unit: &str) -> Quantity {
    let shown = match unit {
        "Cel" => "°C",
        "mm[Hg]" => "mmHg",
        "kg/m2" => "kg/m²",
        other => other,
    };
    Quantity {
        value: Decimal::new(value, decimals),
        comparator: None,
        unit: shown.to_owned(),
        code: unit.to_owned(),
    }
}

fn measured(code: (&str, &str), text: &str, value: Quantity) -> ObservationResult {
    result(loinc(code, text), Some(ObservationValue::Quantity(value)))
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
