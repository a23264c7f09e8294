//! Whom a patient has around them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use praxis_entity::{related_person, value::RelatedPersonDetails};
use praxis_platform::access::Row;

use crate::{
    context::Ask,
    error::ApiError,
    ids,
    phi::{Class, Phi},
    policy::at,
    redaction::{self, Redaction},
    scalar::DateTime,
    subject::Subject,
    value::{CodeableConcept, ContactPoint, HumanName},
};

/// Next of kin, guardian or other person around a patient.
pub(crate) struct RelatedPerson {
    row: related_person::Model,
    subject: Arc<Subject>,
    details: Arc<Class<RelatedPersonDetails>>,
}

impl RelatedPerson {
    pub(crate) fn new(row: related_person::Model) -> Self {
        let subject = Subject::new(row.patient_id, Row::of(row.patient_id.0));
        Self { details: Class::new("related_person", row.id.0, &subject, row.details.clone()), subject, row }
    }
}

/// Next of kin, guardian or other person around a patient.
#[Object]
impl RelatedPerson {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
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

    /// Fields that came back null for a reason other than 'no value'.
    pub(crate) async fn redactions(&self, ctx: &Context<'_>) -> Result<Vec<Redaction>, ApiError> {
        redaction::of(ctx.caller()?, "RelatedPerson", &self.subject, true).await
    }

    /// What they are to the patient.
    fn relationship(&self) -> Phi<RelatedPersonDetails, CodeableConcept> {
        Phi::new(at!("RelatedPerson.relationship"), &self.details, |details| {
            Some((&details.relationship).into())
        })
    }

    /// Name.
    fn name(&self) -> Phi<RelatedPersonDetails, HumanName> {
        Phi::new(at!("RelatedPerson.name"), &self.details, |details| Some((&details.name).into()))
    }

    /// How they are reached.
    fn contact_points(&self) -> Phi<RelatedPersonDetails, Vec<ContactPoint>> {
        Phi::new(at!("RelatedPerson.contactPoints"), &self.details, |details| {
            Some(details.points.iter().map(Into::into).collect())
        })
    }

    /// False once it no longer holds.
    fn active(&self) -> bool {
        self.row.active
    }

    /// True for a legal guardian.
    fn guardian(&self) -> bool {
        self.row.guardian
    }

    /// True for whom to call in an emergency.
    fn emergency_contact(&self) -> bool {
        self.row.emergency_contact
    }
}
