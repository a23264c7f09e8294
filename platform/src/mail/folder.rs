//! Mails as files, `<id>.eml` and for people `<id>.txt`, whose links can be copied: what a demo sends.

use std::{io, path::Path};

use tokio::{
    fs::{self, OpenOptions},
    io::AsyncWriteExt,
};

use super::{Undelivered, message::Ready};

/// Writes the mail beside its place and moves it there: a reader never sees half of one.
pub(super) async fn deliver(folder: &Path, message: &Ready) -> Result<(), Undelivered> {
    let unfinished = folder.join(format!("{}.unfinished", message.id));
    let written = async {
        fs::create_dir_all(folder).await?;
        write(&unfinished, &message.bytes).await?;
        write(&folder.join(format!("{}.txt", message.id)), message.readable.as_bytes()).await?;
        fs::rename(&unfinished, folder.join(format!("{}.eml", message.id))).await
    };
    written
        .await
        .map_err(|error| Undelivered::Later(format!("the folder can't be written: {}", error.kind())))
}

/// Links in mails let their holder in: nobody else on the machine reads them.
async fn write(place: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(place).await?;
    file.write_all(text).await?;
    file.flush().await
}
