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
    match rights.closed(permission) {
        None => Ok(()),
        // Whoever may not read at all, wherever, has learned nothing here: the role says what they may.
        Some(_) if op.actor().may(seen) && !rights.may(seen) => Err(Violation::unknown(path).into()),
        Some(Closed::Permission) => Err(Failure::Forbidden(permission).into()),
        Some(Closed::Consent) => Err(Failure::ConsentRequired.into()),
        Some(Closed::Sensitivity) => Err(Failure::BreakGlassRequired.into()),
    }
}
