//! What stands in an export, one after the other: the head, each table with its rows, the manifest.

use praxis_platform::vault::PIECE;
use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    LifeError, Manifest, TableSum,
    manifest::Head,
    sealed_file::{SealedReader, SealedWriter},
};

/// The longest frame. Rows are cut, in the middle of a value if need be.
const LIMIT: u32 = 16 << 20;

const HEAD: u8 = b'H';
const TABLE: u8 = b'T';
const ROWS: u8 = b'R';
const SUM: u8 = b'S';
const MANIFEST: u8 = b'M';

/// A table is about to come.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Heading {
    /// Its name.
    pub name: String,
    /// The columns of its rows.
    pub columns: Vec<String>,
}

/// A part of an export.
#[derive(Debug)]
pub(super) enum Frame {
    /// What the control schema says.
    Head(Box<Head>),
    /// A table begins.
    Table(Heading),
    /// Some of its rows.
    Rows(Vec<u8>),
    /// It is over.
    Sum(TableSum),
    /// All are.
    Manifest(Manifest),
}

impl<W: AsyncWrite + Unpin> SealedWriter<W> {
    /// Writes the head.
    pub async fn head(&mut self, head: &Head) -> Result<(), LifeError> {
        self.json(HEAD, head).await
    }

    /// Begins a table.
    pub async fn table(&mut self, heading: &Heading) -> Result<(), LifeError> {
        self.json(TABLE, heading).await
    }

    /// Writes rows of the table.
    pub async fn rows(&mut self, rows: &[u8]) -> Result<(), LifeError> {
        for rows in rows.chunks(PIECE) {
            self.frame(ROWS, rows).await?;
        }
        Ok(())
    }

    /// Ends the table.
    pub async fn sum(&mut self, sum: &TableSum) -> Result<(), LifeError> {
        self.json(SUM, sum).await
    }

    /// Writes the manifest; nothing comes behind it.
    pub async fn manifest(&mut self, manifest: &Manifest) -> Result<(), LifeError> {
        self.json(MANIFEST, manifest).await
    }

    async fn json(&mut self, kind: u8, content: &impl Serialize) -> Result<(), LifeError> {
        let bytes = serde_json::to_vec(content).map_err(|_| LifeError::Malformed("frame"))?;
        self.frame(kind, &bytes).await
    }

    async fn frame(&mut self, kind: u8, bytes: &[u8]) -> Result<(), LifeError> {
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= LIMIT);
        let length = length.ok_or(LifeError::Malformed("frame"))?;
        self.write(&[kind]).await?;
        self.write(&length.to_be_bytes()).await?;
        self.write(bytes).await
    }
}

impl<R: AsyncRead + Unpin> SealedReader<R> {
    /// Reads the next part.
    pub async fn frame(&mut self) -> Result<Frame, LifeError> {
        let malformed = LifeError::Malformed("frame");
        let start: [u8; 5] = self.read(5).await?.try_into().map_err(|_| LifeError::Malformed("frame"))?;
        let [kind, a, b, c, d] = start;
        let length = u32::from_be_bytes([a, b, c, d]);
        if length > LIMIT || kind == ROWS && length as usize > PIECE {
            return Err(malformed);
        }
        let bytes = self.read(length as usize).await?;
        Ok(match kind {
            HEAD => Frame::Head(parsed(&bytes)?),
            TABLE => Frame::Table(parsed(&bytes)?),
            ROWS => Frame::Rows(bytes),
            SUM => Frame::Sum(parsed(&bytes)?),
            MANIFEST => Frame::Manifest(parsed(&bytes)?),
            _ => return Err(malformed),
        })
    }
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, LifeError> {
    serde_json::from_slice(bytes).map_err(|_| LifeError::Malformed("frame"))
}

#[cfg(test)]
mod tests {
    use praxis_platform::vault::ExportKey;
    use uuid::Uuid;

    use super::*;
    use crate::tenant::{
        manifest::{Cover, FORMAT, SealedFor},
        sealed_file::Covered,
    };

    async fn written(kind: u8, length: usize, cut: bool) -> SealedReader<std::io::Cursor<Vec<u8>>> {
        let key = ExportKey::generate(Uuid::nil()).unwrap();
        let sealed_for = SealedFor::Holder;
        let (export, tenant) = (Uuid::nil(), Uuid::nil());
        let cover = Cover { format: FORMAT, export, tenant, sealed_for, key: String::new() };
        let mut writer = SealedWriter::begin(Vec::new(), &cover, &key).await.unwrap();
        if cut {
            writer.rows(&vec![7; length]).await.unwrap();
        } else {
            writer.write(&[kind]).await.unwrap();
            writer.write(&u32::try_from(length).unwrap().to_be_bytes()).await.unwrap();
        }
        let file = std::io::Cursor::new(writer.end().await.unwrap());
        Covered::read(file).await.unwrap().open(&key).unwrap()
    }

    #[tokio::test]
    async fn rows_are_cut_so_that_no_frame_is_longer_than_a_piece() {
        let (mut reader, mut whole) = (written(ROWS, 3 * PIECE + 5, true).await, Vec::new());
        for _ in 0..4 {
            let Frame::Rows(rows) = reader.frame().await.unwrap() else { panic!("no rows") };
            assert!(rows.len() <= PIECE);
            whole.extend(rows);
        }
        assert_eq!(whole, vec![7; 3 * PIECE + 5]);
        reader.end().await.unwrap();
    }

    #[tokio::test]
    async fn a_frame_that_says_it_is_longer_is_not_made_room_for() {
        for (kind, length) in [(ROWS, PIECE + 1), (MANIFEST, LIMIT as usize + 1), (HEAD, u32::MAX as usize)] {
            let read = written(kind, length, false).await.frame().await;
            assert!(matches!(read, Err(LifeError::Malformed(_))), "{kind}: {read:?}");
        }
    }
}
