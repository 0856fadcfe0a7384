//! The accounts and groups that the system's name services know. A service may be slow, or hang: it
//! is asked by a program of its own, which is ended when its time is over. Nothing is asked on a
//! thread of the caller's.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::system::name_service as system;
pub use crate::terms::{NameService, SystemAccount, SystemGroup};

impl NameService {
    /// That of this computer.
    pub fn of_this_computer() -> NameService {
        NameService::asked_by(PathBuf::from(system::PROGRAM))
    }

    /// The same, asked by another program that takes the same words as the usual one (`getent`).
    pub fn asked_by(program: PathBuf) -> NameService {
        NameService {
            program,
            own_files: false,
        }
    }

    /// The same of the computer's own files alone, without its directories.
    #[must_use]
    pub fn of_own_files(&self) -> NameService {
        NameService {
            program: self.program.clone(),
            own_files: true,
        }
    }

    /// The program that asks.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Whether only the computer's own files are asked.
    pub fn is_of_own_files(&self) -> bool {
        self.own_files
    }

    /// The groups that these keys name: names, or numbers in digits. Without a key all that the
    /// services list; a service may list none, and still know each by its name. Unknown ones are
    /// left out.
    ///
    /// # Errors
    /// Of kind [`io::ErrorKind::TimedOut`] if the answer took longer than `within`; of kind
    /// [`io::ErrorKind::Unsupported`] if this system cannot be asked yet; else what the system says.
    pub async fn groups(&self, keys: &[String], within: Duration) -> io::Result<Vec<SystemGroup>> {
        system::groups(self, keys, within).await
    }

    /// The accounts with these names; without a name all that the services list. Unknown ones are
    /// left out.
    ///
    /// # Errors
    /// As of [`NameService::groups`].
    pub async fn accounts(
        &self,
        names: &[String],
        within: Duration,
    ) -> io::Result<Vec<SystemAccount>> {
        system::accounts(self, names, within).await
    }

    /// The numbers of the groups that each of these accounts is in, besides its main group, as a
    /// login gets them.
    ///
    /// # Errors
    /// As of [`NameService::groups`].
    pub async fn groups_of(
        &self,
        names: &[String],
        within: Duration,
    ) -> io::Result<Vec<(String, Vec<u32>)>> {
        system::groups_of(self, names, within).await
    }
}
