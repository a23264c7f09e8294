//! Forgetting what is kept for a time only: mails, links that lead nowhere any more, keys of requests long answered.
//!
//! Nothing of a patient's record is among it, and nothing that somebody may still use. That it was forgotten is
//! written down.

use praxis_platform::{Op, Write, audit::Entry, idempotency, mail};

use crate::{Result, identity};

/// Where so many rows went at once, more may be due.
pub const AT_ONCE: u64 = 10_000;

/// Forgets what is due, at most [`AT_ONCE`] rows of a kind. How many rows went.
pub async fn forget(op: &Op<Write>) -> Result<u64> {
    let mails = mail::forget(op).await?;
    let links = identity::forget_links(op).await?;
    let keys = idempotency::forget(op).await?;
    for (action, rows) in
        [("mail.forget", mails), ("account-link.forget", links), ("idempotency-key.forget", keys)]
    {
        if rows > 0 {
            op.record(Entry { times: i32::try_from(rows).unwrap_or(i32::MAX), ..Entry::done(action) });
        }
    }
    Ok(mails + links + keys)
}
