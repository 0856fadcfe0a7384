//! Bytes to lines: what other programs write, in whatever encoding, becomes lines of bounded length.
//!
//! A byte order mark decides: UTF-16 of either order, or UTF-8. Without one each line is UTF-8, or Latin-1 if
//! it is no UTF-8. Lines end with LF or CR LF. NUL is left out: logs that were cut while they were written
//! to have runs of it, and UTF-16 without a mark becomes readable if it is ASCII.

use std::io::{self, Read};

use crate::fact::Fact;
use crate::reading::{Counts, LINE_LIMIT_BYTES, Out, Reader};

/// Bytes that are asked for at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// What is shown of a line that is too long.
const SHOWN_BYTES: usize = 200;

/// A line without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'l> {
    /// At most [`LINE_LIMIT_BYTES`] of it.
    pub text: &'l str,
    /// It is longer, and what is beyond is dropped.
    pub is_cut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// Not known before the first three bytes.
    Open,
    /// UTF-8, or Latin-1 line by line.
    Bytes,
    Utf16 {
        big_endian: bool,
    },
}

/// Turns chunks of bytes into lines; how the bytes are cut into chunks makes no difference.
#[derive(Debug)]
pub struct Decoder {
    encoding: Encoding,
    /// The first bytes, until the encoding is known.
    head: Vec<u8>,
    /// The line that is read, if the encoding is bytes.
    bytes: Vec<u8>,
    /// The line that is read, if the encoding is UTF-16.
    text: String,
    is_cut: bool,
    /// Something of a line was read since the last line's end.
    is_open: bool,
    /// Half a unit of UTF-16.
    half_unit: Option<u8>,
    /// The first half of a pair of UTF-16.
    high: Option<u16>,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder {
            encoding: Encoding::Open,
            head: Vec::new(),
            bytes: Vec::new(),
            text: String::new(),
            is_cut: false,
            is_open: false,
            half_unit: None,
            high: None,
        }
    }
}

