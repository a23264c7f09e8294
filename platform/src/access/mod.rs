//! Who may do what: one evaluator, and what it judges by.
//!
//! A permission is held through roles, everywhere or at one branch, always or under a condition
//! ([`Grant`]). What an actor may do with a patient's record follows from the grants, less what the patient forbids
//! ([`Directive`]), less what a label withholds ([`Sensitivity`]), plus what emergency access opens ([`Override`]).
//! [`Standing`] computes it for fields, [`permitted`] says it in SQL for lists and counts.
//!
//! A clinic's [`FieldPolicies`] come on top: they ask for more, and can't ask for less.

mod account;
mod actor;
pub mod class;
mod emergency;
pub(crate) mod facts;
mod grant;
mod mark;
mod permission;
mod policy;
mod predicate;
mod row;
mod standing;

pub(crate) use account::Account;
pub use actor::{Actor, ActorKind, ClientGrant, FRESH};
pub use class::RecordClass;
pub use emergency::{OPENABLE, load_overrides};
pub use grant::{EVERYTHING, Grant, Grants, Override, Relation, held_at, load_grants, load_role};
pub use mark::AccessMark;
pub use permission::{Permission, PermissionSet};
pub use policy::{Extra, FieldPolicies, load_field_policies};
pub use predicate::{Table, permitted, related};
pub use standing::{Closed, Directive, Facts, Rights, Row, Sensitivity, Standing, Whom};
