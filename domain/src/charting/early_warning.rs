//! NEWS2, the National Early Warning Score: how ill somebody is, from what was measured at the same time. Made for
//! people of sixteen and over who are not pregnant.
//!
//! Bands and thresholds are those of charts 1 and 2 of: Royal College of Physicians, National Early Warning Score (NEWS)
//! 2: Standardising the assessment of acute-illness severity in the NHS, updated report of a working party, London 2017,
//! ISBN 978-1-86016-682-2. What is measured is told by LOINC: consciousness as 80288-4 `Level of consciousness` (so in
//! HL7 Denmark's core profiles), oxygen as 3151-8 `Inhaled oxygen flow rate` in L/min (so in US Core's pulse oximetry).

use std::collections::BTreeSet;

use praxis_entity::value::{ObservationResult, ObservationValue, Quantity};
use rust_decimal::Decimal;

use super::{Consciousness, Measure, measure::dec, vitals::CONSCIOUSNESS};

/// What the score is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parameter {
    /// Respiratory rate.
    RespiratoryRate,
    /// Oxygen saturation.
    OxygenSaturation,
    /// Room air or oxygen.
    InhaledOxygen,
    /// Systolic blood pressure.
    Systolic,
    /// Pulse.
    HeartRate,
    /// Consciousness.
    Consciousness,
    /// Temperature.
    Temperature,
}

impl Parameter {
    /// All of them, in the order of the chart.
    pub const ALL: [Self; 7] = [
        Self::RespiratoryRate,
        Self::OxygenSaturation,
        Self::InhaledOxygen,
        Self::Systolic,
        Self::HeartRate,
        Self::Consciousness,
        Self::Temperature,
    ];
}

/// Clinical risk, as the score's thresholds have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// 0 to 4.
    Low,
    /// 3 in one parameter, and no more than 4 in all.
    LowMedium,
    /// 5 or 6.
    Medium,
    /// 7 or more.
    High,
}

/// What was measured at the same time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measured {
    /// Breaths a minute.
    pub respiratory_rate: Option<Decimal>,
    /// Percent.
    pub oxygen_saturation: Option<Decimal>,
    /// Litres a minute; zero on room air.
    pub inhaled_oxygen: Option<Decimal>,
    /// mmHg.
    pub systolic: Option<Decimal>,
    /// Beats a minute.
    pub heart_rate: Option<Decimal>,
    /// ACVPU.
    pub consciousness: Option<Consciousness>,
    /// °C.
    pub temperature: Option<Decimal>,
    /// The target is 88 to 92 % (hypercapnic respiratory failure): NEWS2's second scale.
    pub second_scale: bool,
}

/// The score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlyWarning {
    /// The points of what was measured: the score, or the least that it can be.
    pub points: u8,
    /// What was not measured.
    pub missing: BTreeSet<Parameter>,
    /// The risk by these points, or the least that it can be.
    pub risk: Risk,
}

/// The score of what was measured.
pub fn early_warning(measured: &Measured) -> EarlyWarning {
    let known = Parameter::ALL.map(|parameter| (parameter, points(parameter, measured)));
    let missing =
        known.iter().filter(|(_, points)| points.is_none()).map(|(parameter, _)| *parameter).collect();
    let points: u8 = known.iter().filter_map(|(_, points)| *points).sum();
    let extreme = known.iter().any(|(_, points)| *points == Some(3));
    let risk = match points {
        7.. => Risk::High,
        5..=6 => Risk::Medium,
        _ if extreme => Risk::LowMedium,
        _ => Risk::Low,
    };
    EarlyWarning { points, missing, risk }
}

