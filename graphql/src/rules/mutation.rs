//! Writing rules, and putting them into use.

use async_graphql::{Context, Object, SimpleObject};
use praxis_domain::rules;
use praxis_entity::rule;

use super::{
    ClinicalRule,
    inputs::{RuleActivateInput, RuleDraftInput, RuleRetireInput, RuleTestInput},
};
use crate::{
    context::change,
    error::ApiError,
    ids,
    payload::{Done, UserError},
};

/// Writing rules, and putting them into use.
#[derive(Default)]
pub(crate) struct RuleMutation;

macro_rules! rule_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The edition as it is now.
                rule: Option<ClinicalRule>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<rule::Model>> for $name {
                fn from(done: Done<rule::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { rule: row.map(ClinicalRule::new), user_errors }
                }
            }
        )*
    };
}

rule_payload! {
    /// The new edition, or why there is none.
    RuleDraftPayload;
    /// The tested edition, or which cases do not come out as they should.
    RuleTestPayload;
    /// The edition that is in use now, or why it is not.
    RuleActivatePayload;
    /// The edition that is out of use now, or why it is not.
    RuleRetirePayload;
}

#[Object]
impl RuleMutation {
    /// Writes the next edition of a rule. It is asked nothing before it was tested and approved.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, OUT_OF_RANGE, NOT_FOUND, ALREADY_EXISTS.
    async fn rule_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edition.")] input: RuleDraftInput,
    ) -> Result<RuleDraftPayload, ApiError> {
        let new = input.try_into()?;
        Ok(change(ctx, "Mutation.ruleDraft", async |op| rules::draft(op, new).await).await?.into())
    }

    /// Tries a rule on its cases. Each that does not come out as it should is named.
    ///
    /// Errors: NOT_FOUND, REQUIRED, INVALID, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn rule_test(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edition.")] input: RuleTestInput,
    ) -> Result<RuleTestPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let test = async |op: &_| rules::test(op, id, version).await;
        Ok(change(ctx, "Mutation.ruleTest", test).await?.into())
    }

    /// Puts a tested edition into use, in the place of the one before. Nobody approves a rule of their own.
    ///
    /// Errors: NOT_FOUND, LOCKED, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn rule_activate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edition.")] input: RuleActivateInput,
    ) -> Result<RuleActivatePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let activate = async |op: &_| rules::activate(op, id, version).await;
        Ok(change(ctx, "Mutation.ruleActivate", activate).await?.into())
    }

    /// Takes an edition out of use. What it found stays explained.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn rule_retire(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edition.")] input: RuleRetireInput,
    ) -> Result<RuleRetirePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let retire = async |op: &_| rules::retire(op, id, version).await;
        Ok(change(ctx, "Mutation.ruleRetire", retire).await?.into())
    }
}
