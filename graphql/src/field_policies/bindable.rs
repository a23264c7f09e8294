//! Which fields a clinic may bind: those that ask for a permission already.

use praxis_domain::{Error, ViolationCode, error::Violations};

use super::FieldPolicySetInput;
use crate::policy::{Access, find};

/// What every object has to show, else it could not be named at all.
const BARE: [&str; 5] = ["id", "version", "createdAt", "updatedAt", "redactions"];

/// Refuses a policy for a field that there is not, or that can't be bound.
pub(super) fn judge(input: &FieldPolicySetInput) -> Result<(), Error> {
    let mut found = Violations::default();
    match find(&format!("{}.{}", input.type_name, input.field)) {
        None => found.add(ViolationCode::NotFound, &["field"], "There is no such field."),
        Some(at) => {
            let own_door = input.type_name == "Mutation" && input.field.starts_with("fieldPolicy");
            let guarded = matches!(at.access, Some(Access::Needs(_)));
            if !guarded || own_door || BARE.contains(&input.field.as_str()) {
                let message = "This field can't be bound: bind the field that leads to it.";
                found.add(ViolationCode::Invalid, &["field"], message);
            }
            if input.condition.is_some() && at.phi.is_none() {
                let message =
                    "Only a field that carries protected health information can ask for a relation.";
                found.add(ViolationCode::Invalid, &["condition"], message);
            }
        }
    }
    found.check()
}
