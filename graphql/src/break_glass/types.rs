//! The declaration.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use praxis_domain::{Position, break_glass as rules};
use praxis_entity::{
    break_glass,
    value::{BreakGlassFinding, BreakGlassStatement},
};

use crate::{
    allowed,
    context::Ask,
    error::{ApiError, Edge, Nullable},
    ids,
    page::connection,
    patients::Patient,
    phi::{Class, Phi},
    policy::at,
    scalar::DateTime,
    subject::Subject,
};
use praxis_platform::access::Row;
use sea_orm::ActiveEnum;

/// What kind of emergency.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "break_glass::BreakGlassCategory")]
pub(crate) enum BreakGlassCategory {
    /// Life or health is in danger.
    ThreatToLife,
    /// Care can't wait.
    UrgentCare,
    /// The patient can't be asked.
    UnableToConsent,
    /// Standing in for a clinician of the patient.
    CoveringClinician,
    /// Something else, as the reason says.
    Other,
}

/// Where a declaration stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "break_glass::BreakGlassStatus")]
pub(crate) enum BreakGlassStatus {
    /// The record is open.
    Active,
    /// Ended before its time.
    Ended,
    /// Its time ran out.
    Expired,
    /// Reviewed: it was right.
    Justified,
    /// Reviewed: it was not.
    Unjustified,
}

/// A class of a patient's record that an emergency can open, to read.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BreakGlassClass {
    /// Names, birth date and other demographic details.
    Identity,
    /// How the patient and the people around them are reached.
    Contact,
    /// Numbers that authorities gave.
    Identifiers,
    /// Appointments and encounters.
    Visits,
    /// What was found and said.
    Clinical,
}

impl BreakGlassClass {
    const ALL: [Self; 5] = [Self::Identity, Self::Contact, Self::Identifiers, Self::Visits, Self::Clinical];

    /// The stored form.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY",
            Self::Contact => "CONTACT",
            Self::Identifiers => "IDENTIFIERS",
            Self::Visits => "VISITS",
            Self::Clinical => "CLINICAL",
        }
    }
}

/// A declaration of emergency access to one patient's record.
pub(crate) struct BreakGlass {
    row: break_glass::Model,
    statement: Arc<Class<BreakGlassStatement>>,
    finding: Option<Arc<Class<BreakGlassFinding>>>,
}

impl BreakGlass {
    pub(crate) fn new(row: break_glass::Model) -> Self {
        let (id, subject) = (row.id.0, Subject::new(row.patient_id, Row::of(row.patient_id.0)));
        Self {
            statement: Class::new("break_glass", id, &subject, row.statement.clone()),
            finding: row.finding.clone().map(|sealed| Class::new("break_glass", id, &subject, sealed)),
            row,
        }
    }

    pub(crate) fn position(row: &break_glass::Model) -> Position {
        Position { key: None, id: row.id.0 }
    }
}

/// A declaration of emergency access to one patient's record.
#[Object]
impl BreakGlass {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When the record was made.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When the record last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Id of the user who declared it.
    fn user_id(&self) -> ID {
        ids::show(self.row.user_id)
    }

    /// True when the viewer declared it.
    fn mine(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        Ok(ctx.caller()?.actor().user == Some(self.row.user_id))
    }

    /// Id of the patient.
    fn patient_id(&self) -> ID {
        ids::show(self.row.patient_id)
    }

    /// The patient; null where the viewer may not know of them.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async { Ok(ctx.caller()?.loaders().patients.load(self.row.patient_id).await?.map(Patient::new)) }
            .await
            .or_hidden()
    }

    /// What kind of emergency.
    fn category(&self) -> BreakGlassCategory {
        self.row.category.into()
    }

    /// Which classes of the record were opened.
    fn classes(&self) -> Vec<BreakGlassClass> {
        let opened = |class: &BreakGlassClass| self.row.classes.iter().any(|code| code == class.code());
        BreakGlassClass::ALL.into_iter().filter(opened).collect()
    }

    /// Why, in words; for reviewers.
    fn reason(&self) -> Phi<BreakGlassStatement, String> {
        Phi::new(at!("BreakGlass.reason"), &self.statement, |opened| Some(opened.reason.clone()))
    }

    /// Where it stands now.
    fn status(&self, ctx: &Context<'_>) -> Result<BreakGlassStatus, ApiError> {
        Ok(rules::status_at(&self.row, ctx.caller()?.reading().now()).into())
    }

    /// Names of the mutations that the viewer may run on the declaration as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let caller = ctx.caller()?;
        let status = rules::status_at(&self.row, caller.reading().now()).to_value();
        let may = |permission| rules::permits(caller.actor(), &self.row, permission);
        allowed::open(caller, "break_glass", &status, may).await
    }

    /// When it was declared.
    fn declared_at(&self) -> DateTime {
        DateTime(self.row.declared_at)
    }

    /// When it ends by itself.
    fn expires_at(&self) -> DateTime {
        DateTime(self.row.expires_at)
    }

    /// When it was ended early.
    fn ended_at(&self) -> Option<DateTime> {
        self.row.ended_at.map(DateTime)
    }

    /// By when somebody else has to have reviewed it.
    fn review_due_at(&self) -> DateTime {
        DateTime(self.row.review_due_at)
    }

    /// True when the review is late: until it is done, its author can't declare another.
    fn overdue(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        Ok(rules::is_overdue(&self.row, ctx.caller()?.reading().now()))
    }

    /// When it was reviewed.
    fn reviewed_at(&self) -> Option<DateTime> {
        self.row.reviewed_at.map(DateTime)
    }

    /// What the review found, in words; for reviewers.
    fn finding(&self) -> Phi<BreakGlassFinding, String> {
        Phi::optional(at!("BreakGlass.finding"), self.finding.as_ref(), |opened| Some(opened.comment.clone()))
    }
}

connection!(
    /// A page of declarations.
    BreakGlassConnection, BreakGlassEdge, BreakGlass
);
