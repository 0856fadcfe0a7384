//! A token or another secret in a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest size of a secret file, in bytes.
const LIMIT_BYTES: u64 = 4_096;

/// The secret that a file holds, without the blanks and the end of line around it. At most 4,096
/// bytes are read: whatever else a name leads to, it is not read whole.
///
/// # Errors
/// The file cannot be read, is no text, is empty (`UnexpectedEof`), or holds more than a secret.
pub fn secret_in(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let opened = File::open(file)?;
    opened.take(LIMIT_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LIMIT_BYTES {
        let why = "it holds more than a secret: is it the right file?";
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    match text.trim() {
        "" => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is empty")),
        secret => Ok(secret.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_what_stands_in_its_file_and_not_too_much() {
        let folder = std::env::temp_dir().join(format!("usher-secret-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("token");
        let held = |text: &str| {
            std::fs::write(&file, text).unwrap();
            secret_in(&file)
        };
        assert_eq!(held("usher_a\n").unwrap(), "usher_a");
        assert_eq!(
            held(" \n").unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        let long = held(&"x".repeat(4_097)).unwrap_err();
        assert_eq!(long.kind(), io::ErrorKind::InvalidData);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            secret_in(&file).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
