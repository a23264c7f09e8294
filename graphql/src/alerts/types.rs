//! The alert.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use praxis_domain::{Position, Slice};
use praxis_entity::{alert, rule, value::AlertWords};
use sea_orm::ActiveEnum;

use crate::{
    allowed,
    context::Ask,
    encounters::Encounter,
    error::{ApiError, Edge, Nullable},
    ids,
    page::{Count, Cursors, Page, connection},
    patients::Patient,
    phi::{Class, Phi},
    policy::at,
    redaction::{self, Redaction},
    rules::ClinicalRule,
    scalar::DateTime,
    subject::Subject,
};

/// How grave an alert is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rule::AlertSeverity")]
pub(crate) enum AlertSeverity {
    /// Good to know.
    Info,
    /// To be looked at.
    Warning,
    /// Dangerous.
    Critical,
    /// Not to be done; going against it takes a fresh second factor.
    Contraindicated,
}

/// Where an alert stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "alert::AlertStatus")]
pub(crate) enum ClinicalAlertStatus {
    /// Nobody has replied.
    Open,
    /// Somebody has seen it.
    Acknowledged,
    /// Dealt with.
    Resolved,
    /// Gone against, for a reason.
    Overridden,
    /// Its time ran out.
    Expired,
}

/// Why somebody goes against an alert.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "alert::OverrideReason")]
pub(crate) enum AlertOverrideReason {
    /// What is gained is more than what is risked.
    BenefitOutweighsRisk,
    /// Somebody has seen to it already.
    AlreadyAddressed,
    /// It does not fit this patient.
    NotApplicable,
    /// The patient wants it so.
    PatientPreference,
    /// What was measured or recorded is wrong.
    InaccurateData,
    /// Something else, as the justification says.
    Other,
}

/// What a rule says about a patient.
pub(crate) struct Alert {
    row: alert::Model,
    subject: Arc<Subject>,
    words: Option<Arc<Class<AlertWords>>>,
}

impl Alert {
    pub(crate) fn new(row: alert::Model) -> Self {
        let subject = Subject::new(row.patient_id, &row);
        let words = row.words.clone().map(|words| Class::new("alert", row.id.0, &subject, words));
        Self { row, subject, words }
    }
}

/// What a rule says about a patient.
#[Object]
impl Alert {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was written.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Fields that came back null for a reason other than 'no value'.
    pub(crate) async fn redactions(&self, ctx: &Context<'_>) -> Result<Vec<Redaction>, ApiError> {
        redaction::of(ctx.caller()?, "Alert", &self.subject, self.words.is_some()).await
    }

    /// What the viewer may do with it: permission codes.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<&'static str>, ApiError> {
        self.subject.permissions(ctx.caller()?).await
    }

    /// Names of the mutations that the viewer may run on the alert as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        allowed::actions(ctx.caller()?, "alert", &self.subject, &self.row.status.to_value()).await
    }

    /// Whom it concerns.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async { Ok(ctx.caller()?.loaders().patients.load(self.row.patient_id).await?.map(Patient::new)) }
            .await
            .or_hidden()
    }

    /// The visit at which it was raised.
    async fn encounter(&self, ctx: &Context<'_>) -> Nullable<Encounter> {
        async {
            let Some(id) = self.row.encounter_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().encounters.load(id).await?.map(Encounter::new))
        }
        .await
        .or_hidden()
    }

    /// The edition of the rule that says it.
    async fn rule(&self, ctx: &Context<'_>) -> Nullable<ClinicalRule> {
        async {
            let rule = ctx.caller()?.loaders().rules.load(self.row.rule_id).await?;
            Ok(rule.map(ClinicalRule::new))
        }
        .await
        .or_hidden()
    }

    /// What it says, in a few words: the rule's title.
    async fn title(&self, ctx: &Context<'_>) -> Nullable<String> {
        async { Ok(ctx.caller()?.loaders().rules.load(self.row.rule_id).await?.map(|rule| rule.title)) }
            .await
            .or_hidden()
    }

    /// How grave.
    fn severity(&self) -> AlertSeverity {
        self.row.severity.into()
    }

    /// Where it stands.
    fn status(&self) -> ClinicalAlertStatus {
        self.row.status.into()
    }

    /// When it was raised.
    fn raised_at(&self) -> DateTime {
        DateTime(self.row.raised_at)
    }

    /// When its time runs out.
    fn expires_at(&self) -> Option<DateTime> {
        self.row.expires_at.map(DateTime)
    }

    /// When somebody said that they have seen it.
    fn acknowledged_at(&self) -> Option<DateTime> {
        self.row.acknowledged_at.map(DateTime)
    }

    /// Name of whoever said that they have seen it.
    async fn acknowledged_by_name(&self, ctx: &Context<'_>) -> Nullable<String> {
        async {
            let Some(id) = self.row.acknowledged_by else { return Ok(None) };
            ctx.caller()?.loaders().actor_names.load(id.0).await
        }
        .await
        .transpose()
    }

    /// When it was over.
    fn closed_at(&self) -> Option<DateTime> {
        self.row.closed_at.map(DateTime)
    }

    /// Name of whoever dealt with it.
    async fn closed_by_name(&self, ctx: &Context<'_>) -> Nullable<String> {
        async {
            let Some(id) = self.row.closed_by else { return Ok(None) };
            ctx.caller()?.loaders().actor_names.load(id.0).await
        }
        .await
        .transpose()
    }

    /// Why somebody went against it.
    fn override_reason(&self) -> Option<AlertOverrideReason> {
        self.row.override_reason.map(Into::into)
    }

    /// How it was dealt with, in words.
    fn resolution(&self) -> Phi<AlertWords, String> {
        Phi::optional(at!("Alert.resolution"), self.words.as_ref(), |words| words.resolution.clone())
    }

    /// Why it was gone against, in words.
    fn justification(&self) -> Phi<AlertWords, String> {
        Phi::optional(at!("Alert.justification"), self.words.as_ref(), |words| words.justification.clone())
    }
}

connection!(
    /// A page of alerts.
    AlertConnection, AlertEdge, Alert
);

impl AlertConnection {
    /// Builds the page of a list, the newest first.
    pub(crate) fn of_slice(slice: Slice<alert::Model>, cursors: Cursors, count: Count) -> Self {
        let position: fn(&alert::Model) -> Position = |row| Position { key: None, id: row.id.0 };
        Self::new(Page::new(slice, cursors, position, Alert::new), count)
    }
}