fn points(parameter: Parameter, measured: &Measured) -> Option<u8> {
    // Points up to a bound, and beyond the last one.
    let by = |value: Decimal, bounds: &[(Decimal, u8)], beyond: u8| {
        bounds.iter().find(|(bound, _)| value <= *bound).map_or(beyond, |(_, points)| *points)
    };
    Some(match parameter {
        Parameter::RespiratoryRate => by(
            measured.respiratory_rate?,
            &[(dec(8, 0), 3), (dec(11, 0), 1), (dec(20, 0), 0), (dec(24, 0), 2)],
            3,
        ),
        Parameter::OxygenSaturation if measured.second_scale => {
            let value = measured.oxygen_saturation?;
            let on_air = measured.inhaled_oxygen.is_none_or(|flow| flow.is_zero());
            let high =
                if on_air { [(dec(94, 0), 0), (dec(96, 0), 0)] } else { [(dec(94, 0), 1), (dec(96, 0), 2)] };
            let low = [(dec(83, 0), 3), (dec(85, 0), 2), (dec(87, 0), 1), (dec(92, 0), 0)];
            by(value, &[low.as_slice(), &high].concat(), if on_air { 0 } else { 3 })
        }
        Parameter::OxygenSaturation => {
            by(measured.oxygen_saturation?, &[(dec(91, 0), 3), (dec(93, 0), 2), (dec(95, 0), 1)], 0)
        }
        Parameter::InhaledOxygen => {
            if measured.inhaled_oxygen?.is_zero() {
                0
            } else {
                2
            }
        }
        Parameter::Systolic => by(
            measured.systolic?,
            &[(dec(90, 0), 3), (dec(100, 0), 2), (dec(110, 0), 1), (dec(219, 0), 0)],
            3,
        ),
        Parameter::HeartRate => by(
            measured.heart_rate?,
            &[(dec(40, 0), 3), (dec(50, 0), 1), (dec(90, 0), 0), (dec(110, 0), 1), (dec(130, 0), 2)],
            3,
        ),
        Parameter::Consciousness => match measured.consciousness? {
            Consciousness::Alert => 0,
            _ => 3,
        },
        Parameter::Temperature => by(
            measured.temperature?,
            &[(dec(350, 1), 3), (dec(360, 1), 1), (dec(380, 1), 0), (dec(390, 1), 1)],
            2,
        ),
    })
}

