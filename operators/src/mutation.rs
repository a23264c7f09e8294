//! What operators can do.

use async_graphql::{Context, Enum, Error, InputObject, Object, SimpleObject};
use praxis_fleet::{
    operators::Operator,
    registry,
    tenant::{self as life, Changed, LifeError},
};
use praxis_platform::{
    template::{Source, Template},
    tenancy::{NewTenant, ProvisionError, installed, provision},
};
use sqlx::postgres::PgConnection;

use crate::{
    plane::{Ground, coded, connect_as, unavailable},
    tenants::Tenant,
};

/// What operators can do.
pub(crate) struct Mutation;

/// A clinic to be made.
#[derive(InputObject)]
pub(crate) struct TenantCreateInput {
    /// Its subdomain: 1 to 63 letters a-z, digits or hyphens.
    slug: String,
    /// Its name as shown.
    display_name: String,
    /// What it starts with; see `templates`.
    template: String,
    /// BCP 47 locale; the template's when left out.
    locale: Option<String>,
    /// IANA time zone; the template's when left out.
    time_zone: Option<String>,
}

/// Why something was not done.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperatorErrorCode {
    /// The subdomain is in use.
    SlugTaken,
    /// The value is not one that can be taken.
    Invalid,
    /// There is no such template.
    UnknownTemplate,
    /// There is no such clinic.
    UnknownTenant,
    /// The states don't follow each other.
    IllegalTransition,
    /// The clinic is under legal hold.
    LegalHold,
    /// The clinic's days of grace are not over.
    Grace,
}

/// Something that the operator can put right.
#[derive(SimpleObject)]
pub(crate) struct OperatorUserError {
    /// What it is.
    code: OperatorErrorCode,
    /// The same in words.
    message: String,
    /// The field of the input that it is about.
    path: Vec<String>,
}

impl OperatorUserError {
    fn new(code: OperatorErrorCode, message: impl ToString, field: &str) -> Self {
        Self { code, message: message.to_string(), path: vec!["input".to_owned(), field.to_owned()] }
    }
}

/// What became of a clinic that was to be made.
#[derive(SimpleObject)]
pub(crate) struct TenantCreatePayload {
    /// The clinic, ready to be served.
    tenant: Option<Tenant>,
    /// Why it was not made.
    user_errors: Vec<OperatorUserError>,
}

