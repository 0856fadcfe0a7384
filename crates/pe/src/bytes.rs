//! Little-endian numbers in bytes, and bytes of a file, never more than a limit.

use std::cell::Cell;

use crate::READ_LIMIT_BYTES;

/// A file of which no more than [`READ_LIMIT_BYTES`] are read.
pub(crate) struct Source<'a> {
    read: &'a dyn Fn(&mut [u8], u64) -> usize,
    left: Cell<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(read: &'a dyn Fn(&mut [u8], u64) -> usize) -> Self {
        Source {
            read,
            left: Cell::new(READ_LIMIT_BYTES),
        }
    }

    /// The bytes from `offset` on: fewer than `length` at the end of the file, and none once the
    /// limit is reached.
    pub(crate) fn bytes(&self, offset: u64, length: usize) -> Vec<u8> {
        if length > self.left.get() {
            return Vec::new();
        }
        self.left.set(self.left.get() - length);
        let mut buffer = vec![0; length];
        let count = (self.read)(&mut buffer, offset);
        buffer.truncate(count);
        buffer
    }
}

/// The 16 bits at `at`.
pub(crate) fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

/// The 32 bits at `at`.
pub(crate) fn dword(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}
