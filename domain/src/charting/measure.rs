//! What is measured at a visit: codes, units, and what a body can have.
//!
//! Values are sealed, so no constraint of the database can see them: plausibility is held here, in the one place
//! through which measurements are recorded. What the database does hold is whose they are, in which visit, and that
//! nothing recorded is rewritten.

use praxis_entity::value::{CodeableConcept, Coding, Quantity};
use rust_decimal::{Decimal, RoundingStrategy};

/// LOINC's code system.
const LOINC: &str = "http://loinc.org";

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// Systolic blood pressure.
    Systolic,
    /// Diastolic blood pressure.
    Diastolic,
    /// Heart rate.
    HeartRate,
    /// Body temperature.
    Temperature,
    /// Respiratory rate.
    RespiratoryRate,
    /// Oxygen saturation by pulse oximetry.
    OxygenSaturation,
    /// Inhaled oxygen; zero on room air.
    InhaledOxygen,
    /// Body weight.
    Weight,
    /// Body height.
    Height,
    /// Body mass index, computed.
    BodyMassIndex,
}

/// How a measure is coded, kept, and judged.
struct Definition {
    code: &'static str,
    display: &'static str,
    /// UCUM code of the unit in which it is kept.
    unit: &'static str,
    /// How that unit is shown.
    shown: &'static str,
    /// The least and the most that is believed.
    believed: (Decimal, Decimal),
    /// Other units that are understood.
    others: &'static [Unit],
}

/// A unit, and the way from it to the one that is kept: `(value - less) * times / over`, rounded.
struct Unit {
    code: &'static str,
    less: u32,
    times: u32,
    over: u32,
    digits: u32,
}

impl Unit {
    fn convert(&self, value: Decimal) -> Option<Decimal> {
        if self.times == self.over {
            return Some(value);
        }
        let scaled = value.checked_sub(self.less.into())?.checked_mul(self.times.into())?;
        let exact = scaled.checked_div(self.over.into())?;
        Some(exact.round_dp_with_strategy(self.digits, RoundingStrategy::MidpointAwayFromZero))
    }
}

/// `dec(985, 1)` is 98.5.
pub(super) const fn dec(units: u32, scale: u32) -> Decimal {
    Decimal::from_parts(units, 0, 0, false, scale)
}

const PRESSURE: &[Unit] = &[Unit { code: "kPa", less: 0, times: 750_062, over: 100_000, digits: 0 }];
const RATE: &[Unit] = &[
    Unit { code: "{beats}/min", less: 0, times: 1, over: 1, digits: 0 },
    Unit { code: "{breaths}/min", less: 0, times: 1, over: 1, digits: 0 },
];
const FAHRENHEIT: &[Unit] = &[Unit { code: "[degF]", less: 32, times: 5, over: 9, digits: 1 }];
const MASS: &[Unit] = &[
    Unit { code: "g", less: 0, times: 1, over: 1_000, digits: 3 },
    Unit { code: "[lb_av]", less: 0, times: 45_359_237, over: 100_000_000, digits: 2 },
];
const LENGTH: &[Unit] = &[
    Unit { code: "m", less: 0, times: 100, over: 1, digits: 1 },
    Unit { code: "[in_i]", less: 0, times: 254, over: 100, digits: 1 },
];

impl Measure {
    fn definition(self) -> Definition {
        let of = |code, display, unit, shown, least, most, others| Definition {
            code,
            display,
            unit,
            shown,
            believed: (least, most),
            others,
        };
        match self {
            Self::Systolic => {
                of("8480-6", "Systolic blood pressure", "mm[Hg]", "mmHg", dec(20, 0), dec(300, 0), PRESSURE)
            }
            Self::Diastolic => {
                of("8462-4", "Diastolic blood pressure", "mm[Hg]", "mmHg", dec(10, 0), dec(299, 0), PRESSURE)
            }
            Self::HeartRate => of("8867-4", "Heart rate", "/min", "/min", dec(0, 0), dec(350, 0), RATE),
            Self::Temperature => {
                of("8310-5", "Body temperature", "Cel", "°C", dec(25, 0), dec(45, 0), FAHRENHEIT)
            }
            Self::RespiratoryRate => {
                of("9279-1", "Respiratory rate", "/min", "/min", dec(0, 0), dec(120, 0), RATE)
            }
            Self::OxygenSaturation => of(
                "59408-5",
                "Oxygen saturation in Arterial blood by Pulse oximetry",
                "%",
                "%",
                dec(0, 0),
                dec(100, 0),
                &[],
            ),
            Self::InhaledOxygen => {
                of("3151-8", "Inhaled oxygen flow rate", "L/min", "L/min", dec(0, 0), dec(100, 0), &[])
            }
            Self::Weight => of("29463-7", "Body weight", "kg", "kg", dec(2, 1), dec(700, 0), MASS),
            Self::Height => of("8302-2", "Body height", "cm", "cm", dec(15, 0), dec(280, 0), LENGTH),
            Self::BodyMassIndex => {
                of("39156-5", "Body mass index (BMI) [Ratio]", "kg/m2", "kg/m2", dec(1, 0), dec(400, 0), &[])
            }
        }
    }

