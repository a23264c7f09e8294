//! Vital signs: recorded in rounds, and what a round says of how ill somebody is.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use praxis_domain::charting::{self, Measure, Measured, Parameter, Reading, Risk, Round};
use praxis_entity::value::ObservationResult;

use super::Observation;
use crate::{
    context::{Ask, change},
    encounters::Encounter,
    error::{ApiError, Edge, Nullable},
    ids,
    payload::{Done, UserError},
    phi::{self, Class},
    policy::at,
    scalar::{DateTime, Decimal},
    staff::Practitioner,
    subject::Subject,
};

/// A measured amount with its unit.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct QuantityInput {
    /// Exact value.
    value: Decimal,
    /// UCUM code of the unit, for example `mm[Hg]`, `/min`, `Cel`, `[degF]`, `%`, `kg`, `[lb_av]`, `cm`.
    unit: String,
}

/// A blood pressure.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct BloodPressureInput {
    /// In the heart's beat, LOINC 8480-6: `mm[Hg]` or kPa.
    systolic: QuantityInput,
    /// Between beats, LOINC 8462-4: `mm[Hg]` or kPa.
    diastolic: QuantityInput,
}

/// How awake somebody is: ACVPU.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "charting::Consciousness")]
pub(crate) enum Consciousness {
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

/// A round of vital signs: what was measured together.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct VitalsRecordInput {
    /// The encounter.
    id: ID,
    /// When it was measured; now where it is not given.
    taken_at: Option<DateTime>,
    /// Blood pressure.
    blood_pressure: Option<BloodPressureInput>,
    /// Heart rate, LOINC 8867-4: /min.
    heart_rate: Option<QuantityInput>,
    /// Body temperature, LOINC 8310-5: Cel or `[degF]`; kept in Cel.
    temperature: Option<QuantityInput>,
    /// Respiratory rate, LOINC 9279-1: /min.
    respiratory_rate: Option<QuantityInput>,
    /// Oxygen saturation by pulse oximetry, LOINC 59408-5: %.
    oxygen_saturation: Option<QuantityInput>,
    /// Oxygen that is given, LOINC 3151-8: L/min; zero on room air.
    inhaled_oxygen: Option<QuantityInput>,
    /// How awake, LOINC 80288-4.
    consciousness: Option<Consciousness>,
    /// Body weight, LOINC 29463-7: kg, g or `[lb_av]`; kept in kg. With a height, the body mass index follows.
    weight: Option<QuantityInput>,
    /// Body height, LOINC 8302-2: cm, m or `[in_i]`; kept in cm.
    height: Option<QuantityInput>,
}

impl From<VitalsRecordInput> for Round {
    fn from(input: VitalsRecordInput) -> Self {
        let (systolic, diastolic) =
            input.blood_pressure.map(|pressure| (pressure.systolic, pressure.diastolic)).unzip();
        let given: [(Measure, &'static [&'static str], Option<QuantityInput>); 9] = [
            (Measure::Systolic, &["bloodPressure", "systolic"], systolic),
            (Measure::Diastolic, &["bloodPressure", "diastolic"], diastolic),
            (Measure::HeartRate, &["heartRate"], input.heart_rate),
            (Measure::Temperature, &["temperature"], input.temperature),
            (Measure::RespiratoryRate, &["respiratoryRate"], input.respiratory_rate),
            (Measure::OxygenSaturation, &["oxygenSaturation"], input.oxygen_saturation),
            (Measure::InhaledOxygen, &["inhaledOxygen"], input.inhaled_oxygen),
            (Measure::Weight, &["weight"], input.weight),
            (Measure::Height, &["height"], input.height),
        ];
        let readings = given.into_iter().filter_map(|(measure, path, quantity)| {
            let QuantityInput { value, unit } = quantity?;
            Some(Reading { measure, value: value.0, unit, path })
        });
        Self {
            taken_at: input.taken_at.map(|at| at.0),
            readings: readings.collect(),
            consciousness: input.consciousness.map(Into::into),
        }
    }
}

/// A round of vital signs.
pub(crate) struct VitalSigns(charting::VitalSigns);

impl VitalSigns {
    pub(crate) fn new(round: charting::VitalSigns) -> Self {
        Self(round)
    }
}

/// A round of vital signs: what was measured together.
#[Object]
impl VitalSigns {
    /// When it was measured.
    fn taken_at(&self) -> Option<DateTime> {
        self.0.taken_at.map(DateTime)
    }

