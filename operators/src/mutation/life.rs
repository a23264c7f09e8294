//! Changes of a clinic's state, by the legal transitions.

use async_graphql::{Context, Error, ID, InputObject, Object};
use praxis_fleet::{
    operators::Right,
    tenant::{self as life, Places, State},
};
use praxis_platform::tenancy::installed;

use super::{TenantInput, TenantPayload, whether};
use crate::{
    error::database,
    ground::{Ground, acting, acting_proved},
    tenants::clinic_id,
};

#[derive(Default)]
pub(super) struct LifeMutation;

/// A clinic that leaves.
#[derive(InputObject)]
pub(crate) struct TenantOffboardInput {
    /// Its id.
    id: ID,
    /// Days until it can be archived, 0 to 3650.
    #[graphql(default = 30)]
    grace_days: i32,
}

/// A clinic that is kept.
#[derive(InputObject)]
pub(crate) struct TenantHoldInput {
    /// Its id.
    id: ID,
    /// Why, in up to 1,000 letters; nothing of a patient.
    reason: String,
}

#[Object]
impl LifeMutation {
    /// Serves a clinic again, also one that was about to leave. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`, `ILLEGAL_TRANSITION`.
    async fn tenant_resume(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantInput,
    ) -> Result<TenantPayload, Error> {
        turn_into(context, &input, State::Active).await
    }

    /// Notes that a clinic's payment is late; it is served as before. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`, `ILLEGAL_TRANSITION`.
    async fn tenant_note_past_due(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantInput,
    ) -> Result<TenantPayload, Error> {
        turn_into(context, &input, State::PastDue).await
    }

    /// Takes no new writes of a clinic; its charts stay readable. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`, `ILLEGAL_TRANSITION`.
    async fn tenant_lock(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantInput,
    ) -> Result<TenantPayload, Error> {
        turn_into(context, &input, State::Locked).await
    }

    /// Serves a clinic no more, until it is resumed. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`, `ILLEGAL_TRANSITION`.
    async fn tenant_suspend(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantInput,
    ) -> Result<TenantPayload, Error> {
        turn_into(context, &input, State::Suspended).await
    }

    /// Begins to let a clinic go: it is read only from now on, and can be archived when the days of grace are over. They
    /// count from when it began to leave; for one that is leaving they are set anew. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`, `ILLEGAL_TRANSITION`, `INVALID`.
    async fn tenant_offboard(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and its grace.")] input: TenantOffboardInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        let clinic = clinic_id(&input.id)?;
        // Less than none is refused as too many are.
        let days = u32::try_from(input.grace_days).unwrap_or(u32::MAX);
        let changed = life::offboard(&mut admin, clinic, days).await;
        TenantPayload::of(&mut admin, clinic, whether(changed), "id").await
    }

    /// Serves a clinic that has left no more, once its grace is over. Its data and keys are still there, and it does not
    /// come back. Needs the right DESTROY, and the password shown just now.
    ///
    /// Codes: `UNKNOWN_TENANT`, `ILLEGAL_TRANSITION`, `LEGAL_HOLD`, `GRACE`.
    async fn tenant_archive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = acting_proved(context, Right::Destroy).await?;
        let clinic = clinic_id(&input.id)?;
        let changed = life::archive(&mut admin, clinic).await;
        TenantPayload::of(&mut admin, clinic, whether(changed), "id").await
    }

    /// Throws away what lies beside a clinic: what was restored, or what was live before the exchange. Needs the right
    /// DESTROY, and the password shown just now.
    ///
    /// Codes: `UNKNOWN_TENANT`, `LEGAL_HOLD`, `REFUSED`.
    async fn tenant_discard(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = acting_proved(context, Right::Destroy).await?;
        let clinic = clinic_id(&input.id)?;
        let installation = installed(&mut admin).await.map_err(database)?;
        let installation = installation.ok_or_else(|| database(sqlx::Error::RowNotFound))?;
        let places = Places { cells: &context.data::<Ground>()?.cells, installation: &installation };
        let discarded = life::discard(&mut admin, places, clinic).await.map(|_| true);
        TenantPayload::of(&mut admin, clinic, discarded, "id").await
    }

    /// Keeps a clinic's data and keys, whatever else is decided, until it is released. Needs the right HOLD.
    ///
    /// Codes: `UNKNOWN_TENANT`, `INVALID`, `REFUSED`.
    async fn tenant_hold(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and why.")] input: TenantHoldInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = acting(context, Right::Hold).await?;
        let clinic = clinic_id(&input.id)?;
        let changed = life::hold(&mut admin, clinic, &input.reason).await;
        TenantPayload::of(&mut admin, clinic, whether(changed), "reason").await
    }

    /// Ends a legal hold. Needs the right HOLD, and the password shown just now.
    ///
    /// Codes: `UNKNOWN_TENANT`, `REFUSED`.
    async fn tenant_release(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = acting_proved(context, Right::Hold).await?;
        let clinic = clinic_id(&input.id)?;
        let changed = life::release(&mut admin, clinic).await;
        TenantPayload::of(&mut admin, clinic, whether(changed), "id").await
    }
}

async fn turn_into(context: &Context<'_>, input: &TenantInput, state: State) -> Result<TenantPayload, Error> {
    let mut admin = acting(context, Right::Manage).await?;
    let clinic = clinic_id(&input.id)?;
    let changed = life::turn_into(&mut admin, clinic, state).await;
    TenantPayload::of(&mut admin, clinic, whether(changed), "id").await
}
