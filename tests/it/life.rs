//! The life of a single clinic, through the command line: its states, its export and return, its end.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

mod beside;
mod kit;
mod older;
mod operations;
mod restored;
mod sandbox;
mod shredded;
mod states;
