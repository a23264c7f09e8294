//! How sensitive records are.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use praxis_domain::sensitivity;
use praxis_entity::sensitivity_label;
use praxis_platform::access::{self, Permission};

use crate::{
    context::{Ask, change},
    error::{ApiError, Code},
    node::{self, Node},
    payload::UserError,
    policy::{Rule, inherited, needs},
};

pub(crate) const POLICY: &[Rule] = &[
    needs("Mutation", Permission::SENSITIVITY_LABEL, &["confidentialitySet"]),
    inherited("ConfidentialitySetPayload", &["node", "confidentiality", "userErrors"]),
];

/// How sensitive a record is, HL7 v3 Confidentiality.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "sensitivity_label::Confidentiality")]
pub(crate) enum Confidentiality {
    /// As all health data.
    Normal,
    /// Its content is kept back from whoever lacks patient.restricted:read and did not record it.
    Restricted,
    /// It is not there for whoever lacks patient.restricted:read or has no part in the patient's care.
    VeryRestricted,
}

impl From<access::Sensitivity> for Confidentiality {
    fn from(level: access::Sensitivity) -> Self {
        match level {
            access::Sensitivity::Normal => Self::Normal,
            access::Sensitivity::Restricted => Self::Restricted,
            access::Sensitivity::VeryRestricted => Self::VeryRestricted,
        }
    }
}

/// Changing how sensitive records are.
#[derive(Default)]
pub(crate) struct SensitivityMutation;

/// A record and how sensitive it is.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct ConfidentialitySetInput {
    /// The patient, or what of their record: an appointment, encounter, observation, condition, document, allergy,
    /// medication, immunisation, procedure, family or social history, or task.
    id: ID,
    /// How sensitive it is. NORMAL takes a label off.
    confidentiality: Confidentiality,
}

/// The labelled record, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct ConfidentialitySetPayload {
    /// The record, where the viewer still may know of it.
    node: Option<Node>,
    /// Its label.
    confidentiality: Option<Confidentiality>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl SensitivityMutation {
    /// Labels a record as restricted, or takes the label off. What hangs on a labelled encounter or patient is as
    /// sensitive as that.
    ///
    /// Errors: NOT_FOUND, INVALID.
    async fn confidentiality_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The record and its label.")] input: ConfidentialitySetInput,
    ) -> Result<ConfidentialitySetPayload, ApiError> {
        let malformed = |_| ApiError::new(Code::BadUserInput, "This is not an id.");
        let id = input.id.as_str().parse().map_err(malformed)?;
        let level = input.confidentiality.into();
        let label = async |op: &_| sensitivity::label(op, id, level).await;
        let (labelled, user_errors) = change(ctx, "Mutation.confidentialitySet", label).await?.split();
        let node = match labelled {
            Some(labelled) => node::find(ctx.caller()?, labelled.id).await?,
            None => None,
        };
        let confidentiality = labelled.map(|labelled| labelled.level.into());
        Ok(ConfidentialitySetPayload { node, confidentiality, user_errors })
    }
}
