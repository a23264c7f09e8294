//! The gate between two waves: a command of the operator's that says whether to go on.

use std::process::Stdio;

use tokio::process::Command;
use uuid::Uuid;

/// Asks the gate. What it writes goes where the runner's own complaints go.
pub(super) async fn ask(command: &str, run: Uuid, wave: &str) -> Result<(), String> {
    let status = Command::new("sh")
        .args(["-c", command])
        .env("PRAXIS_RUN", run.to_string())
        .env("PRAXIS_WAVE", wave)
        .stdin(Stdio::null())
        // Results of the run go to stdout, and nothing else does.
        .stdout(Stdio::null())
        .status()
        .await
        .map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(status.to_string()) }
}
