//! Accounts of name services, kept over a restart: somebody is the same person while the directory
//! cannot be asked.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use usher_core::sessions::AccountKey;
use usher_platform::files::{self, Readers};

use super::{Account, NAMES_LIMIT, Realms};
use crate::system::account_key;

/// Bytes of the file at the most: a realm and an account have 255 each.
const FILE_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// The first line: what is kept was told under these realms.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    realms: Vec<(String, String)>,
}

impl Head {
    fn of(realms: &Realms) -> Head {
        let realms = realms.iter();
        Head {
            realms: realms.map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    uid: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    realm: Option<Arc<str>>,
    account: std::borrow::Cow<'a, str>,
}

/// What is kept; what cannot be read, or was told under other realms, is asked for again.
pub(super) fn read(path: &Path, realms: &Realms) -> Vec<(AccountKey, Account)> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| {
        let mut file = file.take(FILE_LIMIT_BYTES);
        file.read_to_string(&mut text)
    });
    if let Err(error) = read
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "cannot read the accounts that were known");
    }
    let mut lines = text.lines();
    let head = lines
        .next()
        .and_then(|line| serde_json::from_str(line).ok());
    if head != Some(Head::of(realms)) {
        return Vec::new();
    }
    lines
        .take(NAMES_LIMIT)
        .filter_map(|line| serde_json::from_str::<Line<'_>>(line).ok())
        .map(|line| {
            let account = Account {
                realm: line.realm,
                name: Arc::from(&*line.account),
            };
            (account_key::of_uid(line.uid), account)
        })
        .collect()
}

/// Keeps them in place of what was kept.
pub(super) fn write(
    path: &Path,
    realms: &Realms,
    accounts: &[(AccountKey, Account)],
) -> io::Result<()> {
    let mut text = serde_json::to_vec(&Head::of(realms))?;
    text.push(b'\n');
    for (key, account) in accounts {
        let line = Line {
            uid: account_key::uid(*key),
            realm: account.realm.clone(),
            account: (&*account.name).into(),
        };
        serde_json::to_writer(&mut text, &line)?;
        text.push(b'\n');
    }
    let written = path.with_extension("new");
    files::put(path, &written, Readers::Nobody, &text)
}
