//! Reads a copy, piece by piece, and checks each checksum.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::write::rows;
use super::{
    FrameError, HEADER_LIMIT_BYTES, Header, MAGIC, PIECE_LIMIT_BYTES, SUM_BYTES, TableEnd, VERSION,
};

/// Reads a copy from `R`.
pub(crate) struct Reader<R> {
    from: R,
    whole: Sha256,
    table: Sha256,
    end: TableEnd,
    piece: Vec<u8>,
    bytes: u64,
}

/// What comes next in a table.
#[derive(Debug)]
pub(crate) enum Next<'r> {
    /// Rows, or parts of rows.
    Piece(&'r [u8]),
    /// The table is over, and its checksum is right.
    End(TableEnd),
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    pub(crate) fn open(from: R) -> Result<(Header, Reader<R>), FrameError> {
        const WHERE: &str = "its header";
        let mut reader = Reader {
            from,
            whole: Sha256::new(),
            table: Sha256::new(),
            end: TableEnd::default(),
            piece: Vec::new(),
            bytes: 0,
        };
        let magic: [u8; 16] = match reader.array(WHERE) {
            Err(FrameError::Cut(_)) => return Err(FrameError::Other),
            magic => magic?,
        };
        if magic != *MAGIC {
            return Err(FrameError::Other);
        }
        let version = u32::from_be_bytes(reader.array(WHERE)?);
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let length = u32::from_be_bytes(reader.array(WHERE)?);
        if length > HEADER_LIMIT_BYTES {
            return Err(FrameError::Garbled(WHERE.to_owned()));
        }
        let text = reader.taken(length as usize, WHERE)?;
        let mut sum = Sha256::new_with_prefix(MAGIC);
        sum.update(version.to_be_bytes());
        sum.update(length.to_be_bytes());
        sum.update(&text);
        let sum = sum.finalize();
        if reader.array::<SUM_BYTES>(WHERE)?[..] != sum[..] {
            return Err(FrameError::Sum(WHERE.to_owned()));
        }
        reader.whole.update(sum);
        let header = serde_json::from_slice(&text);
        let header = header.map_err(|_| FrameError::Garbled(WHERE.to_owned()))?;
        Ok((header, reader))
    }

    /// So many bytes were read.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What comes next in the present table, which has that name.
    pub(crate) fn next(&mut self, table: &str) -> Result<Next<'_>, FrameError> {
        let place = format!("table {table}");
        let length = u32::from_be_bytes(self.array(&place)?) as usize;
        if length > PIECE_LIMIT_BYTES {
            return Err(FrameError::Garbled(place));
        }
        if length > 0 {
            self.piece = self.taken(length, &place)?;
            self.table.update(&self.piece);
            self.end.rows += rows(&self.piece);
            self.end.bytes += self.piece.len() as u64;
            return Ok(Next::Piece(&self.piece));
        }
        let end = std::mem::take(&mut self.end);
        let mut ours = Vec::with_capacity(16 + SUM_BYTES);
        ours.extend(end.rows.to_be_bytes());
        ours.extend(end.bytes.to_be_bytes());
        ours.extend(self.table.finalize_reset());
        if self.taken(ours.len(), &place)? != ours {
            return Err(FrameError::Sum(place));
        }
        self.whole.update(&ours);
        Ok(Next::End(end))
    }

    /// Reads the end of the copy, behind which nothing may be.
    pub(crate) fn finish(mut self) -> Result<(), FrameError> {
        let sum = self.whole.finalize_reset();
        if self.array::<SUM_BYTES>("its end")?[..] != sum[..] {
            return Err(FrameError::Sum("the whole copy".to_owned()));
        }
        let mut more = [0_u8; 1];
        match self.from.read(&mut more)? {
            0 => Ok(()),
            _ => Err(FrameError::Garbled("what is behind its end".to_owned())),
        }
    }

    fn array<const N: usize>(&mut self, place: &str) -> Result<[u8; N], FrameError> {
        let mut bytes = [0_u8; N];
        let read = self.from.read_exact(&mut bytes);
        read.map_err(|error| cut(error, place))?;
        self.bytes += N as u64;
        Ok(bytes)
    }

    /// As much memory is taken as there are bytes, whatever a length says.
    fn taken(&mut self, length: usize, place: &str) -> Result<Vec<u8>, FrameError> {
        let mut bytes = std::mem::take(&mut self.piece);
        bytes.clear();
        let mut limited = self.from.by_ref().take(length as u64);
        limited.read_to_end(&mut bytes)?;
        self.bytes += bytes.len() as u64;
        match bytes.len() == length {
            true => Ok(bytes),
            false => Err(FrameError::Cut(place.to_owned())),
        }
    }
}

fn cut(error: io::Error, place: &str) -> FrameError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => FrameError::Cut(place.to_owned()),
        _ => FrameError::Disk(error),
    }
}
