//! Accounting of disclosures: to whom outside a patient's data were given.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::{PageRequest, Position, audit};
use praxis_entity::{disclosure, ids::PatientId, value::DisclosureDetails};
use praxis_platform::access::Row;

use super::stored::{DisclosurePurpose, Stored};
use crate::{
    context::{Caller, change},
    error::ApiError,
    ids,
    page::{Cursors, Page, connection, count_under, slice_under},
    payload::UserError,
    phi::{Class, Phi},
    policy::at,
    scalar::DateTime,
    subject::Subject,
};

/// A patient's data given to somebody outside.
pub(crate) struct Disclosure {
    row: disclosure::Model,
    details: Arc<Class<DisclosureDetails>>,
}

impl Disclosure {
    fn new(row: disclosure::Model) -> Self {
        let subject = Subject::new(row.patient_id, Row::of(row.patient_id.0));
        let details = Class::new("disclosure", row.id.0, &subject, row.details.clone());
        Self { row, details }
    }
}

/// A patient's data given to somebody outside.
#[Object]
impl Disclosure {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// When it was written down.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When the data were given.
    fn disclosed_at(&self) -> DateTime {
        DateTime(self.row.disclosed_at)
    }

    /// What for.
    fn purpose(&self) -> Option<DisclosurePurpose> {
        DisclosurePurpose::of(&self.row.purpose)
    }

    /// The user who wrote it down.
    fn recorded_by(&self) -> Option<ID> {
        self.row.recorded_by.map(ids::show)
    }

    /// To whom.
    fn recipient(&self) -> Phi<DisclosureDetails, String> {
        Phi::new(at!("Disclosure.recipient"), &self.details, |details| Some(details.recipient.clone()))
    }

    /// Their address.
    fn recipient_address(&self) -> Phi<DisclosureDetails, String> {
        Phi::new(at!("Disclosure.recipientAddress"), &self.details, |details| details.address.clone())
    }

    /// What was given.
    fn description(&self) -> Phi<DisclosureDetails, String> {
        Phi::new(at!("Disclosure.description"), &self.details, |details| Some(details.description.clone()))
    }

    /// Why.
    fn reason(&self) -> Phi<DisclosureDetails, String> {
        Phi::new(at!("Disclosure.reason"), &self.details, |details| Some(details.reason.clone()))
    }
}

connection!(
    /// To whom outside a patient's data were given.
    DisclosureConnection,
    DisclosureEdge,
    Disclosure
);

impl DisclosureConnection {
    pub(crate) async fn of_patient(
        caller: &Caller,
        patient: PatientId,
        accountable: bool,
        page: PageRequest,
        cursors: Cursors,
    ) -> Result<Self, ApiError> {
        let op = caller.reading().clone();
        let loaders = &caller.loaders().disclosures_of_patients;
        let slice = slice_under(loaders, format!("{accountable}{page:?}"), patient, move |patients| {
            let op = op.clone();
            async move { Ok(audit::disclosures_of(&op, &patients, accountable, &page).await?) }
        })
        .await?;
        let op = caller.reading().clone();
        let count = count_under(
            caller,
            |loaders| &loaders.patient_counts,
            format!("disclosures {accountable}"),
            patient,
            move |patients, max| {
                let op = op.clone();
                async move { Ok(audit::count_disclosures_of(&op, &patients, accountable, max).await?) }
            },
        );
        let position = |row: &disclosure::Model| Position { key: Some(row.disclosed_at), id: row.id.0 };
        Ok(Self::new(Page::new(slice, cursors, position, Disclosure::new), count))
    }
}

/// Writing disclosures down.
#[derive(Default)]
pub(crate) struct DisclosureMutation;

/// A disclosure to be written down.
#[derive(InputObject)]
pub(crate) struct DisclosureRecordInput {
    /// Whose data.
    patient_id: ID,
    /// When they were given: not in the future, and not more than six years ago.
    disclosed_at: DateTime,
    /// What for.
    purpose: DisclosurePurpose,
    /// To whom: a person or an organisation.
    recipient: String,
    /// Their address, if it is known.
    recipient_address: Option<String>,
    /// What was given, in a few words.
    description: String,
    /// Why, in a few words.
    reason: String,
}

/// The disclosure, or why it was not written down.
#[derive(SimpleObject)]
pub(crate) struct DisclosureRecordPayload {
    /// The disclosure.
    disclosure: Option<Disclosure>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl DisclosureMutation {
    /// Writes down to whom outside a patient's data were given. A record never changes.
    ///
    /// Errors: REQUIRED, TOO_LONG, OUT_OF_RANGE, NOT_FOUND.
    async fn disclosure_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The disclosure.")] input: DisclosureRecordInput,
    ) -> Result<DisclosureRecordPayload, ApiError> {
        let new = audit::NewDisclosure {
            patient: ids::parse(&input.patient_id)?,
            disclosed_at: input.disclosed_at.0,
            purpose: input.purpose.stored(),
            details: DisclosureDetails {
                recipient: input.recipient,
                address: input.recipient_address,
                description: input.description,
                reason: input.reason,
            },
        };
        let done =
            change(ctx, "Mutation.disclosureRecord", async |op| audit::record_disclosure(op, new).await);
        let (row, user_errors) = done.await?.split();
        Ok(DisclosureRecordPayload { disclosure: row.map(Disclosure::new), user_errors })
    }
}
