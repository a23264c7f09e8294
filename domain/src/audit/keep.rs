//! Keeping the log sealed, and looking at what is new in it.

use praxis_platform::{
    Failure, OpFactory,
    audit::{self, Entry, Outcome, Waiting},
};

/// Writes down what was only counted, and seals everything that waits.
pub async fn keep(system: &OpFactory, waiting: &Waiting) -> Result<(), Failure> {
    let counted = waiting.strangers.iter().map(|(action, times)| Entry {
        times: i32::try_from(*times).unwrap_or(i32::MAX),
        ..Entry::done(action).ended(Outcome::Denied)
    });
    system.read().record_all(counted.collect()).await?;
    loop {
        let op = system.write_always().await?;
        let Some(batch) = audit::seal(&op).await? else { return op.rollback().await };
        op.commit_sealed(&batch).await?;
        if !batch.full {
            return Ok(());
        }
    }
}
