//! Changing second factors.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::second_factors as domain;
use praxis_platform::{Op, Write};

use super::types::{Passkey, PasskeyCreationOptions, PasskeyRegistration, SecondFactors};
use crate::{context::change, error::ApiError, identity::User, ids, payload::UserError};

/// Changing second factors.
#[derive(Default)]
pub(crate) struct SecondFactorMutation;

/// What an authenticator app is set up with.
#[derive(SimpleObject)]
pub(crate) struct TotpEnrolPayload {
    /// `otpauth:` address, to be shown as a QR code.
    uri: Option<String>,
    /// The secret in it, to be typed where nothing can be scanned.
    secret: Option<String>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// The first code of a new authenticator app.
#[derive(InputObject)]
pub(crate) struct TotpConfirmInput {
    /// Six digits.
    code: String,
}

/// What there is to show now.
#[derive(SimpleObject)]
pub(crate) struct TotpConfirmPayload {
    /// The user's second factors.
    second_factors: Option<SecondFactors>,
    /// For whoever had none: codes that each stand in once for a lost factor. Told here and never again.
    recovery_codes: Vec<String>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// What is left.
#[derive(SimpleObject)]
pub(crate) struct TotpRemovePayload {
    /// The user's second factors.
    second_factors: Option<SecondFactors>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// What a browser is asked.
#[derive(SimpleObject)]
pub(crate) struct PasskeyRegisterStartPayload {
    /// Good for five minutes and one answer, in this session.
    options: Option<PasskeyCreationOptions>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A browser's answer.
#[derive(InputObject)]
pub(crate) struct PasskeyRegisterFinishInput {
    /// What its owner calls it.
    name: String,
    /// The browser's answer.
    credential: PasskeyRegistration,
}

/// The new passkey.
#[derive(SimpleObject)]
pub(crate) struct PasskeyRegisterFinishPayload {
    /// The new passkey.
    passkey: Option<Passkey>,
    /// For whoever had none: codes that each stand in once for a lost factor. Told here and never again.
    recovery_codes: Vec<String>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Another name.
#[derive(InputObject)]
pub(crate) struct PasskeyRenameInput {
    /// Which passkey.
    id: ID,
    /// What its owner calls it.
    name: String,
}

/// The passkey under its new name.
#[derive(SimpleObject)]
pub(crate) struct PasskeyRenamePayload {
    /// The passkey.
    passkey: Option<Passkey>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A passkey that goes.
#[derive(InputObject)]
pub(crate) struct PasskeyRemoveInput {
    /// Which passkey.
    id: ID,
}

/// What is left.
#[derive(SimpleObject)]
pub(crate) struct PasskeyRemovePayload {
    /// The user's second factors.
    second_factors: Option<SecondFactors>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// New recovery codes.
#[derive(SimpleObject)]
pub(crate) struct RecoveryCodesRenewPayload {
    /// The codes. Told here and never again; a retry gets none.
    recovery_codes: Vec<String>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Somebody who lost their second factors.
#[derive(InputObject)]
pub(crate) struct UserResetSecondFactorsInput {
    /// Who.
    user_id: ID,
}

/// Whose second factors are gone.
#[derive(SimpleObject)]
pub(crate) struct UserResetSecondFactorsPayload {
    /// Who.
    user: Option<User>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Whether a role asks for a second factor.
#[derive(InputObject)]
pub(crate) struct RoleRequireSecondFactorInput {
    /// Code of the role.
    role: String,
    /// Whether it asks.
    required: bool,
}

/// What the role asks for now.
#[derive(SimpleObject)]
pub(crate) struct RoleRequireSecondFactorPayload {
    /// Code of the role.
    role: Option<String>,
    /// Whether it asks for a second factor.
    required: Option<bool>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl SecondFactorMutation {
    /// Begins to set an authenticator app up. It counts once a code of it was shown.
    ///
    /// Needs a second factor shown a short while ago, or a new session where there is none yet.
    /// Errors: ALREADY_EXISTS.
    async fn totp_enrol(&self, ctx: &Context<'_>) -> Result<TotpEnrolPayload, ApiError> {
        let done = change(ctx, "Mutation.totpEnrol", async |op| domain::totp_enrol(op).await);
        let (enrolment, user_errors) = done.await?.split();
        let (uri, secret) = enrolment.map(|enrolment| (enrolment.uri, enrolment.secret)).unzip();
        Ok(TotpEnrolPayload { uri, secret, user_errors })
    }

    /// Confirms an authenticator app by a code of it.
    ///
    /// Errors: INVALID, NOT_FOUND.
    async fn totp_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: TotpConfirmInput,
    ) -> Result<TotpConfirmPayload, ApiError> {
        let done = change(ctx, "Mutation.totpConfirm", async |op| {
            let codes = domain::totp_confirm(op, &input.code).await?;
            Ok(Told { value: left(op).await?, codes: RecoveryCodes(codes) })
        });
        let (told, user_errors) = done.await?.split();
        let (second_factors, recovery_codes) = told.map(|told| (told.value.0, told.codes.0)).unzip();
        let recovery_codes = recovery_codes.unwrap_or_default();
        Ok(TotpConfirmPayload { second_factors: second_factors.map(Into::into), recovery_codes, user_errors })
    }

    /// Removes the authenticator app.
    ///
    /// Needs a second factor shown a short while ago. Errors: NOT_FOUND, LOCKED.
    async fn totp_remove(&self, ctx: &Context<'_>) -> Result<TotpRemovePayload, ApiError> {
        let done = change(ctx, "Mutation.totpRemove", async |op| {
            domain::totp_remove(op).await?;
            left(op).await
        });
        let (second_factors, user_errors) = done.await?.split();
        Ok(TotpRemovePayload { second_factors: second_factors.map(|left| left.0.into()), user_errors })
    }

