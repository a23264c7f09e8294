//! Operations that may be called by their id, and the programs that may call them.

mod create_client;
mod read;
mod register;
mod retire;
mod retire_client;
mod rotate_secret;

pub use create_client::{DEFAULT_POINTS, DEFAULT_RESTORE, NewClient, create_client};
pub use read::{client_secrets, clients, find, operations};
pub use register::{NewOperation, Registration, register};
pub use retire::retire;
pub use retire_client::retire_client;
pub use rotate_secret::{MAX_OVERLAP_HOURS, rotate_secret};
