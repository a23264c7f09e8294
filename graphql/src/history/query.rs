//! Finding conditions.

use async_graphql::{Context, ID, Object};

use super::{Allergy, Condition, FamilyHistory, Immunization, MedicationStatement, Procedure, SocialHistory};
use crate::{context::Ask, error::Nullable, ids};

/// Finding conditions.
#[derive(Default)]
pub(crate) struct ConditionQuery;

#[Object]
impl ConditionQuery {
    /// One condition.
    async fn condition(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the condition.")] id: ID,
    ) -> Nullable<Condition> {
        async {
            ctx.read("Query.condition")?;
            Ok(ctx.caller()?.loaders().conditions.load(ids::parse(&id)?).await?.map(Condition::new))
        }
        .await
        .transpose()
    }
}

/// Finding statements of a history.
#[derive(Default)]
pub(crate) struct HistoryQuery;

macro_rules! by_id {
    ($($(#[$doc:meta])* $field:ident($coordinate:literal, $object:ident, $loader:ident);)*) => {
        /// Finding statements of a history.
        #[Object]
        impl HistoryQuery {
            $(
                $(#[$doc])*
                async fn $field(
                    &self,
                    ctx: &Context<'_>,
                    #[graphql(desc = "Its id.")] id: ID,
                ) -> Nullable<$object> {
                    async {
                        ctx.read($coordinate)?;
                        Ok(ctx.caller()?.loaders().$loader.load(ids::parse(&id)?).await?.map($object::new))
                    }
                    .await
                    .transpose()
                }
            )*
        }
    };
}

by_id! {
    /// One allergy, or the finding that there is none.
    allergy("Query.allergy", Allergy, allergies);
    /// One medication as stated.
    medication_statement("Query.medicationStatement", MedicationStatement, medications);
    /// One immunisation.
    immunization("Query.immunization", Immunization, immunizations);
    /// One procedure.
    procedure("Query.procedure", Procedure, procedures);
    /// What one relative has or had.
    family_history("Query.familyHistory", FamilyHistory, family_histories);
    /// One answer about how a patient lives.
    social_history("Query.socialHistory", SocialHistory, social_histories);
}
