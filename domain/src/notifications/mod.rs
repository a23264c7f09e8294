//! Notices: what staff and patients are told, by which channel, and what becomes of it.
//!
//! A notice is a row, written in the transaction of the reaction that causes it (`notify`) and sent by a worker
//! (`send_due`). It holds no address and no words: both are found when it is sent, together with whether what it
//! speaks of is still so. No PHI leaves the house; a notice says that there is something, and where to look.
//!
//! Each notice is sent at least once, and twice only where its channel leaves no choice; see `docs/notifications.md`.

mod answer;
mod consent;
mod deliver;
mod devices;
mod judge;
mod mark_read;
mod notify;
mod preferences;
mod profile;
mod quiet;
pub mod react;
mod read;
mod recipient;
mod report;
mod retry;
mod row;
mod send;
mod settle;
mod template;
mod whom;
mod words;

pub use answer::{Answer, answer};
pub use consent::{SetConsent, consents_of, set_consent};
pub use deliver::Ports;
pub use devices::{RegisterDevice, devices_by_ids, own_devices, register_device, remove_device};
pub use mark_read::mark_read;
pub use notify::{Notice, Recipient, Subject, cancel, notify, notify_all};
pub use preferences::{Preference, own_preferences, set_preference};
pub use profile::{Profile, SetProfile, own_profile, profiles_of, set_profile};
pub use read::{Deliveries, count_deliveries, count_own, deliveries, deliveries_by_ids, own, texts};
pub use report::{Report, report};
pub use retry::retry;
pub use send::{MAX_ATTEMPTS, Sent, send_due};
pub use template::{SaveTemplate, save_template, templates, templates_by_ids};
