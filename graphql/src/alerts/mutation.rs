//! Replying to alerts.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::alerts;
use praxis_entity::alert;

use super::{Alert, types::AlertOverrideReason};
use crate::{
    context::change,
    error::ApiError,
    ids,
    payload::{Done, UserError},
};

/// Replying to alerts.
#[derive(Default)]
pub(crate) struct ClinicalAlertMutation;

macro_rules! alert_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The alert as it is now.
                alert: Option<Alert>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<alert::Model>> for $name {
                fn from(done: Done<alert::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { alert: row.map(Alert::new), user_errors }
                }
            }
        )*
    };
}

alert_payload! {
    /// The alert that somebody has seen, or why not.
    AlertAcknowledgePayload;
    /// The alert that was dealt with, or why not.
    AlertResolvePayload;
    /// The alert that was gone against, or why not.
    AlertOverridePayload;
}

/// An alert that one has seen.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AlertAcknowledgeInput {
    /// The alert.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// An alert that was dealt with.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AlertResolveInput {
    /// The alert.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// How, in words.
    resolution: Option<String>,
}

/// An alert to go against.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AlertOverrideInput {
    /// The alert.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// Why.
    reason: AlertOverrideReason,
    /// Why, in words; required where the reason is OTHER.
    justification: Option<String>,
}

#[Object]
impl ClinicalAlertMutation {
    /// Says that the viewer has seen an alert.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn alert_acknowledge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The alert.")] input: AlertAcknowledgeInput,
    ) -> Result<AlertAcknowledgePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let acknowledge = async |op: &_| alerts::acknowledge(op, id, version).await;
        Ok(change(ctx, "Mutation.alertAcknowledge", acknowledge).await?.into())
    }

    /// Says that an alert was dealt with. Possible once somebody has acknowledged it.
    ///
    /// Errors: NOT_FOUND, TOO_LONG, INVALID, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn alert_resolve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The alert, and how it was dealt with.")] input: AlertResolveInput,
    ) -> Result<AlertResolvePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let resolve = async |op: &_| alerts::resolve(op, id, version, input.resolution.as_deref()).await;
        Ok(change(ctx, "Mutation.alertResolve", resolve).await?.into())
    }

    /// Goes against an alert, for a reason. What is contraindicated takes a fresh second factor (STEP_UP_REQUIRED).
    ///
    /// Errors: NOT_FOUND, REQUIRED, TOO_LONG, INVALID, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn alert_override(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The alert, and why it is gone against.")] input: AlertOverrideInput,
    ) -> Result<AlertOverridePayload, ApiError> {
        let (id, version, reason) = (ids::parse(&input.id)?, input.if_version, input.reason.into());
        let words = input.justification.as_deref();
        let overrule = async |op: &_| alerts::overrule(op, id, version, reason, words).await;
        Ok(change(ctx, "Mutation.alertOverride", overrule).await?.into())
    }
}
