//! Writes a copy, piece by piece.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use super::{Header, MAGIC, PIECE_LIMIT_BYTES, TableEnd, VERSION};

/// Writes a copy to `W`.
pub(crate) struct Writer<W> {
    out: W,
    /// Of the header's checksum and of what was said behind each table.
    whole: Sha256,
    table: Sha256,
    end: TableEnd,
    piece: Vec<u8>,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a copy; the rows of the header's tables are to follow in their order.
    pub(crate) fn new(out: W, header: &Header) -> io::Result<Writer<W>> {
        let text = serde_json::to_vec(header)?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        let mut head = MAGIC.to_vec();
        head.extend(VERSION.to_be_bytes());
        head.extend(length.to_be_bytes());
        head.extend(text);
        let sum = Sha256::digest(&head);
        let mut writer = Writer {
            out,
            whole: Sha256::new_with_prefix(sum),
            table: Sha256::new(),
            end: TableEnd::default(),
            piece: Vec::with_capacity(PIECE_LIMIT_BYTES),
            bytes: 0,
        };
        writer.put(&head)?;
        writer.put(&sum)?;
        Ok(writer)
    }

    /// So many bytes were written, but for a piece.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds rows, or parts of rows, to the present table.
    pub(crate) fn add(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = PIECE_LIMIT_BYTES.saturating_sub(self.piece.len());
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() >= PIECE_LIMIT_BYTES {
                self.put_piece()?;
            }
        }
        Ok(())
    }

    /// Ends the present table; what was said of it.
    pub(crate) fn end_table(&mut self) -> io::Result<TableEnd> {
        self.put_piece()?;
        let end = std::mem::take(&mut self.end);
        let mut said = Vec::with_capacity(16 + super::SUM_BYTES);
        said.extend(end.rows.to_be_bytes());
        said.extend(end.bytes.to_be_bytes());
        said.extend(self.table.finalize_reset());
        self.whole.update(&said);
        self.put(&0_u32.to_be_bytes())?;
        self.put(&said)?;
        Ok(end)
    }

    /// Ends the copy; what it was written to, and how many bytes that are.
    pub(crate) fn finish(mut self) -> io::Result<(W, u64)> {
        let sum = self.whole.finalize_reset();
        self.put(&sum)?;
        self.out.flush()?;
        Ok((self.out, self.bytes))
    }

    fn put_piece(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.piece);
        let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
        self.table.update(&piece);
        self.end.rows += rows(&piece);
        self.end.bytes += u64::from(length);
        self.put(&length.to_be_bytes())?;
        self.put(&piece)?;
        self.piece = piece;
        self.piece.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// In the text that PostgreSQL copies each row ends with a line break, and one in a value is escaped.
pub(super) fn rows(piece: &[u8]) -> u64 {
    piece.iter().filter(|byte| **byte == b'\n').count() as u64
}
