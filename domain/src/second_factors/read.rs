//! One's own second factors.

use praxis_platform::{
    Failure, Op,
    factor::{Enrolled, is_required},
};

use crate::Result;

/// What somebody can show, and whether they must.
pub struct SecondFactors {
    /// What there is.
    pub enrolled: Enrolled,
    /// Whether a role asks for one.
    pub required: bool,
}

/// One's own.
pub async fn second_factors<M>(op: &Op<M>) -> Result<SecondFactors> {
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    let enrolled = Enrolled::of(op.db(), user).await?;
    Ok(SecondFactors { enrolled, required: is_required(op.db(), user).await? })
}