impl Decoder {
    /// Takes in bytes, and gives each line that they complete.
    pub fn take(&mut self, bytes: &[u8], each: &mut dyn FnMut(Line<'_>)) {
        if self.encoding != Encoding::Open {
            return self.take_known(bytes, each);
        }
        let missing = 3_usize.saturating_sub(self.head.len());
        let (head, rest) = bytes.split_at(missing.min(bytes.len()));
        self.head.extend_from_slice(head);
        if self.head.len() == 3 {
            self.decide(each);
            self.take_known(rest, each);
        }
    }

    /// The bytes are over: gives the last line, if it has no end.
    pub fn finish(mut self, each: &mut dyn FnMut(Line<'_>)) {
        if self.encoding == Encoding::Open {
            self.decide(each);
        }
        if self.half_unit.is_some() || self.high.is_some() {
            self.push(char::REPLACEMENT_CHARACTER);
        }
        if self.is_open {
            self.end_line(each);
        }
    }

    fn decide(&mut self, each: &mut dyn FnMut(Line<'_>)) {
        let head = std::mem::take(&mut self.head);
        let (encoding, mark) = match head.as_slice() {
            [0xEF, 0xBB, 0xBF] => (Encoding::Bytes, 3),
            [0xFF, 0xFE, ..] => (Encoding::Utf16 { big_endian: false }, 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16 { big_endian: true }, 2),
            _ => (Encoding::Bytes, 0),
        };
        self.encoding = encoding;
        self.take_known(head.get(mark..).unwrap_or_default(), each);
    }

    fn take_known(&mut self, bytes: &[u8], each: &mut dyn FnMut(Line<'_>)) {
        match self.encoding {
            Encoding::Open => {}
            Encoding::Bytes => self.take_bytes(bytes, each),
            Encoding::Utf16 { big_endian } => {
                for byte in bytes {
                    self.take_half(*byte, big_endian, each);
                }
            }
        }
    }

    fn take_bytes(&mut self, bytes: &[u8], each: &mut dyn FnMut(Line<'_>)) {
        let mut parts = bytes.split(|byte| *byte == b'\n');
        // The last part has no end yet.
        let mut part = parts.next();
        while let Some(this) = part {
            part = parts.next();
            self.is_open |= !this.is_empty();
            match this.contains(&0) {
                false => self.add(this),
                true => {
                    let without: Vec<u8> = this.iter().copied().filter(|byte| *byte != 0).collect();
                    self.add(&without);
                }
            }
            if part.is_some() {
                self.end_line(each);
            }
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        // One more than the limit: a CR that ends a line is not of its length.
        let room = (LINE_LIMIT_BYTES + 1).saturating_sub(self.bytes.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.bytes.extend_from_slice(taken);
        self.is_cut |= taken.len() < bytes.len();
    }

    fn take_half(&mut self, byte: u8, big_endian: bool, each: &mut dyn FnMut(Line<'_>)) {
        let Some(first) = self.half_unit.take() else {
            self.half_unit = Some(byte);
            return;
        };
        let unit = match big_endian {
            true => u16::from_be_bytes([first, byte]),
            false => u16::from_le_bytes([first, byte]),
        };
        let high = self.high.take();
        let is_low = (0xDC00..=0xDFFF).contains(&unit);
        if high.is_some() && !is_low {
            self.push(char::REPLACEMENT_CHARACTER);
        }
        let units = high.filter(|_| is_low).into_iter().chain([unit]);
        for decoded in char::decode_utf16(units) {
            match decoded {
                Ok('\n') => self.end_line(each),
                Ok(letter) => self.push(letter),
                Err(lone) => match lone.unpaired_surrogate() {
                    // It may be half of a pair whose other half comes next.
                    high @ 0xD800..=0xDBFF => self.high = Some(high),
                    _ => self.push(char::REPLACEMENT_CHARACTER),
                },
            }
        }
    }

    fn push(&mut self, letter: char) {
        self.is_open = true;
        let length = self.text.len().saturating_add(letter.len_utf8());
        match letter {
            '\0' => {}
            _ if !self.is_cut && length <= LINE_LIMIT_BYTES.saturating_add(1) => {
                self.text.push(letter);
            }
            _ => self.is_cut = true,
        }
    }

    fn end_line(&mut self, each: &mut dyn FnMut(Line<'_>)) {
        self.is_open = false;
        let mut is_cut = std::mem::take(&mut self.is_cut);
        let mut text = std::mem::take(&mut self.text);
        if self.encoding == Encoding::Bytes {
            text = decoded(&self.bytes, is_cut || self.bytes.len() > LINE_LIMIT_BYTES);
            self.bytes.clear();
        }
        if !is_cut && text.ends_with('\r') {
            text.pop();
        }
        if text.len() > LINE_LIMIT_BYTES {
            text.truncate(text.floor_char_boundary(LINE_LIMIT_BYTES));
            is_cut = true;
        }
        // Files that were put together have a mark in their middle.
        let text = text.trim_start_matches('\u{feff}');
        each(Line { text, is_cut });
    }
}

/// UTF-8, or Latin-1. If the line is cut, its last letter may be, too, which makes it no Latin-1.
fn decoded(bytes: &[u8], may_be_cut: bool) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) if may_be_cut && error.error_len().is_none() => {
            let whole = bytes.get(..error.valid_up_to()).unwrap_or_default();
            String::from_utf8_lossy(whole).into_owned()
        }
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Reads a file of any size with a reader: into that sink, and counted. An error is the source's; what was
/// read before it is in the sink, and the reader was not told of an end.
pub fn read(
    from: &mut dyn Read,
    reader: &mut dyn Reader,
    sink: &mut dyn FnMut(Fact),
) -> io::Result<Counts> {
    let mut counts = Counts::default();
    read_part(from, reader, sink, &mut counts)?;
    reader.end(&mut Out::new(sink, &mut counts));
    Ok(counts)
}

/// The same, of a file that another of the same reader may follow: the reader is not told of an end.
pub fn read_part(
    from: &mut dyn Read,
    reader: &mut dyn Reader,
    sink: &mut dyn FnMut(Fact),
    counts: &mut Counts,
) -> io::Result<()> {
    let mut decoder = Decoder::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = match from.read(&mut chunk) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if length == 0 {
            break;
        }
        let bytes = chunk.get(..length).unwrap_or_default();
        decoder.take(bytes, &mut |line| give(line, reader, sink, counts));
    }
    decoder.finish(&mut |line| give(line, reader, sink, counts));
    Ok(())
}

/// Gives a line to a reader, and counts it.
pub(crate) fn give(
    line: Line<'_>,
    reader: &mut dyn Reader,
    sink: &mut dyn FnMut(Fact),
    counts: &mut Counts,
) {
    counts.lines = counts.lines.saturating_add(1);
    if line.text.trim().is_empty() {
        counts.blank = counts.blank.saturating_add(1);
    }
    let mut out = Out::new(sink, counts);
    match line.is_cut {
        true => {
            let shown = line.text.floor_char_boundary(SHOWN_BYTES);
            out.not_understood(line.text.get(..shown).unwrap_or_default());
        }
        false => reader.line(line.text, &mut out),
    }
}

#[cfg(test)]
mod tests;
