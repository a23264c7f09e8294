//! Mails as files, `<id>.eml`: what a demo or a test sends.

use std::path::Path;

use super::{Undelivered, message::Ready};

/// Writes the mail beside its place and moves it there: a reader never sees half of one.
pub(super) async fn deliver(folder: &Path, message: &Ready) -> Result<(), Undelivered> {
    let unfinished = folder.join(format!("{}.unfinished", message.id));
    let place = folder.join(format!("{}.eml", message.id));
    let written = async {
        tokio::fs::create_dir_all(folder).await?;
        tokio::fs::write(&unfinished, &message.bytes).await?;
        tokio::fs::rename(&unfinished, &place).await
    };
    written
        .await
        .map_err(|error| Undelivered::Later(format!("the folder can't be written: {}", error.kind())))
}
