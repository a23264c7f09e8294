//! The audit log as the clinic uses it: kept sealed, watched, and read.

mod keep;

pub use keep::keep;