#[Object]
impl Mutation {
    /// Makes a clinic, ready to be served. Sent again it says `SLUG_TAKEN`, and `tenant(slug:)` shows the one that was made.
    ///
    /// Codes: `SLUG_TAKEN`, `INVALID`, `UNKNOWN_TEMPLATE`.
    async fn tenant_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: TenantCreateInput,
    ) -> Result<TenantCreatePayload, Error> {
        let ground = context.data::<Ground>()?;
        let operator = context.data::<Operator>()?;
        let Ok(template) = Template::load(&Source::shipped(), &input.template) else {
            let error = OperatorUserError::new(
                OperatorErrorCode::UnknownTemplate,
                "There is no such template.",
                "template",
            );
            return Ok(TenantCreatePayload { tenant: None, user_errors: vec![error] });
        };
        let new = NewTenant {
            slug: input.slug,
            display_name: input.display_name,
            locale: input.locale,
            time_zone: input.time_zone,
        };
        let mut admin = connect_as(ground, operator).await?;
        let installation = installed(&mut admin)
            .await
            .map_err(unavailable)?
            .ok_or_else(|| coded("This database holds no installation.", "UNAVAILABLE"))?;
        let made =
            provision(&mut admin, &installation, ground.keys.as_ref(), &ground.clock, &template, &new).await;
        let refused = |code, error: ProvisionError, field| {
            let error = OperatorUserError::new(code, error, field);
            Ok(TenantCreatePayload { tenant: None, user_errors: vec![error] })
        };
        match made {
            Ok(tenant) => {
                let row = registry::tenant(&mut admin, &tenant.slug).await.map_err(unavailable)?;
                Ok(TenantCreatePayload { tenant: row.map(Tenant::from), user_errors: Vec::new() })
            }
            Err(error @ ProvisionError::SlugTaken) => refused(OperatorErrorCode::SlugTaken, error, "slug"),
            Err(error @ ProvisionError::SlugInvalid) => refused(OperatorErrorCode::Invalid, error, "slug"),
            Err(error @ ProvisionError::TimeZoneUnknown) => {
                refused(OperatorErrorCode::Invalid, error, "timeZone")
            }
            Err(error @ ProvisionError::NameMissing) => {
                refused(OperatorErrorCode::Invalid, error, "displayName")
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Brings a clinic into another state, by the legal transitions. A clinic that is in it already is left as it is.
    ///
    /// Codes: `UNKNOWN_TENANT`, `ILLEGAL_TRANSITION`, `LEGAL_HOLD`.
    async fn tenant_set_state(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and where it is to stand.")] input: TenantSetStateInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = connect_as(context.data::<Ground>()?, context.data::<Operator>()?).await?;
        let state = match input.state {
            ServedState::Active => life::State::Active,
            ServedState::PastDue => life::State::PastDue,
            ServedState::Suspended => life::State::Suspended,
            ServedState::Locked => life::State::Locked,
        };
        let changed = life::turn_into(&mut admin, &input.slug, state).await;
        TenantPayload::of(&mut admin, changed, "state").await
    }

    /// Gives a clinic another subdomain, and if asked for another name. The old subdomain is free from then on.
    ///
    /// Codes: `UNKNOWN_TENANT`, `SLUG_TAKEN`, `INVALID`.
    async fn tenant_rename(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and what it is to be called.")] input: TenantRenameInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = connect_as(context.data::<Ground>()?, context.data::<Operator>()?).await?;
        let changed =
            life::rename(&mut admin, &input.slug, &input.new_slug, input.display_name.as_deref()).await;
        TenantPayload::of(&mut admin, changed, "newSlug").await
    }

    /// Limits what a clinic may ask for and how fast, and how much it may have; what is left out stays as it was. A number
    /// that is smaller than what the clinic has takes nothing away: it only lets nothing more in.
    ///
    /// Codes: `UNKNOWN_TENANT`, `INVALID`.
    async fn tenant_set_limits(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and its limits.")] input: TenantSetLimitsInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = connect_as(context.data::<Ground>()?, context.data::<Operator>()?).await?;
        let changed = match input.limits() {
            Some(limits) => life::limit(&mut admin, &input.slug, &limits).await,
            None => Err(LifeError::Refused("a number of bytes is a whole one".to_owned())),
        };
        TenantPayload::of(&mut admin, changed, "limits").await
    }

    /// Begins to let a clinic go: it is read only from now on, and can be archived when the days of grace are over.
    ///
    /// Codes: `UNKNOWN_TENANT`, `ILLEGAL_TRANSITION`, `INVALID`.
    async fn tenant_offboard(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and its grace.")] input: TenantOffboardInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = connect_as(context.data::<Ground>()?, context.data::<Operator>()?).await?;
        let changed = match u32::try_from(input.grace_days) {
            Ok(days) if days <= 3650 => life::offboard(&mut admin, &input.slug, days).await,
            _ => Err(LifeError::Refused("the grace is from 0 to 3650 days".to_owned())),
        };
        TenantPayload::of(&mut admin, changed, "graceDays").await
    }

    /// Serves a clinic that has left no more, once its grace is over. Its data and keys are still there.
    ///
    /// Codes: `UNKNOWN_TENANT`, `ILLEGAL_TRANSITION`, `LEGAL_HOLD`, `GRACE`.
    async fn tenant_archive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = connect_as(context.data::<Ground>()?, context.data::<Operator>()?).await?;
        let changed = life::archive(&mut admin, &input.slug).await;
        TenantPayload::of(&mut admin, changed, "slug").await
    }

    /// Keeps a clinic's data and keys, whatever else is decided, until it is released.
    ///
    /// Codes: `UNKNOWN_TENANT`, `INVALID`.
    async fn tenant_hold(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and why.")] input: TenantHoldInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = connect_as(context.data::<Ground>()?, context.data::<Operator>()?).await?;
        let changed = life::hold(&mut admin, &input.slug, &input.reason).await;
        TenantPayload::of(&mut admin, changed, "reason").await
    }

    /// Ends a legal hold.
    ///
    /// Codes: `UNKNOWN_TENANT`, `INVALID`.
    async fn tenant_release(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic.")] input: TenantInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = connect_as(context.data::<Ground>()?, context.data::<Operator>()?).await?;
        let changed = life::release(&mut admin, &input.slug).await;
        TenantPayload::of(&mut admin, changed, "slug").await
    }
}

/// States that a clinic is brought into by saying so.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServedState {
    /// Served.
    Active,
    /// Served; payment is late.
    PastDue,
    /// Not served.
    Suspended,
    /// Read only.
    Locked,
}

