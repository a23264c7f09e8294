//! When to stop: Ctrl-C, or the signal that supervisors send.

use std::future::pending;

use tokio::signal::unix::{SignalKind, signal as unix_signal};

/// Waits for SIGINT or SIGTERM.
pub async fn signal() {
    tokio::select! {
        () = received(SignalKind::interrupt()) => {}
        () = received(SignalKind::terminate()) => {}
    }
}

async fn received(kind: SignalKind) {
    match unix_signal(kind) {
        Ok(mut stream) => {
            stream.recv().await;
        }
        Err(error) => {
            tracing::warn!(%error, "a signal cannot be waited for");
            pending::<()>().await;
        }
    }
}
