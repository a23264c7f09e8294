//! What the viewer may do with an object as it stands: computed from the table of legal transitions by which the
//! database refuses the others, and from the evaluator.

use praxis_platform::access::Permission;

use crate::{context::Caller, error::ApiError, policy::At, subject::Subject};

/// The mutations that the viewer may run on a patient's object in a status.
pub(crate) async fn actions(
    caller: &Caller,
    machine: &'static str,
    subject: &Subject,
    status: &str,
) -> Result<Vec<String>, ApiError> {
    let rights = subject.rights(caller).await?;
    open(caller, machine, status, |permission| rights.may(permission)).await
}

/// The same for an object of the clinic, or one for which somebody else says what may be done.
pub(crate) async fn open(
    caller: &Caller,
    machine: &'static str,
    status: &str,
    may: impl Fn(Permission) -> bool,
) -> Result<Vec<String>, ApiError> {
    let machine = caller.loaders().machines.load(machine).await?.unwrap_or_default();
    Ok(admitted(caller, machine.actions(status, may)))
}

/// Those of the actions that the clinic's policies admit.
pub(crate) fn admitted(caller: &Caller, mut actions: Vec<String>) -> Vec<String> {
    actions.retain(|action| caller.check(At::of(&format!("Mutation.{action}"))).is_ok());
    actions
}