/// Where a clinic is to stand.
#[derive(InputObject)]
pub(crate) struct TenantSetStateInput {
    /// Its subdomain.
    slug: String,
    /// The state.
    state: ServedState,
}

/// What a clinic is to be called.
#[derive(InputObject)]
pub(crate) struct TenantRenameInput {
    /// Its subdomain.
    slug: String,
    /// The new one.
    new_slug: String,
    /// Another name as shown.
    display_name: Option<String>,
}

/// Which operations are taken.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationMode {
    /// Any document.
    Open,
    /// Any document, and documents that were sent before by their hash.
    Apq,
    /// Registered operations only.
    Registered,
}

impl OperationMode {
    fn code(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Apq => "APQ",
            Self::Registered => "REGISTERED",
        }
    }
}

/// What a clinic may ask for and how fast, and how much it may have. All numbers are at least 1.
#[derive(InputObject)]
pub(crate) struct TenantSetLimitsInput {
    /// Its subdomain.
    slug: String,
    /// Which operations are taken, if the installation's setting is not stricter.
    operations: Option<OperationMode>,
    /// Points the whole clinic may spend at once.
    points: Option<i32>,
    /// Points the whole clinic gets back each second.
    restore: Option<i32>,
    /// Points one person may spend at once.
    actor_points: Option<i32>,
    /// Points one person gets back each second.
    actor_restore: Option<i32>,
    /// Accounts that can sign in.
    seats: Option<i32>,
    /// Bytes of documents and of what was imported.
    storage_bytes: Option<f64>,
    /// Forget what was limited before.
    #[graphql(default = false)]
    reset: bool,
}

impl TenantSetLimitsInput {
    fn limits(&self) -> Option<life::Limits> {
        let storage_bytes = match self.storage_bytes {
            Some(bytes) => Some(whole(bytes)?),
            None => None,
        };
        Some(life::Limits {
            operations: self.operations.map(OperationMode::code),
            points: self.points,
            restore: self.restore,
            actor_points: self.actor_points,
            actor_restore: self.actor_restore,
            seats: self.seats,
            storage_bytes,
            reset: self.reset,
        })
    }
}

/// The whole number that this is, as far as each of them can be told from the next.
#[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53, as was asked")]
fn whole(number: f64) -> Option<i64> {
    const TOLD_APART: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() < TOLD_APART).then_some(number as i64)
}

/// A clinic that leaves.
#[derive(InputObject)]
pub(crate) struct TenantOffboardInput {
    /// Its subdomain.
    slug: String,
    /// Days until it can be archived, 0 to 3650.
    #[graphql(default = 30)]
    grace_days: i32,
}

/// A clinic.
#[derive(InputObject)]
pub(crate) struct TenantInput {
    /// Its subdomain.
    slug: String,
}

/// A clinic that is kept.
#[derive(InputObject)]
pub(crate) struct TenantHoldInput {
    /// Its subdomain.
    slug: String,
    /// Why; nothing of a patient.
    reason: String,
}

/// What became of a clinic.
#[derive(SimpleObject)]
pub(crate) struct TenantPayload {
    /// The clinic as it is now.
    tenant: Option<Tenant>,
    /// Whether anything changed.
    changed: bool,
    /// Why nothing was done.
    user_errors: Vec<OperatorUserError>,
}

impl TenantPayload {
    async fn of(
        admin: &mut PgConnection,
        changed: Result<Changed, LifeError>,
        field: &str,
    ) -> Result<Self, Error> {
        let error = match changed {
            Ok(Changed { slug, changed, .. }) => {
                let row = registry::tenant(admin, &slug).await.map_err(unavailable)?;
                return Ok(Self { tenant: row.map(Tenant::from), changed, user_errors: Vec::new() });
            }
            Err(error) => error,
        };
        let (code, field) = match &error {
            LifeError::Unknown(_) => (OperatorErrorCode::UnknownTenant, "slug"),
            LifeError::Transition { .. } => (OperatorErrorCode::IllegalTransition, field),
            LifeError::Held => (OperatorErrorCode::LegalHold, field),
            LifeError::Grace => (OperatorErrorCode::Grace, field),
            LifeError::SlugTaken => (OperatorErrorCode::SlugTaken, field),
            LifeError::SlugInvalid | LifeError::Refused(_) => (OperatorErrorCode::Invalid, field),
            _ => return Err(unavailable(error)),
        };
        let user_errors = vec![OperatorUserError::new(code, error, field)];
        Ok(Self { tenant: None, changed: false, user_errors })
    }
}
