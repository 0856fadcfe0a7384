//! The version resource of a PE file: its original name and version.
//!
//! Reads the headers and the resource section only, both bounded. Any bytes are answered with
//! what they say or with nothing.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// More than any linker writes in front of the section table.
const HEADER_BYTES: usize = 8192;
/// The largest resource section that is read.
const RESOURCES_LIMIT_BYTES: usize = 16 << 20;
/// The longest value that is believed, in characters.
const VALUE_LIMIT: usize = 260;

/// What a PE file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PeFacts {
    pub(crate) original_name: Option<String>,
    pub(crate) version: Option<String>,
}

/// Reads a PE file's facts; none where it is no PE file or has no version resource.
pub(crate) fn read(file: &File) -> Option<PeFacts> {
    let mut header = vec![0; HEADER_BYTES];
    let length = read_at_most(file, &mut header, 0);
    header.truncate(length);
    let (offset, size) = resource_section(&header)?;
    let mut section = vec![0; size.min(RESOURCES_LIMIT_BYTES)];
    let length = read_at_most(file, &mut section, u64::from(offset));
    section.truncate(length);
    Some(PeFacts {
        original_name: value(&section, "OriginalFilename"),
        version: value(&section, "ProductVersion").or_else(|| value(&section, "FileVersion")),
    })
}

fn read_at_most(file: &File, buffer: &mut [u8], offset: u64) -> usize {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset + done as u64) {
            Ok(0) | Err(_) => break,
            Ok(count) => done += count,
        }
    }
    done
}

/// Where in the file the section `.rsrc` lies, and how large it is.
fn resource_section(header: &[u8]) -> Option<(u32, usize)> {
    if header.get(..2)? != b"MZ" {
        return None;
    }
    let pe = dword(header, 0x3c)? as usize;
    if header.get(pe..pe.checked_add(4)?)? != b"PE\0\0" {
        return None;
    }
    let sections = usize::from(short(header, pe + 6)?).min(96);
    let optional_bytes = usize::from(short(header, pe + 20)?);
    let table = pe + 24 + optional_bytes;
    (0..sections).find_map(|index| {
        let entry = table + index * 40;
        let name = header.get(entry..entry + 8)?;
        if name != b".rsrc\0\0\0" {
            return None;
        }
        Some((
            dword(header, entry + 20)?,
            dword(header, entry + 16)? as usize,
        ))
    })
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(
        bytes.get(at..at.checked_add(2)?)?.try_into().ok()?,
    ))
}

fn dword(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}

/// The value behind a key of the version resource: both are UTF-16 that ends with NUL, the value
/// is padded to a multiple of four bytes.
fn value(section: &[u8], key: &str) -> Option<String> {
    let pattern: Vec<u8> = key
        .encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect();
    let at = find(section, &pattern)? + pattern.len();
    let rest = section.get(at..)?;
    let padding = rest
        .chunks_exact(2)
        .take(2)
        .take_while(|c| *c == [0, 0])
        .count();
    let units: Vec<u16> = rest
        .get(padding * 2..)?
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .take_while(|unit| *unit != 0)
        .take(VALUE_LIMIT + 1)
        .collect();
    if units.is_empty() || units.len() > VALUE_LIMIT {
        return None;
    }
    String::from_utf16(&units).ok()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(step) = haystack.get(from..)?.iter().position(|byte| *byte == first) {
        let at = from + step;
        if haystack.get(at..at + needle.len())? == needle {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect()
    }

    /// The least PE file that has a version resource.
    pub(crate) fn pe_file(original_name: &str, version: &str) -> Vec<u8> {
        let mut bytes = vec![0; 0x400];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 0x80;
        bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
        bytes[0x86] = 1;
        bytes[0x94] = 0xf0;
        let entry = 0x80 + 24 + 0xf0;
        bytes[entry..entry + 5].copy_from_slice(b".rsrc");
        let mut section = vec![0; 64];
        for (key, value) in [
            ("OriginalFilename", original_name),
            ("ProductVersion", version),
        ] {
            section.extend(utf16(key));
            while !section.len().is_multiple_of(4) {
                section.push(0);
            }
            section.extend(utf16(value));
            section.extend([0; 6]);
        }
        bytes[entry + 16..entry + 20].copy_from_slice(&(section.len() as u32).to_le_bytes());
        bytes[entry + 20..entry + 24].copy_from_slice(&0x400_u32.to_le_bytes());
        bytes.extend(section);
        bytes
    }

    fn read_bytes(bytes: &[u8]) -> Option<PeFacts> {
        use std::io::Write;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read(&file)
    }

    #[test]
    fn the_original_name_and_version_are_read() {
        let facts = read_bytes(&pe_file("WinApp.exe", "3.2.1")).unwrap();
        assert_eq!(facts.original_name.as_deref(), Some("WinApp.exe"));
        assert_eq!(facts.version.as_deref(), Some("3.2.1"));
    }

    #[test]
    fn any_beginning_of_a_pe_file_and_any_changed_byte_is_answered() {
        let whole = pe_file("WinApp.exe", "3.2.1");
        for length in (0..whole.len()).step_by(7) {
            read_bytes(&whole[..length]);
        }
        for at in (0..0x200).step_by(3) {
            let mut changed = whole.clone();
            changed[at] = 0xff;
            read_bytes(&changed);
        }
        assert_eq!(read_bytes(b"\x7fELF"), None);
    }
}
