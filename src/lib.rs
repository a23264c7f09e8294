//! The server: wiring only. Reads its configuration, builds the parts in order and serves them.

pub mod app;
pub mod cli;
pub mod config;
pub mod heads;
pub mod http;
pub mod noticing;
pub mod root_key;
pub mod rounds;
pub mod sealing;
pub mod shutdown;
pub mod telemetry;
pub mod working;

pub use app::{App, StartError};
