//! Allergies and intolerances, and the finding that there is none.

use async_graphql::{Enum, ID, InputObject, SimpleObject};
use praxis_domain::history;
use praxis_entity::{
    allergy,
    value::{self as stored, AllergyClinical},
};
use praxis_platform::{Op, Write};

use super::statement::{moment, statement, statement_mutations};
use crate::{
    ids,
    phi::Phi,
    policy::at,
    scalar::PartialDate,
    value::{CodeableConcept, CodeableConceptInput},
};

/// Where an allergy stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "allergy::AllergyStatus")]
pub(crate) enum AllergyStatus {
    /// Present.
    Active,
    /// Not a danger at present.
    Inactive,
    /// Gone.
    Resolved,
    /// Ruled out.
    Refuted,
    /// Recorded by mistake.
    EnteredInError,
}

/// How dangerous the next contact may be.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "stored::Criticality")]
pub(crate) enum AllergyCriticality {
    /// Not dangerous.
    Low,
    /// Perhaps a danger to life.
    High,
    /// Can't be said.
    UnableToAssess,
}

/// How grave a reaction was.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "stored::ReactionSeverity")]
pub(crate) enum ReactionSeverity {
    /// Mild.
    Mild,
    /// Moderate.
    Moderate,
    /// Severe.
    Severe,
}

/// What happened at a contact.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct AllergyReaction {
    /// What showed.
    manifestations: Vec<CodeableConcept>,
    /// How grave it was.
    severity: Option<ReactionSeverity>,
}

statement!(
    /// An allergy or intolerance, or the finding that there is none.
    Allergy("Allergy"), allergy, AllergyClinical, AllergyStatus, "allergy", {
        /// True for the finding that there is none.
        async fn none_known(&self) -> bool {
            self.row.none_known
        }

        /// The substance, or SNOMED CT 716186003 where there is none.
        async fn code(&self) -> Phi<AllergyClinical, CodeableConcept> {
            Phi::new(at!("Allergy.code"), &self.clinical, |said| Some((&said.code).into()))
        }

        /// How dangerous the next contact may be.
        async fn criticality(&self) -> Phi<AllergyClinical, AllergyCriticality> {
            Phi::new(at!("Allergy.criticality"), &self.clinical, |said| said.criticality.map(Into::into))
        }

        /// Whether it is confirmed.
        async fn confirmed(&self) -> Phi<AllergyClinical, bool> {
            Phi::new(at!("Allergy.confirmed"), &self.clinical, |said| Some(said.confirmed))
        }

        /// True for an intolerance, which the immune system has no part in.
        async fn intolerance(&self) -> Phi<AllergyClinical, bool> {
            Phi::new(at!("Allergy.intolerance"), &self.clinical, |said| Some(said.intolerance))
        }

        /// What happened.
        async fn reactions(&self) -> Phi<AllergyClinical, Vec<AllergyReaction>> {
            Phi::new(at!("Allergy.reactions"), &self.clinical, |said| {
                let reaction = |one: &stored::AllergyReaction| AllergyReaction {
                    manifestations: one.manifestations.iter().map(Into::into).collect(),
                    severity: one.severity.map(Into::into),
                };
                Some(said.reactions.iter().map(reaction).collect())
            })
        }

        /// When it began, as precise as it is known.
        async fn onset(&self) -> Phi<AllergyClinical, String> {
            Phi::new(at!("Allergy.onset"), &self.clinical, |said| said.onset.as_ref().map(|at| at.text.clone()))
        }

        /// Remarks.
        async fn notes(&self) -> Phi<AllergyClinical, Vec<String>> {
            Phi::new(at!("Allergy.notes"), &self.clinical, |said| Some(said.notes.clone()))
        }

        /// Why it stands where it stands, in words.
        async fn status_reason(&self) -> Phi<AllergyClinical, String> {
            Phi::new(at!("Allergy.statusReason"), &self.clinical, |said| said.status_reason.clone())
        }
    }
);

/// What happened at a contact.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AllergyReactionInput {
    /// What showed.
    #[graphql(default)]
    manifestations: Vec<CodeableConceptInput>,
    /// How grave it was.
    severity: Option<ReactionSeverity>,
}

/// An allergy, or that there is none.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AllergyRecordInput {
    /// Whose.
    patient_id: ID,
    /// In which encounter it was said.
    encounter_id: Option<ID>,
    /// The substance; SNOMED CT 716186003 says that there is no known allergy.
    code: CodeableConceptInput,
    /// How dangerous the next contact may be.
    criticality: Option<AllergyCriticality>,
    /// Whether it is confirmed.
    #[graphql(default)]
    confirmed: bool,
    /// True for an intolerance, which the immune system has no part in.
    #[graphql(default)]
    intolerance: bool,
    /// What happened.
    #[graphql(default)]
    reactions: Vec<AllergyReactionInput>,
    /// When it began, as precise as it is known.
    onset: Option<PartialDate>,
    /// Remarks.
    #[graphql(default)]
    notes: Vec<String>,
}

impl AllergyRecordInput {
    async fn record(
        self,
        op: &Op<Write>,
        (patient, encounter): ids::Chart,
    ) -> praxis_domain::Result<allergy::Model> {
        let reaction = |one: AllergyReactionInput| stored::AllergyReaction {
            manifestations: one.manifestations.into_iter().map(Into::into).collect(),
            severity: one.severity.map(Into::into),
        };
        let said = AllergyClinical {
            code: self.code.into(),
            criticality: self.criticality.map(Into::into),
            confirmed: self.confirmed,
            intolerance: self.intolerance,
            reactions: self.reactions.into_iter().map(reaction).collect(),
            onset: self.onset.and_then(moment),
            notes: self.notes,
            status_reason: None,
        };
        history::record_allergy(op, patient, encounter, said).await
    }
}

statement_mutations!(
    /// Allergies of patients.
    AllergyMutation, Allergy as allergy, allergy,
    record
        /// Records an allergy, or that there is none. The two exclude each other.
        ///
        /// Errors: NOT_FOUND, REQUIRED, TOO_LONG, LOCKED, ALREADY_EXISTS (where the one stands in the way of the other).
        allergy_record("Mutation.allergyRecord", AllergyRecordInput, AllergyRecordPayload),
    steps {
        /// Says that an allergy is no danger at present.
        allergy_inactivate("Mutation.allergyInactivate", "allergyInactivate", AllergyInactivateInput, AllergyInactivatePayload);
        /// Says that an allergy is gone.
        allergy_resolve("Mutation.allergyResolve", "allergyResolve", AllergyResolveInput, AllergyResolvePayload);
        /// Says that an allergy is present again.
        allergy_reactivate("Mutation.allergyReactivate", "allergyReactivate", AllergyReactivateInput, AllergyReactivatePayload);
        /// Says that an allergy was ruled out.
        allergy_refute("Mutation.allergyRefute", "allergyRefute", AllergyRefuteInput, AllergyRefutePayload);
    },
    mistake allergy_enter_in_error("Mutation.allergyEnterInError", "allergyEnterInError", AllergyEnterInErrorInput, AllergyEnterInErrorPayload),
    advance history::chapter::advance::<allergy::Entity>
);
