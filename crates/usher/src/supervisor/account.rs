//! The account under which a server runs if root starts it, and a data directory that works for
//! both.

use std::ffi::CString;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use nix::unistd::{Gid, Uid, User};

use crate::failure::Failure;
use crate::owner::Owner;

/// The account that is used if it exists and none was named.
const USUAL: &str = "usher";

/// An unprivileged account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// The name of the account.
    pub(crate) name: String,
    uid: Uid,
    gid: Gid,
}

/// The account to use; `None` if this process is not root, or is to stay root.
pub(crate) fn choose(named: Option<&str>) -> Result<Option<Account>, Failure> {
    let is_root = nix::unistd::geteuid().is_root();
    let Some(name) = named else {
        return Ok(if is_root { look_up(USUAL)? } else { None });
    };
    let account = look_up(name)?.ok_or_else(|| {
        Failure::usage(format!("--run-as {name}: there is no such account"))
            .next("Make it (`useradd --system usher`), or name another.")
    })?;
    if account.uid == nix::unistd::geteuid() {
        return Ok(None);
    }
    if !is_root {
        return Err(Failure::usage(format!(
            "--run-as {name}: only root can switch to another account"
        )));
    }
    Ok(Some(account))
}

fn look_up(name: &str) -> Result<Option<Account>, Failure> {
    let user = User::from_name(name)
        .map_err(|error| Failure::failed(format!("cannot look up the account {name}: {error}")))?;
    Ok(user.map(|user| Account {
        name: user.name,
        uid: user.uid,
        gid: user.gid,
    }))
}

impl Account {
    /// Gives up root for good: changes groups, group and user. To be called while this process has
    /// one thread and has nothing open that the account must not have.
    pub(crate) fn take(&self) -> Result<(), Failure> {
        let failed = |error: nix::Error| {
            Failure::failed(format!(
                "cannot switch to the account {}: {error}",
                self.name
            ))
        };
        let name = CString::new(self.name.as_str())
            .map_err(|_| Failure::usage(format!("there is no account {:?}", self.name)))?;
        nix::unistd::initgroups(&name, self.gid).map_err(failed)?;
        nix::unistd::setgid(self.gid).map_err(failed)?;
        nix::unistd::setuid(self.uid).map_err(failed)?;
        if nix::unistd::setuid(Uid::from_raw(0)).is_ok() {
            return Err(Failure::failed(format!(
                "switched to the account {}, but could become root again",
                self.name
            )));
        }
        Ok(())
    }
}

/// Makes the data directory. With an account, it belongs to root, and the account may write in it
/// but not touch what is root's, such as the agent's folder.
pub(crate) fn prepare_data(data: &Path, account: Option<&Account>) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::failed(format!(
            "cannot use the data directory {}: {error}",
            data.display()
        ))
        .next("Name another with --data DIR.")
    };
    if !data.is_dir() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .map_err(failed)?;
    }
    let Some(account) = account else {
        return Ok(());
    };
    // By one descriptor: what the path leads to may change meanwhile.
    let folder = usher_platform::files::open_folder(data).map_err(failed)?;
    std::os::unix::fs::fchown(&folder, Some(0), Some(account.gid.as_raw())).map_err(failed)?;
    folder
        .set_permissions(std::fs::Permissions::from_mode(0o1771))
        .map_err(failed)?;
    let owner = Owner {
        uid: account.uid.as_raw(),
        gid: account.gid.as_raw(),
    };
    let entries = rustix::fs::Dir::read_from(&folder).map_err(|error| failed(error.into()))?;
    for entry in entries {
        let entry = entry.map_err(|error| failed(error.into()))?;
        // From a time when the server ran as root. A file of more than one name may be somebody
        // else's.
        match owner.give(&folder, entry.file_name()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(())
}
