//! Finding rules, and what they say about a visit.

use async_graphql::{Context, ID, InputObject, Object};
use praxis_domain::{rules, rules::facts_of};

use super::types::{ClinicalRule, RuleCause, RuleCheck, RuleFactSpec, RuleStatus};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    policy::at,
    redaction,
    subject::Subject,
};

/// Which rules. What is given side by side must all hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct RuleFilter {
    /// In one of these statuses.
    status: Option<Vec<RuleStatus>>,
    /// All editions of one rule.
    code: Option<String>,
    /// Asked on one of these occasions.
    cause: Option<Vec<RuleCause>>,
}

/// Finding rules, and what they say about a visit.
#[derive(Default)]
pub(crate) struct RuleQuery;

#[Object]
impl RuleQuery {
    /// One edition of a rule.
    async fn rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the edition.")] id: ID,
    ) -> Nullable<ClinicalRule> {
        async {
            ctx.read("Query.rule")?;
            Ok(ctx.caller()?.loaders().rules.load(ids::parse(&id)?).await?.map(ClinicalRule::new))
        }
        .await
        .transpose()
    }

    /// Rules by code, the newest edition first; 500 at the most.
    async fn rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which rules.")] filter: Option<RuleFilter>,
    ) -> Result<Vec<ClinicalRule>, ApiError> {
        let op = ctx.read("Query.rules")?;
        let filter = filter.unwrap_or_default();
        let wanted = rules::RuleFilter {
            status: filter.status.map(|list| list.into_iter().map(Into::into).collect()),
            code: filter.code,
            cause: filter.cause.map(|list| list.into_iter().map(Into::into).collect()),
        };
        Ok(rules::list(op, &wanted).await?.into_iter().map(ClinicalRule::new).collect())
    }

    /// The facts that a condition may use.
    fn rule_facts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "On which occasion.")] cause: RuleCause,
    ) -> Result<Vec<RuleFactSpec>, ApiError> {
        ctx.read("Query.ruleFacts")?;
        let shown = |fact: &'static rules::FactSpec| RuleFactSpec {
            name: fact.name,
            kind: fact.kind.into(),
            meaning: fact.meaning,
        };
        Ok(facts_of(cause.into()).map(shown).collect())
    }

    /// What decision support says about a visit: for each rule in effect whether it was checked, and what it found.
    /// Rules that were not checked are among them. Null where the viewer may not read what rules say of this visit.
    async fn decision_support(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the visit.")] encounter_id: ID,
    ) -> Nullable<Vec<RuleCheck>> {
        async {
            let op = ctx.read("Query.decisionSupport")?;
            let id = ids::parse(&encounter_id)?;
            let Some(visit) = ctx.caller()?.loaders().encounters.load(id).await? else { return Ok(None) };
            // Without the right to what was found, 'not asked' would be said of what fired.
            let subject = Subject::new(visit.patient_id, &visit);
            if !redaction::allowed_of(ctx, at!("Query.decisionSupport"), &subject).await? {
                return Ok(None);
            }
            let checks = rules::support_of(op, id).await?;
            Ok(Some(checks.into_iter().map(RuleCheck::new).collect()))
        }
        .await
        .transpose()
    }
}
