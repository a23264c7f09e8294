//! New recovery codes in the place of the old ones.

use praxis_platform::{
    Op, Write,
    audit::Entry,
    factor::{notice, recovery},
};

use super::own::Own;
use crate::{Result, Violation, ViolationCode};

/// Makes ten new ones; the old ones are void.
pub async fn recovery_codes_renew(op: &Op<Write>) -> Result<Vec<String>> {
    let own = Own::fresh(op).await?;
    if !own.enrolled.any() {
        let message = "There is no second factor that they could stand in for.";
        return Err(Violation::at(ViolationCode::NotFound, &[], message).into());
    }
    let codes = recovery::renew(op, own.user.id).await?;
    op.record(Entry::done("recovery-codes.renew").on("User", own.user.id.0, own.user.version));
    notice::changed(op, &own.user, "recovery codes were renewed; the old ones are void").await?;
    Ok(codes)
}
