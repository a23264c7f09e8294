//! The audit log as the clinic uses it: kept sealed, watched, read, and answered for.

mod access_log;
mod alert;
mod alerts;
mod changes;
mod disclose;
mod keep;
mod report;
mod unwatched;

pub use access_log::{access_log_of, actor_names, count_access_log_of, proofs_of};
pub use alerts::{
    AmendAlertRule, alert_rules, alerts, alerts_by_ids, amend_alert_rule, close_alert, count_alerts, is_turn,
};
pub use changes::{changes_of, verify_change};
pub use disclose::{
    NewDisclosure, count_disclosures_of, disclosures_by_ids, disclosures_of, record_disclosure,
};
pub use keep::keep;
pub use report::{AuditFilter, AuditOrder, AuditSort, count, entries};