    /// The clinician who measured; null where it was somebody else.
    async fn taken_by(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            let Some(id) = self.0.taken_by else { return Ok(None) };
            Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new))
        }
        .await
        .or_hidden()
    }

    /// Each measurement, as an observation of its own.
    fn observations(&self) -> Vec<Observation> {
        self.0.observations.iter().cloned().map(Observation::new).collect()
    }

    /// NEWS2 of what was measured. Made for people of sixteen and over who are not pregnant.
    async fn early_warning_score(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default = false,
            desc = "Read oxygen saturation against the second scale, whose target is 88 to 92 %."
        )]
        second_scale: bool,
    ) -> Nullable<EarlyWarningScore> {
        async {
            let class = |row: &praxis_entity::observation::Model| -> Arc<Class<ObservationResult>> {
                let subject = Subject::new(row.patient_id, row);
                Class::new("observation", row.id.0, &subject, row.result.clone())
            };
            let classes: Vec<_> = self.0.observations.iter().map(class).collect();
            let at = at!("VitalSigns.earlyWarningScore");
            phi::together(ctx.caller()?, at, &classes, |results| {
                let measured = Measured::of(results.iter().map(AsRef::as_ref));
                EarlyWarningScore::new(charting::early_warning(&Measured { second_scale, ..measured }))
            })
            .await
        }
        .await
        .transpose()
    }
}

/// What an early-warning score is made of.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Parameter")]
pub(crate) enum EarlyWarningParameter {
    /// Respiratory rate.
    RespiratoryRate,
    /// Oxygen saturation.
    OxygenSaturation,
    /// Room air or oxygen.
    InhaledOxygen,
    /// Systolic blood pressure.
    Systolic,
    /// Heart rate.
    HeartRate,
    /// Consciousness.
    Consciousness,
    /// Temperature.
    Temperature,
}

/// Clinical risk by the thresholds of NEWS2.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Risk")]
pub(crate) enum EarlyWarningRisk {
    /// 0 to 4 points.
    Low,
    /// 3 points for one parameter, and no more than 4 for all.
    LowMedium,
    /// 5 or 6 points.
    Medium,
    /// 7 points or more.
    High,
}

/// How ill somebody is: NEWS2, the National Early Warning Score (Royal College of Physicians, 2017).
#[derive(SimpleObject)]
pub(crate) struct EarlyWarningScore {
    /// The score; null where something was not measured.
    score: Option<i32>,
    /// The points of what was measured: the score is at least this.
    points: i32,
    /// What was not measured.
    missing: Vec<EarlyWarningParameter>,
    /// The risk by these points: where something was not measured, it may be higher.
    risk: EarlyWarningRisk,
}

impl EarlyWarningScore {
    fn new(score: charting::EarlyWarning) -> Self {
        let points = i32::from(score.points);
        Self {
            score: score.missing.is_empty().then_some(points),
            points,
            missing: score.missing.into_iter().map(Into::into).collect(),
            risk: score.risk.into(),
        }
    }
}

/// The recorded round, or why it was not recorded.
#[derive(SimpleObject)]
pub(crate) struct VitalsRecordPayload {
    /// The encounter as it is now.
    encounter: Option<Encounter>,
    /// The round.
    vital_signs: Option<VitalSigns>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

impl From<Done<charting::VitalSigns>> for VitalsRecordPayload {
    fn from(done: Done<charting::VitalSigns>) -> Self {
        let (round, user_errors) = done.split();
        let encounter = round.as_ref().map(|round| Encounter::new(round.encounter.clone()));
        Self { encounter, vital_signs: round.map(VitalSigns), user_errors }
    }
}

/// Recording vital signs.
#[derive(Default)]
pub(crate) struct VitalsMutation;

/// An observation that was recorded by mistake.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct ObservationEnterInErrorInput {
    /// The observation.
    id: ID,
    /// The version that was seen.
    if_version: i32,
    /// Why, in words.
    reason: String,
}

/// The observation, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct ObservationEnterInErrorPayload {
    /// The observation as it is now.
    observation: Option<Observation>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl VitalsMutation {
    /// Records a round of vital signs. Units are converted, and what no body can have is refused.
    ///
    /// Errors: REQUIRED, OUT_OF_RANGE, NOT_FOUND, INVALID_TRANSITION.
    async fn vitals_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was measured.")] input: VitalsRecordInput,
    ) -> Result<VitalsRecordPayload, ApiError> {
        let (id, round) = (ids::parse(&input.id)?, input.into());
        let record = async |op: &_| charting::record_vitals(op, id, round).await;
        Ok(change(ctx, "Mutation.vitalsRecord", record).await?.into())
    }

    /// Says that an observation was recorded by mistake. It stays on record with the reason and counts no more, nor does
    /// what was computed from it.
    ///
    /// Errors: REQUIRED, TOO_LONG, NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn observation_enter_in_error(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The observation, and why.")] input: ObservationEnterInErrorInput,
    ) -> Result<ObservationEnterInErrorPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let strike = async |op: &_| charting::enter_in_error(op, id, version, &input.reason).await;
        let done = change(ctx, "Mutation.observationEnterInError", strike).await?;
        let (row, user_errors) = done.split();
        Ok(ObservationEnterInErrorPayload { observation: row.map(Observation::new), user_errors })
    }
}
