//! Alerts of suspicious access, and what counts as suspicious.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use praxis_domain::{Position, audit};
use praxis_entity::{alert_rule, ids::UserId, security_alert};
use sea_orm::ActiveEnum;

use super::{
    entry::actor_name,
    stored::{AlertKind, AlertResolution, Stored},
};
use crate::{
    allowed,
    context::{Ask, change},
    error::{ApiError, Nullable},
    ids,
    page::{Cursors, Page, PageArguments, connection},
    payload::UserError,
    scalar::DateTime,
};

/// Where an alert stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "security_alert::AlertStatus")]
pub(crate) enum AlertStatus {
    /// Somebody should look at it.
    Open,
    /// Somebody did.
    Closed,
}

/// A warning of suspicious access.
pub(crate) struct SecurityAlert {
    row: security_alert::Model,
}

/// A warning of suspicious access.
#[Object]
impl SecurityAlert {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was raised.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// What was seen.
    fn kind(&self) -> Option<AlertKind> {
        AlertKind::of(&self.row.kind)
    }

    /// Where it stands.
    fn status(&self) -> AlertStatus {
        self.row.status.into()
    }

    /// Names of the mutations that the viewer may run on the alert as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let caller = ctx.caller()?;
        let turn = audit::is_turn(caller.actor(), &self.row);
        let may = |permission| turn && caller.actor().may(permission);
        allowed::open(caller, "security_alert", &self.row.status.to_value(), may).await
    }

    /// Whose doing it was, if it is known.
    fn actor_id(&self) -> Option<ID> {
        self.row.actor_id.map(|id| ids::show(UserId(id)))
    }

    /// Their name, as it is now.
    async fn actor_name(&self, ctx: &Context<'_>) -> Nullable<String> {
        async { actor_name(ctx.caller()?, self.row.actor_id).await }.await.transpose()
    }

    /// Whose chart, if it is about one.
    fn patient_id(&self) -> Option<ID> {
        self.row.patient_id.map(ids::show)
    }

    /// The entry of the audit log that it is about, if it is one.
    fn entry_id(&self) -> Option<ID> {
        self.row.entry_id.map(ids::show)
    }

    /// How many there were.
    fn seen(&self) -> i32 {
        self.row.seen
    }

    /// How many make it suspicious.
    fn threshold(&self) -> i32 {
        self.row.threshold
    }

    /// Within how many minutes.
    fn window_minutes(&self) -> i32 {
        self.row.window_minutes
    }

    /// When it was closed.
    fn closed_at(&self) -> Option<DateTime> {
        self.row.closed_at.map(DateTime)
    }

    /// The user who closed it.
    fn closed_by(&self) -> Option<ID> {
        self.row.closed_by.map(ids::show)
    }

    /// What they found.
    fn resolution(&self) -> Option<AlertResolution> {
        self.row.close_reason.as_deref().and_then(AlertResolution::of)
    }
}

connection!(
    /// Warnings of suspicious access.
    SecurityAlertConnection,
    SecurityAlertEdge,
    SecurityAlert
);

/// What counts as suspicious.
#[derive(SimpleObject)]
pub(crate) struct AlertRule {
    /// What is watched for.
    kind: Option<AlertKind>,
    /// Whether it is watched for.
    enabled: bool,
    /// How many make it suspicious.
    threshold: i32,
    /// Within how many minutes.
    window_minutes: i32,
}

impl From<alert_rule::Model> for AlertRule {
    fn from(row: alert_rule::Model) -> Self {
        let alert_rule::Model { kind, enabled, threshold, window_minutes } = row;
        Self { kind: AlertKind::of(&kind), enabled, threshold, window_minutes }
    }
}

/// Seeing alerts.
#[derive(Default)]
pub(crate) struct AlertQuery;

#[Object]
impl AlertQuery {
    /// Alerts, the newest first.
    async fn security_alerts(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those that stand here.")] status: Option<AlertStatus>,
    ) -> Result<SecurityAlertConnection, ApiError> {
        let op = ctx.read("Query.securityAlerts")?;
        let open = status.map(|status| status == AlertStatus::Open);
        let cursors = Cursors::of(ctx.caller()?, "Query.securityAlerts", &format!("{open:?}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = audit::alerts(op, open, &page).await?;
        let counting = op.clone();
        let count = move |max: u64| -> futures::future::BoxFuture<'static, Result<i64, ApiError>> {
            let op = counting.clone();
            Box::pin(async move { Ok(audit::count_alerts(&op, open, max).await?) })
        };
        let position = |row: &security_alert::Model| Position { key: None, id: row.id.0 };
        let page = Page::new(slice, cursors, position, |row| SecurityAlert { row });
        Ok(SecurityAlertConnection::new(page, Box::new(count)))
    }

    /// What counts as suspicious at this clinic.
    async fn alert_rules(&self, ctx: &Context<'_>) -> Result<Vec<AlertRule>, ApiError> {
        let op = ctx.read("Query.alertRules")?;
        Ok(audit::alert_rules(op).await?.into_iter().map(Into::into).collect())
    }
}

/// Handling alerts.
#[derive(Default)]
pub(crate) struct AlertMutation;

/// An alert to be closed.
#[derive(InputObject)]
pub(crate) struct SecurityAlertCloseInput {
    /// Which alert.
    id: ID,
    /// The version it was seen at.
    if_version: i32,
    /// What was found.
    resolution: AlertResolution,
}

/// The closed alert, or why it is still open.
#[derive(SimpleObject)]
pub(crate) struct SecurityAlertClosePayload {
    /// The alert as it is now.
    security_alert: Option<SecurityAlert>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// What shall count as suspicious; what is absent stays.
#[derive(InputObject)]
pub(crate) struct AlertRuleUpdateInput {
    /// What is watched for.
    kind: AlertKind,
    /// Whether it is watched for.
    enabled: Option<bool>,
    /// How many make it suspicious.
    threshold: Option<i32>,
    /// Within how many minutes.
    window_minutes: Option<i32>,
}

/// The rule, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct AlertRuleUpdatePayload {
    /// The rule as it is now.
    alert_rule: Option<AlertRule>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl AlertMutation {
    /// Closes an alert that somebody looked at. Nobody closes an alert about themselves.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION, LOCKED.
    async fn security_alert_close(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The alert.")] input: SecurityAlertCloseInput,
    ) -> Result<SecurityAlertClosePayload, ApiError> {
        let (id, version, reason) = (ids::parse(&input.id)?, input.if_version, input.resolution.stored());
        let done = change(ctx, "Mutation.securityAlertClose", async |op| {
            audit::close_alert(op, id, version, reason).await
        });
        let (row, user_errors) = done.await?.split();
        Ok(SecurityAlertClosePayload { security_alert: row.map(|row| SecurityAlert { row }), user_errors })
    }

    /// Says what counts as suspicious at this clinic.
    ///
    /// Errors: OUT_OF_RANGE.
    async fn alert_rule_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rule.")] input: AlertRuleUpdateInput,
    ) -> Result<AlertRuleUpdatePayload, ApiError> {
        let AlertRuleUpdateInput { kind, enabled, threshold, window_minutes } = input;
        let amend = audit::AmendAlertRule { kind: kind.stored(), enabled, threshold, window_minutes };
        let done =
            change(ctx, "Mutation.alertRuleUpdate", async |op| audit::amend_alert_rule(op, amend).await);
        let (row, user_errors) = done.await?.split();
        Ok(AlertRuleUpdatePayload { alert_rule: row.map(Into::into), user_errors })
    }
}