    /// Begins to make a passkey.
    ///
    /// Needs a second factor shown a short while ago, or a new session where there is none yet.
    /// Errors: OUT_OF_RANGE.
    async fn passkey_register_start(
        &self,
        ctx: &Context<'_>,
    ) -> Result<PasskeyRegisterStartPayload, ApiError> {
        let done =
            change(ctx, "Mutation.passkeyRegisterStart", async |op| domain::passkey_register_start(op).await);
        let (creation, user_errors) = done.await?.split();
        let options = creation.map(|creation| PasskeyCreationOptions(creation.options));
        Ok(PasskeyRegisterStartPayload { options, user_errors })
    }

    /// Takes the browser's answer; the passkey counts from then on.
    ///
    /// Errors: REQUIRED, TOO_LONG, INVALID, ALREADY_EXISTS, OUT_OF_RANGE.
    async fn passkey_register_finish(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The answer.")] input: PasskeyRegisterFinishInput,
    ) -> Result<PasskeyRegisterFinishPayload, ApiError> {
        let PasskeyRegisterFinishInput { name, credential } = input;
        let done = change(ctx, "Mutation.passkeyRegisterFinish", async |op| {
            let new = domain::passkey_register_finish(op, &name, credential.0).await?;
            Ok(Told { value: new.passkey, codes: RecoveryCodes(new.recovery_codes) })
        });
        let (told, user_errors) = done.await?.split();
        let (passkey, recovery_codes) = told.map(|told| (told.value, told.codes.0)).unzip();
        let recovery_codes = recovery_codes.unwrap_or_default();
        Ok(PasskeyRegisterFinishPayload { passkey: passkey.map(Passkey::from), recovery_codes, user_errors })
    }

    /// Gives a passkey of one's own another name.
    ///
    /// Needs a second factor shown a short while ago. Errors: REQUIRED, TOO_LONG, NOT_FOUND.
    async fn passkey_rename(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The passkey and its name.")] input: PasskeyRenameInput,
    ) -> Result<PasskeyRenamePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let done = change(ctx, "Mutation.passkeyRename", async |op| {
            domain::passkey_rename(op, id, &input.name).await
        });
        let (passkey, user_errors) = done.await?.split();
        Ok(PasskeyRenamePayload { passkey: passkey.map(Passkey::from), user_errors })
    }

    /// Removes a passkey of one's own.
    ///
    /// Needs a second factor shown a short while ago. Errors: NOT_FOUND, LOCKED.
    async fn passkey_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The passkey.")] input: PasskeyRemoveInput,
    ) -> Result<PasskeyRemovePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let done = change(ctx, "Mutation.passkeyRemove", async |op| {
            domain::passkey_remove(op, id).await?;
            left(op).await
        });
        let (second_factors, user_errors) = done.await?.split();
        Ok(PasskeyRemovePayload { second_factors: second_factors.map(|left| left.0.into()), user_errors })
    }

    /// Makes ten new recovery codes; the old ones are void.
    ///
    /// Needs a second factor shown a short while ago. Errors: NOT_FOUND.
    async fn recovery_codes_renew(&self, ctx: &Context<'_>) -> Result<RecoveryCodesRenewPayload, ApiError> {
        let done = change(ctx, "Mutation.recoveryCodesRenew", async |op| {
            domain::recovery_codes_renew(op).await.map(RecoveryCodes)
        });
        let (codes, user_errors) = done.await?.split();
        let recovery_codes = codes.map(|codes| codes.0).unwrap_or_default();
        Ok(RecoveryCodesRenewPayload { recovery_codes, user_errors })
    }

    /// Takes away the second factors of somebody who lost them, and ends their sessions. Nobody can
    /// do it to a person who may do more than they themselves.
    ///
    /// Needs a second factor shown a short while ago. Errors: NOT_FOUND, LOCKED.
    async fn user_reset_second_factors(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who.")] input: UserResetSecondFactorsInput,
    ) -> Result<UserResetSecondFactorsPayload, ApiError> {
        let user = ids::parse(&input.user_id)?;
        let done = change(ctx, "Mutation.userResetSecondFactors", async |op| {
            domain::reset_second_factors(op, user).await
        });
        let (user, user_errors) = done.await?.split();
        Ok(UserResetSecondFactorsPayload { user: user.map(User::new), user_errors })
    }

    /// Makes a role ask for a second factor, or not. Sessions that showed none can from then on do
    /// nothing but show or enrol one.
    ///
    /// Needs a second factor shown a short while ago. Errors: NOT_FOUND.
    async fn role_require_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role and what it asks for.")] input: RoleRequireSecondFactorInput,
    ) -> Result<RoleRequireSecondFactorPayload, ApiError> {
        let RoleRequireSecondFactorInput { role, required } = input;
        let done = change(ctx, "Mutation.roleRequireSecondFactor", async |op| {
            domain::role_require_second_factor(op, &role, required).await
        });
        let (role, user_errors) = done.await?.split();
        let (role, required) = role.map(|role| (role.code, role.second_factor_required)).unzip();
        Ok(RoleRequireSecondFactorPayload { role, required, user_errors })
    }
}

/// Recovery codes, told once.
pub(crate) struct RecoveryCodes(pub(crate) Vec<String>);

/// What was changed, with recovery codes for whoever had none.
pub(crate) struct Told<T> {
    pub(crate) value: T,
    pub(crate) codes: RecoveryCodes,
}

/// What is left after a change; a retry gets what is left by then.
pub(crate) struct Left(pub(crate) domain::SecondFactors);

async fn left(op: &Op<Write>) -> Result<Left, praxis_domain::Error> {
    domain::second_factors(op).await.map(Left)
}
