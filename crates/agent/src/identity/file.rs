//! The facts of one executable file, each found out once and only when asked for.

use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt;

use sha2::{Digest, Sha256};
use usher_core::identify::{Facts, Package};

use super::packages::Packages;
use super::pe::{self, PeFacts};
use crate::system::FileKey;

const READ_BYTES: usize = 64 * 1024;

/// An executable file to identify.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) path: Vec<u8>,
    pub(crate) key: FileKey,
    /// Open, if more than its name may be looked at.
    pub(crate) file: Option<File>,
}

/// Only path and names; notes if a rule needs more.
pub(crate) struct CheapFacts<'a> {
    pub(crate) path: &'a [u8],
    pub(crate) known_as: &'a [Vec<u8>],
    pub(crate) asked_for_more: bool,
}

impl Facts for CheapFacts<'_> {
    fn path(&self) -> &[u8] {
        self.path
    }
    fn known_as(&self) -> &[Vec<u8>] {
        self.known_as
    }
    fn package(&mut self) -> Option<Package> {
        self.asked_for_more = true;
        None
    }
    fn original_name(&mut self) -> Option<Cow<'_, str>> {
        self.asked_for_more = true;
        None
    }
    fn file_version(&mut self) -> Option<Cow<'_, str>> {
        self.asked_for_more = true;
        None
    }
    fn sha256(&mut self) -> Option<[u8; 32]> {
        self.asked_for_more = true;
        None
    }
}

/// All facts of a file.
pub(crate) struct FileFacts<'a> {
    target: &'a Target,
    known_as: &'a [Vec<u8>],
    packages: &'a Packages,
    package: Option<Option<Package>>,
    pe: Option<Option<PeFacts>>,
    sha256: Option<Option<[u8; 32]>>,
}

impl<'a> FileFacts<'a> {
    pub(crate) fn new(target: &'a Target, known_as: &'a [Vec<u8>], packages: &'a Packages) -> Self {
        FileFacts {
            target,
            known_as,
            packages,
            package: None,
            pe: None,
            sha256: None,
        }
    }

    fn pe(&mut self) -> Option<&PeFacts> {
        let file = self.target.file.as_ref()?;
        self.pe.get_or_insert_with(|| pe::read(file)).as_ref()
    }

    /// The version from the package, or from the file itself.
    pub(crate) fn version(&mut self) -> Option<String> {
        let by_package = self.package().map(|package| package.version);
        by_package.or_else(|| self.pe()?.version.clone())
    }
}

impl Facts for FileFacts<'_> {
    fn path(&self) -> &[u8] {
        &self.target.path
    }

    fn known_as(&self) -> &[Vec<u8>] {
        self.known_as
    }

    fn package(&mut self) -> Option<Package> {
        if self.package.is_none() {
            let mut paths = [&self.target.path].into_iter().chain(self.known_as);
            self.package = Some(paths.find_map(|path| self.packages.owner(path)));
        }
        self.package.clone().flatten()
    }

    fn original_name(&mut self) -> Option<Cow<'_, str>> {
        self.pe()?.original_name.as_deref().map(Cow::Borrowed)
    }

    fn file_version(&mut self) -> Option<Cow<'_, str>> {
        self.pe()?.version.as_deref().map(Cow::Borrowed)
    }

    fn sha256(&mut self) -> Option<[u8; 32]> {
        let file = self.target.file.as_ref()?;
        *self.sha256.get_or_insert_with(|| hash(file))
    }
}

/// The hash of a whole file; none if it cannot be read to its end.
pub(crate) fn hash(file: &File) -> Option<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut offset = 0;
    loop {
        match file.read_at(&mut buffer, offset) {
            Ok(0) => return Some(hasher.finalize().into()),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                offset += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}
