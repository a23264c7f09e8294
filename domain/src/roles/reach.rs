//! How far a person's rights reach: nobody gives what they do not hold.

use praxis_platform::{
    Failure, Op, Write,
    access::{ActorKind, Permission, PermissionSet},
};

use crate::Result;

/// Refuses unless the actor manages roles and has just shown a second factor.
pub(super) fn manage(op: &Op<Write>) -> Result<()> {
    op.actor().require_everywhere(Permission::ROLE_MANAGE)?;
    Ok(op.require_step_up()?)
}

/// Refuses unless the actor holds all of this everywhere and always. What an emergency opened does not count.
pub(super) fn covers(op: &Op<Write>, wanted: PermissionSet) -> Result<()> {
    let actor = op.actor();
    if actor.kind != ActorKind::User {
        return Ok(());
    }
    let unbound = actor.grants.iter().filter(|grant| grant.is_unbound());
    let held = unbound.fold(PermissionSet::NONE, |all, grant| all.union(grant.permissions));
    match wanted.without(held).iter().next() {
        Some(lacking) => Err(Failure::Forbidden(lacking).into()),
        None => Ok(()),
    }
}