impl Measured {
    /// What results say that were taken together.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a ObservationResult>) -> Self {
        let mut measured = Self::default();
        for result in results {
            measured
                .add(result.code.codings.iter().map(|coding| coding.code.as_str()), result.value.as_ref());
            for part in &result.components {
                measured
                    .add(part.code.codings.iter().map(|coding| coding.code.as_str()), part.value.as_ref());
            }
        }
        measured
    }

    fn add<'a>(&mut self, codes: impl Iterator<Item = &'a str>, value: Option<&ObservationValue>) {
        for code in codes {
            let slot = [
                (Measure::RespiratoryRate, &mut self.respiratory_rate),
                (Measure::OxygenSaturation, &mut self.oxygen_saturation),
                (Measure::InhaledOxygen, &mut self.inhaled_oxygen),
                (Measure::Systolic, &mut self.systolic),
                (Measure::HeartRate, &mut self.heart_rate),
                (Measure::Temperature, &mut self.temperature),
            ]
            .into_iter()
            .find(|(measure, _)| measure.code() == code);
            match (slot, value) {
                (Some((measure, slot)), Some(ObservationValue::Quantity(Quantity { value, code, .. })))
                    if measure.quantity(*value).code == *code =>
                {
                    *slot = Some(*value);
                }
                (None, Some(ObservationValue::Concept(concept))) if code == CONSCIOUSNESS.0 => {
                    self.consciousness = concept.text.as_deref().and_then(Consciousness::parse);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn well() -> Measured {
        Measured {
            respiratory_rate: Some(dec(16, 0)),
            oxygen_saturation: Some(dec(98, 0)),
            inhaled_oxygen: Some(dec(0, 0)),
            systolic: Some(dec(120, 0)),
            heart_rate: Some(dec(72, 0)),
            consciousness: Some(Consciousness::Alert),
            temperature: Some(dec(370, 1)),
            second_scale: false,
        }
    }

    /// The published chart: of each parameter both ends of every band, with its points.
    const CHART: &[(Parameter, &[(f64, u8)])] = &[
        (
            Parameter::RespiratoryRate,
            &[(8.0, 3), (9.0, 1), (11.0, 1), (12.0, 0), (20.0, 0), (21.0, 2), (24.0, 2), (25.0, 3)],
        ),
        (
            Parameter::OxygenSaturation,
            &[(91.0, 3), (92.0, 2), (93.0, 2), (94.0, 1), (95.0, 1), (96.0, 0), (100.0, 0)],
        ),
        (Parameter::InhaledOxygen, &[(0.0, 0), (0.5, 2), (15.0, 2)]),
        (
            Parameter::Systolic,
            &[(90.0, 3), (91.0, 2), (100.0, 2), (101.0, 1), (110.0, 1), (111.0, 0), (219.0, 0), (220.0, 3)],
        ),
        (
            Parameter::HeartRate,
            &[
                (40.0, 3),
                (41.0, 1),
                (50.0, 1),
                (51.0, 0),
                (90.0, 0),
                (91.0, 1),
                (110.0, 1),
                (111.0, 2),
                (130.0, 2),
                (131.0, 3),
            ],
        ),
        (
            Parameter::Temperature,
            &[(35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (38.0, 0), (38.1, 1), (39.0, 1), (39.1, 2)],
        ),
    ];

    fn with(parameter: Parameter, value: f64) -> Measured {
        let (value, mut measured) = (Decimal::try_from(value).ok(), well());
        match parameter {
            Parameter::RespiratoryRate => measured.respiratory_rate = value,
            Parameter::OxygenSaturation => measured.oxygen_saturation = value,
            Parameter::InhaledOxygen => measured.inhaled_oxygen = value,
            Parameter::Systolic => measured.systolic = value,
            Parameter::HeartRate => measured.heart_rate = value,
            Parameter::Temperature => measured.temperature = value,
            Parameter::Consciousness => {}
        }
        measured
    }

    #[test]
    fn the_published_chart_holds_at_the_ends_of_every_band() {
        assert_eq!(
            early_warning(&well()),
            EarlyWarning { points: 0, missing: BTreeSet::new(), risk: Risk::Low }
        );
        for (parameter, bands) in CHART {
            for (value, points) in *bands {
                let score = early_warning(&with(*parameter, *value));
                assert_eq!(score.points, *points, "{parameter:?} {value}");
                assert_eq!(score.risk == Risk::LowMedium, *points == 3, "{parameter:?} {value}");
            }
        }
        for consciousness in Consciousness::ALL {
            let measured = Measured { consciousness: Some(consciousness), ..well() };
            let points = if consciousness == Consciousness::Alert { 0 } else { 3 };
            assert_eq!(early_warning(&measured).points, points, "{consciousness:?}");
        }
    }

    #[test]
    fn the_second_scale_of_oxygen_asks_whether_oxygen_is_given() {
        let of = |saturation: Decimal, flow: Decimal| {
            let measured = Measured {
                oxygen_saturation: Some(saturation),
                inhaled_oxygen: Some(flow),
                second_scale: true,
                ..well()
            };
            early_warning(&measured).points - if flow.is_zero() { 0 } else { 2 }
        };
        let low = [
            (dec(83, 0), 3),
            (dec(84, 0), 2),
            (dec(85, 0), 2),
            (dec(86, 0), 1),
            (dec(87, 0), 1),
            (dec(88, 0), 0),
            (dec(92, 0), 0),
        ];
        for (saturation, points) in low {
            assert_eq!(
                (of(saturation, dec(0, 0)), of(saturation, dec(2, 0))),
                (points, points),
                "{saturation}"
            );
        }
        for (saturation, points) in
            [(dec(93, 0), 1), (dec(94, 0), 1), (dec(95, 0), 2), (dec(96, 0), 2), (dec(97, 0), 3)]
        {
            assert_eq!((of(saturation, dec(0, 0)), of(saturation, dec(2, 0))), (0, points), "{saturation}");
        }
    }

    #[test]
    fn the_thresholds_are_five_and_seven() {
        let ill = Measured { respiratory_rate: Some(dec(22, 0)), inhaled_oxygen: Some(dec(2, 0)), ..well() };
        assert_eq!((early_warning(&ill).points, early_warning(&ill).risk), (4, Risk::Low));
        let worse = Measured { heart_rate: Some(dec(95, 0)), ..ill };
        assert_eq!((early_warning(&worse).points, early_warning(&worse).risk), (5, Risk::Medium));
        let worst = Measured { systolic: Some(dec(95, 0)), ..worse };
        assert_eq!((early_warning(&worst).points, early_warning(&worst).risk), (7, Risk::High));
    }

    #[test]
    fn what_is_missing_is_named_and_the_rest_still_counts() {
        let measured =
            Measured { consciousness: None, inhaled_oxygen: None, systolic: Some(dec(85, 0)), ..well() };
        let score = early_warning(&measured);
        assert_eq!(score.missing, BTreeSet::from([Parameter::InhaledOxygen, Parameter::Consciousness]));
        assert_eq!((score.points, score.risk), (3, Risk::LowMedium));
        assert_eq!(early_warning(&Measured::default()).missing.len(), 7);
    }

    proptest! {
        #[test]
        fn whatever_is_measured_the_score_is_no_more_than_twenty(
            rate in 0_i64..120, saturation in 0_i64..=100, flow in 0_i64..16, systolic in 20_i64..300, pulse in 0_i64..300, tenths in 250_i64..450, second in any::<bool>()
        ) {
            let measured = Measured {
                respiratory_rate: Some(rate.into()),
                oxygen_saturation: Some(saturation.into()),
                inhaled_oxygen: Some(flow.into()),
                systolic: Some(systolic.into()),
                heart_rate: Some(pulse.into()),
                consciousness: Some(Consciousness::Pain),
                temperature: Some(Decimal::new(tenths, 1)),
                second_scale: second,
            };
            let score = early_warning(&measured);
            prop_assert!((3..=20).contains(&score.points) && score.missing.is_empty());
            prop_assert_eq!(score.risk == Risk::High, score.points >= 7);
        }
    }
}
