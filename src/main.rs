//! Reads the command line and runs it; everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use praxis::cli::{Cli, Exit};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli.run()).into(),
        Err(_) => Exit::Failed.into(),
    }
}
