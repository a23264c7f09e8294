//! What the actor may do with one patient's record, asked before it is changed.

use praxis_entity::ids::PatientId;
use praxis_platform::{
    Failure, Op,
    access::{ActorKind, Closed, Permission, Rights, Row},
};

use crate::{Result, Violation};

/// What the actor may do with a row of a patient; nothing where the patient does not exist.
pub(crate) async fn on<M>(op: &Op<M>, patient: PatientId, row: &Row) -> Result<Rights> {
    let standings = op.standings(&[patient]).await?;
    Ok(standings.get(&patient).map(|standing| standing.on(op.actor(), row)).unwrap_or_default())
}

/// Refuses whoever reads such content elsewhere and may not here: what they write would be compared with what they may
/// not know, and the answer would tell. A role that reads none at all learns nothing from it.
pub(crate) async fn require_content<M>(
    op: &Op<M>,
    content: Permission,
    patient: PatientId,
    row: &Row,
) -> Result<()> {
    match on(op, patient, row).await?.closed(content) {
        Some(Closed::Consent) => Err(Failure::ConsentRequired.into()),
        Some(Closed::Sensitivity) => Err(Failure::BreakGlassRequired.into()),
        Some(Closed::Permission) | None => Ok(()),
    }
}

/// Refuses unless the actor may do this with a row of a patient. A row that the actor may not even see (for
/// which `seen` is missing) is not found, at `path`, in the very words of one that is not there
/// ([`Violation::unknown`]); otherwise the reason is given.
pub(crate) async fn require<M>(
    op: &Op<M>,
    permission: Permission,
    seen: Permission,
    patient: PatientId,
    row: &Row,
    path: &str,
) -> Result<()> {
    op.require(permission)?;
    if op.actor().kind != ActorKind::User {
        return Ok(());
    }
    let rights = on(op, patient, row).await?;
    // Nobody changes, and is shown for it, what is hidden from them here. Whoever may not read at all, wherever, learns
    // nothing: the role says what they may.
    if op.actor().may(seen) && !rights.may(seen) {
        return Err(Violation::unknown(path).into());
    }
    match rights.closed(permission) {
        None => Ok(()),
        Some(Closed::Permission) => Err(Failure::Forbidden(permission).into()),
        Some(Closed::Consent) => Err(Failure::ConsentRequired.into()),
        Some(Closed::Sensitivity) => Err(Failure::BreakGlassRequired.into()),
    }
}
