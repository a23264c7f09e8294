//! How far a person's rights reach: nobody gives what they do not hold.

use praxis_platform::{
    Op, Write,
    access::{Permission, PermissionSet},
};

use crate::{Result, identity::reach};

/// Refuses unless the actor manages roles and has just shown a second factor.
pub(super) fn manage(op: &Op<Write>) -> Result<()> {
    op.actor().require_everywhere(Permission::ROLE_MANAGE)?;
    Ok(op.require_step_up()?)
}

/// Refuses unless the actor holds all of this everywhere and always.
pub(super) fn covers(op: &Op<Write>, wanted: PermissionSet) -> Result<()> {
    reach::covers(op, None, wanted)
}
