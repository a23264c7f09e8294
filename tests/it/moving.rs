//! A clinic moves from one cell to another while it works.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that meets something else fails here; what it measured is worth reading"
)]

mod begun;
mod fence;
mod killed;
mod kit;
mod refused;
mod under_load;
