//! Reads the command line and runs it; everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use praxis::cli::{Cli, Exit};

/// An answer is many small values, made on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// A deep query polls a resolver inside a resolver: the default of 2 MiB is close in a build without optimisation.
const STACK: usize = 8 * 1024 * 1024;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build() {
        Ok(runtime) => runtime.block_on(cli.run()).into(),
        Err(_) => Exit::Failed.into(),
    }
}
