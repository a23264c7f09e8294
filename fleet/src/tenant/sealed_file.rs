//! A file that is sealed piece by piece: written and read as a stream, in memory of one piece.
//!
//! ```text
//! "PXE1" | length of the cover (4) | cover, JSON | pieces: last? (1) | length (4) | sealed
//! ```
//! All numbers are big-endian. The cover is bound into every piece.

use praxis_platform::vault::{ExportKey, PIECE, PIECE_GROWS, Pieces, VaultError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use super::{
    LifeError,
    manifest::{Cover, FORMAT},
};

const MAGIC: [u8; 4] = *b"PXE1";
/// The longest cover: it holds a few ids and a key.
const COVER_LIMIT: u32 = 4096;

/// Writes a sealed file.
pub(super) struct SealedWriter<W> {
    out: W,
    pieces: Pieces,
    piece: Vec<u8>,
}

impl<W: AsyncWrite + Unpin> SealedWriter<W> {
    /// Begins a file with its cover.
    pub async fn begin(mut out: W, cover: &Cover, key: &ExportKey) -> Result<Self, LifeError> {
        let cover = serde_json::to_vec(cover).map_err(|_| LifeError::Malformed("cover"))?;
        out.write_all(&MAGIC).await?;
        out.write_u32(u32::try_from(cover.len()).map_err(|_| LifeError::Malformed("cover"))?).await?;
        out.write_all(&cover).await?;
        Ok(Self { out, pieces: key.stream(&cover)?, piece: Vec::with_capacity(PIECE + PIECE_GROWS) })
    }

    /// Writes what comes next.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), LifeError> {
        while !bytes.is_empty() {
            if self.piece.len() == PIECE {
                self.put(false).await?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Ends the file.
    pub async fn end(mut self) -> Result<W, LifeError> {
        self.put(true).await?;
        self.out.flush().await?;
        Ok(self.out)
    }

    async fn put(&mut self, is_last: bool) -> Result<(), LifeError> {
        self.pieces.seal(&mut self.piece, is_last)?;
        self.out.write_u8(u8::from(is_last)).await?;
        self.out.write_u32(u32::try_from(self.piece.len()).unwrap_or(u32::MAX)).await?;
        self.out.write_all(&self.piece).await?;
        self.piece.clear();
        Ok(())
    }
}

/// A sealed file of which the cover was read.
pub(super) struct Covered<R> {
    input: R,
    bytes: Vec<u8>,
    /// What stands on it.
    pub cover: Cover,
}

impl<R: AsyncRead + Unpin> Covered<R> {
    /// Reads the cover.
    pub async fn read(mut input: R) -> Result<Self, LifeError> {
        let mut magic = [0; 4];
        input.read_exact(&mut magic).await.map_err(|_| LifeError::Malformed("not an export"))?;
        if magic != MAGIC {
            return Err(LifeError::Malformed("not an export"));
        }
        let length = input.read_u32().await?;
        if length > COVER_LIMIT {
            return Err(LifeError::Malformed("cover"));
        }
        let mut bytes = vec![0; length as usize];
        input.read_exact(&mut bytes).await?;
        let cover: Cover = serde_json::from_slice(&bytes).map_err(|_| LifeError::Malformed("cover"))?;
        if cover.format != FORMAT {
            return Err(LifeError::Malformed("made by another build"));
        }
        Ok(Self { input, bytes, cover })
    }

    /// Reads the rest with the key of the export.
    pub fn open(self, key: &ExportKey) -> Result<SealedReader<R>, LifeError> {
        let pieces = key.stream(&self.bytes)?;
        Ok(SealedReader { input: self.input, pieces, piece: Zeroizing::default(), at: 0, is_over: false })
    }
}

/// Reads a sealed file. Nothing is handed out before its piece was opened.
pub(super) struct SealedReader<R> {
    input: R,
    pieces: Pieces,
    piece: Zeroizing<Vec<u8>>,
    at: usize,
    is_over: bool,
}

impl<R: AsyncRead + Unpin> SealedReader<R> {
    /// Reads exactly so many bytes.
    pub async fn read(&mut self, length: usize) -> Result<Vec<u8>, LifeError> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let ready = self.piece.get(self.at..).unwrap_or_default();
            if ready.is_empty() {
                if self.is_over {
                    return Err(cut_off());
                }
                self.next().await?;
                continue;
            }
            let taken = ready.len().min(length - bytes.len());
            bytes.extend_from_slice(ready.get(..taken).unwrap_or_default());
            self.at += taken;
        }
        Ok(bytes)
    }

    /// Makes sure that nothing comes any more.
    pub async fn end(&mut self) -> Result<(), LifeError> {
        while !self.is_over && self.at == self.piece.len() {
            self.next().await?;
        }
        let mut more = [0];
        if self.at < self.piece.len() || self.input.read(&mut more).await? > 0 {
            return Err(LifeError::Malformed("something stands behind its end"));
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<(), LifeError> {
        let is_last = self.input.read_u8().await.map_err(|_| cut_off())?;
        let length = self.input.read_u32().await.map_err(|_| cut_off())? as usize;
        if is_last > 1 || length > PIECE + PIECE_GROWS {
            return Err(LifeError::Sealed(VaultError::Tampered));
        }
        self.piece.clear();
        self.piece.resize(length, 0);
        self.input.read_exact(&mut self.piece).await.map_err(|_| cut_off())?;
        self.is_over = is_last == 1;
        self.pieces.open(&mut self.piece, self.is_over).map_err(LifeError::Sealed)?;
        self.at = 0;
        Ok(())
    }
}

fn cut_off() -> LifeError {
    LifeError::Sealed(VaultError::Format("it ends before its end"))
}
