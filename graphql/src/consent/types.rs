//! The directive of a patient.

use async_graphql::{Context, Enum, ID, Object};
use praxis_entity::consent_directive;

use crate::{
    clinic::Facility,
    context::Ask,
    error::{Edge, Nullable},
    ids,
    patients::Patient,
    scalar::DateTime,
};

/// Whether a patient allows or forbids.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "consent_directive::ConsentDecision")]
pub(crate) enum ConsentDecision {
    /// Allows: an exception from a less specific directive that forbids. It gives nothing that roles do not give.
    Permit,
    /// Forbids.
    Deny,
}

/// Which part of the record a directive speaks of.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "consent_directive::ConsentClass")]
pub(crate) enum ConsentClass {
    /// The whole record: that there is such a patient, too.
    All,
    /// Names, birth date and other demographic details.
    Identity,
    /// Addresses, telephone numbers and e-mail addresses.
    Contact,
    /// National and insurance numbers.
    Identifiers,
    /// Appointments and encounters.
    Visits,
    /// What was found and said.
    Clinical,
}

/// Whom a directive speaks of, from the least specific to the most. The most specific directive decides; of two
/// that are equally specific, the one that forbids.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "consent_directive::ConsentScope")]
pub(crate) enum ConsentScope {
    /// Anyone.
    Anyone,
    /// Whoever acts for a branch.
    Facility,
    /// Whoever holds a role.
    Role,
    /// One person.
    User,
}

/// What a patient allows or forbids.
pub(crate) struct Consent {
    row: consent_directive::Model,
}

impl Consent {
    pub(crate) fn new(row: consent_directive::Model) -> Self {
        Self { row }
    }
}

/// What a patient allows or forbids.
#[Object]
impl Consent {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was recorded.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Whose it is.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async { Ok(ctx.caller()?.loaders().patients.load(self.row.patient_id).await?.map(Patient::new)) }
            .await
            .or_hidden()
    }

    /// Allows or forbids.
    fn decision(&self) -> ConsentDecision {
        self.row.decision.into()
    }

    /// Which part of the record.
    fn class(&self) -> ConsentClass {
        self.row.class.into()
    }

    /// Whom it speaks of.
    fn scope(&self) -> ConsentScope {
        self.row.scope.into()
    }

    /// The branch, for scope FACILITY.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async {
            let Some(id) = self.row.facility_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().facilities.load(id).await?.map(Facility::new))
        }
        .await
        .or_hidden()
    }

    /// Code of the role, for scope ROLE.
    fn role(&self) -> Option<&str> {
        self.row.role_code.as_deref()
    }

    /// Opaque id of the person, for scope USER.
    fn user_id(&self) -> Option<ID> {
        self.row.user_id.map(ids::show)
    }

    /// From when on.
    fn starts_at(&self) -> DateTime {
        DateTime(self.row.starts_at)
    }

    /// Until when; null where no end was set.
    fn ends_at(&self) -> Option<DateTime> {
        self.row.ends_at.map(DateTime)
    }

    /// When it was taken back.
    fn revoked_at(&self) -> Option<DateTime> {
        self.row.revoked_at.map(DateTime)
    }
}
