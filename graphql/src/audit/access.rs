//! The patient's own access log: who opened or changed the chart, as the patient may ask.

use async_graphql::{Context, ID, Object};
use praxis_domain::{PageRequest, audit};
use praxis_entity::{audit_entry, ids::PatientId};

use super::{
    entry::{AuditEntry, AuditProof, actor_name, proof_of},
    stored::{AuditActorKind, AuditOutcome, Stored},
};
use crate::{
    context::{Ask, Caller},
    error::{ApiError, Nullable},
    ids,
    page::{Cursors, Page, connection, count_under, slice_under},
    scalar::DateTime,
};

/// Somebody who opened or changed a patient's chart, or tried to.
pub(crate) struct AccessLogEntry {
    row: audit_entry::Model,
}

/// Somebody who opened or changed a patient's chart, or tried to. Says nothing of other patients.
#[Object]
impl AccessLogEntry {
    /// Id of the entry in the audit log.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// When.
    fn at(&self) -> DateTime {
        DateTime(self.row.at)
    }

    /// What kind of actor.
    fn actor_kind(&self) -> Option<AuditActorKind> {
        AuditActorKind::of(&self.row.actor_kind)
    }

    /// Who, by the name they have now.
    async fn actor_name(&self, ctx: &Context<'_>) -> Nullable<String> {
        async { actor_name(ctx.caller()?, self.row.actor_id).await }.await.transpose()
    }

    /// Codes of the roles held at that moment.
    fn roles(&self) -> &[String] {
        &self.row.roles
    }

    /// Purpose of use, HL7 v3.
    fn purpose(&self) -> &str {
        &self.row.purpose
    }

    /// What: `disclose` for reading.
    fn action(&self) -> &str {
        &self.row.action
    }

    /// Sensitivity classes opened or changed.
    fn classes(&self) -> &[String] {
        &self.row.classes
    }

    /// How it ended.
    fn outcome(&self) -> Option<AuditOutcome> {
        AuditOutcome::of(&self.row.outcome)
    }

    /// True when it was done under emergency access.
    fn break_glass(&self) -> bool {
        self.row.break_glass_id.is_some()
    }

    /// Proof that it is in the log; absent for the first seconds, until it is sealed.
    async fn proof(&self, ctx: &Context<'_>) -> Nullable<AuditProof> {
        async { proof_of(ctx.caller()?, &self.row).await }.await.transpose()
    }
}

connection!(
    /// Who opened or changed a patient's chart.
    AccessLogConnection,
    AccessLogEdge,
    AccessLogEntry
);

impl AccessLogConnection {
    pub(crate) async fn of_patient(
        caller: &Caller,
        patient: PatientId,
        page: PageRequest,
        cursors: Cursors,
    ) -> Result<Self, ApiError> {
        let op = caller.reading().clone();
        let loaders = &caller.loaders().access_logs_of_patients;
        let slice = slice_under(loaders, format!("{page:?}"), patient, move |patients| {
            let op = op.clone();
            async move { Ok(audit::access_log_of(&op, &patients, &page).await?) }
        })
        .await?;
        let op = caller.reading().clone();
        let count = count_under(
            caller,
            |loaders| &loaders.patient_counts,
            "access log".to_owned(),
            patient,
            move |patients, max| {
                let op = op.clone();
                async move { Ok(audit::count_access_log_of(&op, &patients, max).await?) }
            },
        );
        let page = Page::new(slice, cursors, AuditEntry::position, |row| AccessLogEntry { row });
        Ok(Self::new(page, count))
    }
}
