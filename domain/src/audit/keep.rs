//! Keeping the log sealed, and looking at what is new in it.

use praxis_platform::{
    Op, OpFactory, Write,
    audit::{self, Batch, Entry, Outcome, Waiting},
};

use super::{alert, unwatched};
use crate::Result;

/// Writes down what was only counted, seals everything that waits, and raises alerts.
pub async fn keep(system: &OpFactory, waiting: &Waiting) -> Result<()> {
    let counted = waiting.strangers.iter().map(|(action, times)| Entry {
        times: i32::try_from(*times).unwrap_or(i32::MAX),
        ..Entry::done(action).ended(Outcome::Denied)
    });
    let written = system.read().record_all(counted.collect()).await;
    written.inspect_err(|_| system.give_back(waiting))?;
    while let Some((op, batch)) = seal(system).await? {
        if !batch.entries.is_empty() {
            alert::watch(&op, &batch).await?;
        }
        op.commit_sealed(&batch).await?;
        if !batch.full {
            break;
        }
    }
    // The log is sealed, whatever becomes of this.
    if let Err(error) = unwatched::look_again(system).await {
        tracing::error!(tenant = %system.tenant().id, error = %error, "what alert rules missed could not be looked at again");
    }
    Ok(())
}

/// Seals a batch in a transaction of its own, yet to be committed.
async fn seal(system: &OpFactory) -> Result<Option<(Op<Write>, Batch)>> {
    let op = system.write_always().await?;
    match audit::seal(&op).await? {
        Some(batch) => Ok(Some((op, batch))),
        None => {
            op.rollback().await?;
            Ok(None)
        }
    }
}
