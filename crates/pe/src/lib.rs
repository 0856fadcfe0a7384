//! What a Windows program says of itself: the original name and the version in its version
//! resource, found by following the structure of the file.
//!
//! Pure: the bytes come from a function that is given. Any bytes are answered with what they say or
//! with nothing; what is read is bounded ([`READ_LIMIT_BYTES`]), and so is the time, for each byte
//! that was read is looked at a fixed number of times.
#![forbid(unsafe_code)]

mod bytes;
mod headers;
mod resources;
mod version;
pub mod wine;

/// The most that is read of one file, in bytes, however large it is.
pub const READ_LIMIT_BYTES: usize = 2 << 20;

/// The longest value that is believed, in UTF-16 units.
const VALUE_LIMIT: usize = 260;

/// What a PE file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeFacts {
    /// `OriginalFilename`; none if it is empty or missing.
    pub original_name: Option<String>,
    /// `ProductVersion`, else `FileVersion`, else the product version in the fixed part.
    pub version: Option<String>,
}

/// Reads a PE file's facts; none if it is no PE file or has no version resource.
///
/// `read` fills the buffer from an offset in the file, and answers how many bytes that were: fewer
/// than asked for at the file's end, or if it cannot be read.
pub fn facts(read: impl Fn(&mut [u8], u64) -> usize) -> Option<PeFacts> {
    let file = bytes::Source::new(&read);
    let image = headers::Image::read(&file)?;
    let mut found = PeFacts::default();
    for block in resources::version_blocks(&file, &image) {
        let block = version::facts(&block);
        found.original_name = found.original_name.or(block.original_name);
        found.version = found.version.or(block.version);
        if found.original_name.is_some() && found.version.is_some() {
            break;
        }
    }
    Some(found)
}

/// The facts of a file that is in memory.
pub fn facts_of(file: &[u8]) -> Option<PeFacts> {
    facts(|buffer, offset| {
        let rest = usize::try_from(offset).ok().and_then(|at| file.get(at..));
        let rest = rest.unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        count
    })
}
