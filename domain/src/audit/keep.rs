//! Keeping the log sealed, and looking at what is new in it.

use praxis_platform::{
    Failure, Op, OpFactory, Write,
    audit::{self, Batch, Entry, Outcome, Waiting},
};

use super::alert::watch;

/// Writes down what was only counted, seals everything that waits, and raises alerts.
pub async fn keep(system: &OpFactory, waiting: &Waiting) -> Result<(), Failure> {
    let counted = waiting.strangers.iter().map(|(action, times)| Entry {
        times: i32::try_from(*times).unwrap_or(i32::MAX),
        ..Entry::done(action).ended(Outcome::Denied)
    });
    system.read().record_all(counted.collect()).await?;
    while let Some((mut op, mut batch)) = seal(system).await? {
        if let Err(error) = watch(&op, &batch).await {
            // A rule that can't be evaluated keeps nothing from being sealed.
            tracing::error!(tenant = %system.tenant().id, error = %error, "the audit log could not be watched");
            op.rollback().await?;
            let Some(again) = seal(system).await? else { break };
            (op, batch) = again;
        }
        op.commit_sealed(&batch).await?;
        if !batch.full {
            break;
        }
    }
    Ok(())
}

/// Seals a batch in a transaction of its own, yet to be committed.
async fn seal(system: &OpFactory) -> Result<Option<(Op<Write>, Batch)>, Failure> {
    let op = system.write_always().await?;
    match audit::seal(&op).await? {
        Some(batch) => Ok(Some((op, batch))),
        None => {
            op.rollback().await?;
            Ok(None)
        }
    }
}