    /// LOINC code.
    pub fn code(self) -> &'static str {
        self.definition().code
    }

    /// The measure as a concept.
    pub fn concept(self) -> CodeableConcept {
        let Definition { code, display, .. } = self.definition();
        loinc(code, display)
    }

    /// A value in the unit in which it is kept, and what was given if that was another. Says what is wrong otherwise.
    pub fn kept(self, value: Decimal, unit: &str) -> Result<(Quantity, Option<String>), String> {
        let definition = self.definition();
        let given = format!("{} {unit}", value.normalize());
        let (value, remark) = if unit == definition.unit {
            (value, None)
        } else {
            let Some(known) = definition.others.iter().find(|known| known.code == unit) else {
                let others = definition.others.iter().map(|known| known.code);
                let codes: Vec<_> = std::iter::once(definition.unit).chain(others).collect();
                return Err(format!("Give the unit as one of these UCUM codes: {}.", codes.join(", ")));
            };
            let converted = known.convert(value).ok_or_else(|| "This number is too large.".to_owned())?;
            (converted, (converted != value).then_some(given))
        };
        let (least, most) = definition.believed;
        if value < least || value > most {
            return Err(format!("A value from {least} to {most} {} is believed.", definition.shown));
        }
        Ok((self.quantity(value), remark))
    }

    /// A quantity in the unit in which it is kept.
    pub fn quantity(self, value: Decimal) -> Quantity {
        let Definition { unit, shown, .. } = self.definition();
        Quantity { value, comparator: None, unit: shown.to_owned(), code: unit.to_owned() }
    }
}

/// A concept of LOINC.
pub(super) fn loinc(code: &str, display: &str) -> CodeableConcept {
    let coding = Coding {
        system: LOINC.to_owned(),
        code: code.to_owned(),
        display: Some(display.to_owned()),
        version: None,
    };
    CodeableConcept { text: None, codings: vec![coding] }
}

/// Weight by the square of height.
pub fn body_mass_index(kilograms: Decimal, centimetres: Decimal) -> Option<Decimal> {
    let metres = centimetres.checked_div(dec(100, 0))?;
    let index = kilograms.checked_div(metres.checked_mul(metres)?)?;
    Some(index.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(measure: Measure, value: Decimal, unit: &str) -> Result<Decimal, String> {
        measure.kept(value, unit).map(|(quantity, _)| quantity.value)
    }

    #[test]
    fn units_are_converted_and_what_was_given_is_remembered() {
        let (kept, remark) = Measure::Temperature.kept(dec(986, 1), "[degF]").unwrap();
        assert_eq!((kept.value, kept.code.as_str()), (dec(370, 1), "Cel"));
        assert_eq!(remark.as_deref(), Some("98.6 [degF]"));
        assert_eq!(value(Measure::Weight, dec(154, 0), "[lb_av]"), Ok(dec(6985, 2)));
        assert_eq!(value(Measure::Height, dec(183, 2), "m"), Ok(dec(1830, 1)));
        assert_eq!(value(Measure::Systolic, dec(16, 0), "kPa"), Ok(dec(120, 0)));
        assert_eq!(Measure::HeartRate.kept(dec(72, 0), "{beats}/min").unwrap().1, None);
        // As it was written, trailing zeros too.
        assert_eq!(value(Measure::Temperature, dec(370, 1), "Cel").unwrap().to_string(), "37.0");
    }

    #[test]
    fn what_no_body_has_is_refused() {
        // A Fahrenheit number that calls itself Celsius never gets in.
        assert!(value(Measure::Temperature, dec(986, 1), "Cel").is_err());
        assert!(value(Measure::OxygenSaturation, dec(101, 0), "%").is_err());
        assert!(value(Measure::Systolic, dec(12, 0), "mm[Hg]").is_err());
        assert!(value(Measure::Temperature, dec(37, 0), "K").unwrap_err().contains("Cel, [degF]"));
        assert!(value(Measure::Weight, Decimal::MAX, "[lb_av]").is_err());
        assert!(value(Measure::Weight, dec(72, 0), "mg").is_err());
    }

    #[test]
    fn the_body_mass_index_has_one_digit() {
        assert_eq!(body_mass_index(dec(70, 0), dec(175, 0)), Some(dec(229, 1)));
        assert_eq!(body_mass_index(dec(70, 0), dec(0, 0)), None);
    }

    proptest! {
        #[test]
        fn a_temperature_is_the_same_in_either_unit(tenths in 300_i64..430) {
            let celsius = Decimal::new(tenths, 1);
            let fahrenheit = celsius * dec(18, 1) + dec(32, 0);
            prop_assert_eq!(value(Measure::Temperature, fahrenheit, "[degF]"), Ok(celsius));
        }
    }
}
