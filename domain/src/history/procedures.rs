//! Procedures that were done, here or elsewhere.

use praxis_entity::{
    ids::{EncounterId, PatientId},
    procedure::{self, ProcedureStatus},
    value::ProcedureClinical,
};
use praxis_platform::{Op, Write};

use super::chapter::{Statement, chapter, concept_length, meaning, record};
use crate::{Result, clinic::text::lines, error::Violations};

chapter!(
    procedure,
    ProcedureId,
    ProcedureStatus,
    ProcedureClinical,
    "Procedure",
    Procedure,
    ["procedure.record", "procedure.change"],
    HISTORY_READ,
    HISTORY_RECORD,
    ProcedureRecorded,
    ProcedureChanged,
    procedure,
    |clinical| std::iter::once(&clinical.code).chain(&clinical.reasons).collect()
);

/// Records a procedure that was done.
pub async fn record_procedure(
    op: &Op<Write>,
    patient: PatientId,
    encounter: Option<EncounterId>,
    mut clinical: ProcedureClinical,
) -> Result<procedure::Model> {
    let mut found = Violations::default();
    meaning(&mut found, "code", &clinical.code);
    clinical.body_sites.iter().for_each(|one| concept_length(&mut found, "bodySites", one));
    clinical.reasons.iter().for_each(|one| concept_length(&mut found, "reasons", one));
    clinical.notes = lines(&mut found, "notes", &clinical.notes, 20, 2_000);
    found.check()?;
    let status = ProcedureStatus::Completed;
    record::<procedure::Entity>(
        op,
        Statement { patient, encounter, recorder: None, recorded_at: None, status, clinical },
    )
    .await
}
