//! Mail that leaves the house: written in the transaction that causes it, sent by a worker.
//!
//! No PHI goes into a mail. What a mail says is sealed all the same: links in it let their holder in.

mod enqueue;

pub use enqueue::{NewMail, enqueue, enqueue_to_holders};
