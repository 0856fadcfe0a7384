//! What can be found out about an executable file.

use std::borrow::Cow;

/// The installed package that a file belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name, without an architecture.
    pub name: String,
    /// Its version, as the package manager writes it.
    pub version: String,
}

/// What can be found out about one executable. A method is called only if a rule needs its answer,
/// because it may be expensive: a hash reads the whole file.
pub trait Facts {
    /// The absolute path by which it was started, as the kernel names it.
    fn path(&self) -> &[u8];
    /// Other paths of the same file that a rule may name: it was moved or linked since.
    fn known_as(&self) -> &[Vec<u8>] {
        &[]
    }
    /// Whether it came with the operating system, which does not work without it.
    fn is_of_system(&mut self) -> bool {
        false
    }
    /// The package that installed it.
    fn package(&mut self) -> Option<Package> {
        None
    }
    /// The original name in a PE file's version resource.
    fn original_name(&mut self) -> Option<Cow<'_, str>> {
        None
    }
    /// The version in a PE file's version resource.
    fn file_version(&mut self) -> Option<Cow<'_, str>> {
        None
    }
    /// The SHA-256 of its contents.
    fn sha256(&mut self) -> Option<[u8; 32]> {
        None
    }
    /// The name of the publisher that signed it.
    fn publisher(&mut self) -> Option<Cow<'_, str>> {
        None
    }
}

/// The part of a path behind its last `/`.
pub fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}
