//! Texts and diagnoses of a visit, and what it still needs.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use praxis_domain::{Missing, Requirement};
use praxis_entity::{
    encounter_diagnosis,
    encounter_note::{self, EncounterNoteKind as Kind},
    value::EncounterText,
};
use praxis_platform::access::{Permission, Row};

use crate::{
    context::{Ask, Caller},
    documents::ClinicalDocument,
    error::{ApiError, Edge, Nullable},
    history::Condition,
    ids,
    node::{self, Node},
    phi::{Class, Phi},
    policy::at,
    scalar::DateTime,
    staff::Practitioner,
    subject::Subject,
};

/// What a text of an encounter is about.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Kind")]
pub(crate) enum EncounterNoteKind {
    /// What the clinician makes of it.
    Assessment,
    /// What is to be done.
    Plan,
    /// Why it was interrupted.
    Hold,
    /// Why it did not take place.
    Cancellation,
    /// Why it was opened again.
    Reopening,
    /// Why it was closed although something was missing.
    Override,
}

/// A text of an encounter, in one version. None is ever overwritten.
pub(crate) struct EncounterNote {
    row: encounter_note::Model,
    body: Arc<Class<EncounterText>>,
}

impl EncounterNote {
    /// A text of a visit, judged as the visit is. What a document says is as sensitive as the document, too: where its
    /// label takes the record away, the text is not there.
    pub(crate) async fn of(
        caller: &Caller,
        row: encounter_note::Model,
        visit: &Row,
    ) -> Result<Option<Self>, ApiError> {
        let document = row.document_id.map(|document| document.0);
        let subject = Subject::new(row.patient_id, Row { document, ..*visit });
        if !subject.rights(caller).await?.may(Permission::ENCOUNTER_READ) {
            return Ok(None);
        }
        Ok(Some(Self { body: Class::new("encounter_note", row.id, &subject, row.body.clone()), row }))
    }
}

/// A text of an encounter, in one version. None is ever overwritten.
#[Object]
impl EncounterNote {
    /// What it is about.
    fn kind(&self) -> EncounterNoteKind {
        self.row.kind.into()
    }

    /// From one, in the order written.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// The words.
    fn text(&self) -> Phi<EncounterText, String> {
        Phi::new(at!("EncounterNote.text"), &self.body, |opened| Some(opened.text.clone()))
    }

    /// When it was written.
    fn recorded_at(&self) -> DateTime {
        DateTime(self.row.recorded_at)
    }

    /// The signed document that says it; null where it was recorded by itself, or the viewer may not know of it.
    async fn document(&self, ctx: &Context<'_>) -> Nullable<ClinicalDocument> {
        async {
            let Some(id) = self.row.document_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().documents.load(id).await?.map(ClinicalDocument::new))
        }
        .await
        .or_hidden()
    }

    /// The clinician who wrote it; null where it was somebody else.
    async fn recorded_by(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            let Some(id) = self.row.recorded_by else { return Ok(None) };
            Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new))
        }
        .await
        .or_hidden()
    }
}

/// What a diagnosis is for, FHIR diagnosis-role.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "encounter_diagnosis::DiagnosisUse")]
pub(crate) enum DiagnosisUse {
    /// Admission diagnosis (AD).
    Admission,
    /// Discharge diagnosis (DD).
    Discharge,
    /// Chief complaint (CC).
    ChiefComplaint,
    /// Comorbidity (CM).
    Comorbidity,
    /// Before an operation (pre-op).
    PreOperative,
    /// After an operation (post-op).
    PostOperative,
    /// For the bill (billing).
    Billing,
}

/// What an encounter came to: a condition, with its rank and use there.
pub(crate) struct Diagnosis {
    row: encounter_diagnosis::Model,
}

impl Diagnosis {
    pub(crate) fn new(row: encounter_diagnosis::Model) -> Self {
        Self { row }
    }
}

/// What an encounter came to: a condition, with its rank and use there.
#[Object]
impl Diagnosis {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// 1 for the one that the encounter is mainly about; no two of an encounter have the same.
    fn rank(&self) -> i32 {
        self.row.rank
    }

    /// What it is for.
    #[graphql(name = "use")]
    fn purpose(&self) -> DiagnosisUse {
        self.row.purpose.into()
    }

    /// When it was made.
    fn recorded_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// What it is; null where the viewer may not know of it.
    async fn condition(&self, ctx: &Context<'_>) -> Nullable<Condition> {
        async {
            Ok(ctx.caller()?.loaders().conditions.load(self.row.condition_id).await?.map(Condition::new))
        }
        .await
        .or_hidden()
    }
}

/// What kind of thing is missing. It only grows.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Requirement")]
pub(crate) enum CloseRequirementCode {
    /// Nobody responsible has signed a note.
    SignedDocument,
    /// A document is not signed.
    UnsignedDocument,
    /// There is no assessment.
    MissingAssessment,
    /// There is no diagnosis of rank 1.
    MissingDiagnosis,
    /// There is no plan.
    MissingPlan,
    /// Vital signs, which this kind of encounter asks for, were not recorded.
    MissingVitals,
    /// A task is open.
    OpenTask,
    /// An order is open.
    OpenOrder,
    /// An alert was not acknowledged.
    UnacknowledgedAlert,
    /// A rule of the clinic asks for more.
    ClinicRule,
}

/// Something that is missing before an encounter can be closed.
pub(crate) struct CloseRequirement(Missing);

impl CloseRequirement {
    pub(crate) fn new(missing: Missing) -> Self {
        Self(missing)
    }
}

/// Something that is missing before an encounter can be closed.
#[Object]
impl CloseRequirement {
    /// What kind of thing.
    fn code(&self) -> CloseRequirementCode {
        self.0.requirement.into()
    }

    /// One sentence to show.
    fn message(&self) -> &'static str {
        match self.0.requirement {
            Requirement::SignedDocument => "Sign a note of this visit.",
            Requirement::UnsignedDocument => "Sign or discard this document.",
            Requirement::MissingAssessment => "Record an assessment.",
            Requirement::MissingDiagnosis => "Record a diagnosis of rank 1.",
            Requirement::MissingPlan => "Record a plan.",
            Requirement::MissingVitals => "Record vital signs.",
            Requirement::OpenTask => "Complete or cancel this task.",
            Requirement::OpenOrder => "Complete or cancel this order.",
            Requirement::UnacknowledgedAlert => "Acknowledge this alert.",
            Requirement::ClinicRule => "A rule of the clinic asks for more.",
        }
    }

    /// The object that is in the way, where it is one and the viewer may know of it.
    async fn node(&self, ctx: &Context<'_>) -> Nullable<Node> {
        async {
            let Some(id) = self.0.object else { return Ok(None) };
            node::find(ctx.caller()?, id).await
        }
        .await
        .or_hidden()
    }
}
