//! The facts of a Windows program, read from its open file.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

pub(crate) use usher_pe::PeFacts;

/// None if it is no PE file or has no resources.
pub(crate) fn read(file: &File) -> Option<PeFacts> {
    usher_pe::facts(|buffer, offset| read_at_most(file, buffer, offset))
}

fn read_at_most(file: &File, buffer: &mut [u8], offset: u64) -> usize {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    done
}
