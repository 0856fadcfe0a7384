//! Accounts: their names and the realms that these are of, from `/etc/passwd`, else asked of the
//! system's name services by `getent`.
//!
//! A name service may be slow, or hang. So it is asked only if nobody but who needs the
//! account waits ([`Accounts::learn`]); everybody else goes by what is known
//! ([`Accounts::account`]). What a service told is kept over a restart, for as another person would
//! count who is known by a number only.

mod kept;
mod realms;
mod service;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use usher_api::{PeopleStatus, ServiceRealm};
use usher_core::sessions::AccountKey;

use self::service::{NameServices, Silent, name_if};
use crate::base::lock;
use crate::system::account_key;

pub use realms::Realms;

/// Accounts that are remembered; when there are more, all are asked for again.
const NAMES_LIMIT: usize = 4_096;
/// How long an account is believed.
const NAME_LIFE: Duration = Duration::from_secs(600);
/// How long it is believed that no service knows an account: one that has not come up yet, or is
/// cut off, says so of everybody.
const UNKNOWN_LIFE: Duration = Duration::from_secs(30);
/// How long services that did not answer in time are left alone.
const LEFT_ALONE: Duration = Duration::from_secs(60);
/// What the accounts of `/etc/passwd` are of.
const FILES: &str = "files";
/// Where accounts are kept, in the agent's data directory.
const KEPT_FILE: &str = "accounts";

/// An account of this computer, as it names a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// The directory that it is of; none: the computer's own.
    pub(crate) realm: Option<Arc<str>>,
    /// Its name, without the realm; its number if no name is known.
    pub(crate) name: Arc<str>,
}

/// Accounts, and the people that they are.
#[derive(Debug)]
pub(crate) struct Accounts {
    passwd: PathBuf,
    services: NameServices,
    realms: Realms,
    /// Where those are kept that a service told; none: nowhere.
    kept: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    accounts: HashMap<AccountKey, Remembered>,
    /// When the name services did last not answer in time.
    silent: Option<Instant>,
    /// What services told has changed since it was kept.
    is_changed: bool,
}

#[derive(Debug)]
struct Remembered {
    account: Account,
    origin: Origin,
    /// When it was asked for; none: in a former run.
    asked: Option<Instant>,
}

/// How an account is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Passwd,
    Service,
    /// Nobody knows it.
    Nobody,
}

impl Remembered {
    fn is_fresh(&self) -> bool {
        let life = match self.origin {
            Origin::Passwd | Origin::Service => NAME_LIFE,
            Origin::Nobody => UNKNOWN_LIFE,
        };
        self.asked.is_some_and(|asked| asked.elapsed() < life)
    }

    /// The account, if a name service told it.
    fn told(&self) -> Option<&Account> {
        (self.origin == Origin::Service).then_some(&self.account)
    }
}

impl Accounts {
    /// Accounts of this computer, all of them its own.
    pub(crate) fn new() -> Self {
        Accounts {
            passwd: PathBuf::from("/etc/passwd"),
            services: NameServices::of_this_computer(),
            realms: Realms::default(),
            kept: None,
            known: Mutex::default(),
        }
    }

    /// The same with these realms, and what was known in the agent's former run.
    pub(crate) fn open(data: &Path, realms: Realms) -> Self {
        let kept = data.join(KEPT_FILE);
        let accounts = kept::read(&kept, &realms)
            .into_iter()
            .map(|(key, account)| {
                let remembered = Remembered {
                    account,
                    origin: Origin::Service,
                    asked: None,
                };
                (key, remembered)
            })
            .collect();
        Accounts {
            realms,
            kept: Some(kept),
            known: Mutex::new(Known {
                accounts,
                ..Known::default()
            }),
            ..Accounts::new()
        }
    }

    /// Keeps what name services have told since the last time, for the next run.
    pub(crate) fn keep(&self) {
        let Some(path) = &self.kept else { return };
        let told: Vec<(AccountKey, Account)> = {
            let mut known = lock(&self.known);
            if !std::mem::take(&mut known.is_changed) {
                return;
            }
            let told = known.accounts.iter();
            told.filter_map(|(key, known)| Some((*key, known.told()?.clone())))
                .collect()
        };
        if let Err(error) = kept::write(path, &self.realms, &told) {
            lock(&self.known).is_changed = true;
            tracing::warn!(path = %path.display(), %error, "cannot keep the accounts known");
        }
    }

    /// The name of an account as far as it is known without asking a name service; else its
    /// number.
    pub(crate) fn name(&self, key: AccountKey) -> String {
        self.account(key).name.to_string()
    }

    /// An account as far as it is known without asking a name service; else its number, among the
    /// computer's own.
    pub(crate) fn account(&self, key: AccountKey) -> Account {
        self.at_hand(key).unwrap_or_else(|| Account::unknown(key))
    }

    /// Whether [`learn`](Self::learn) has nothing to ask first.
    pub(crate) fn knows(&self, key: AccountKey) -> bool {
        self.at_hand(key).is_some()
    }

    /// Learns an account, again after ten minutes. This may take a second.
    pub(crate) fn learn(&self, key: AccountKey) {
        let known = &self.known;
        if lock(known)
            .accounts
            .get(&key)
            .is_some_and(Remembered::is_fresh)
        {
            return;
        }
        if let Some(own) = self.in_passwd(key) {
            return self.remember(key, own, Origin::Passwd);
        }
        match self.by_name_service(key) {
            Ok(Some(told)) => self.remember(key, told, Origin::Service),
            Ok(None) => self.nobody_knows(key),
            // They are asked again when they speak.
            Err(Silent) => {}
        }
    }

    /// The same, while others go on.
    pub(crate) async fn learn_aside(self: Arc<Self>, key: AccountKey) {
        // A panic in it has been printed; then its number is its name.
        let _ = tokio::task::spawn_blocking(move || self.learn(key)).await;
    }

    /// Which directories it knows, and of which it does not know the realm.
    pub(crate) fn shown(&self) -> PeopleStatus {
        let realms = self.realms.iter().map(|(name, realm)| ServiceRealm {
            name: name.to_owned(),
            realm: realm.to_owned(),
        });
        PeopleStatus {
            services: self.services.services(),
            realms: realms.collect(),
        }
    }

    fn at_hand(&self, key: AccountKey) -> Option<Account> {
        if let Some(known) = lock(&self.known).accounts.get(&key) {
            return Some(known.account.clone());
        }
        let account = self.in_passwd(key).or_else(|| {
            let is_all = self.services.services().is_empty();
            is_all.then(|| Account::unknown(key))
        })?;
        self.remember(key, account.clone(), Origin::Passwd);
        Some(account)
    }

    fn remember(&self, key: AccountKey, account: Account, origin: Origin) {
        let remembered = Remembered {
            account,
            origin,
            asked: Some(Instant::now()),
        };
        let mut known = lock(&self.known);
        if known.accounts.len() >= NAMES_LIMIT {
            known.accounts.clear();
        }
        let after = remembered.told().cloned();
        let before = known.accounts.insert(key, remembered);
        known.is_changed |= before.as_ref().and_then(Remembered::told) != after.as_ref();
    }

    /// Whom a service has told stays who it is: one that is cut off knows nobody.
    fn nobody_knows(&self, key: AccountKey) {
        {
            let mut known = lock(&self.known);
            let told = known.accounts.get_mut(&key);
            if let Some(told) = told.filter(|known| known.origin == Origin::Service) {
                told.asked = Some(Instant::now());
                return;
            }
        }
        self.remember(key, Account::unknown(key), Origin::Nobody);
    }

    fn in_passwd(&self, key: AccountKey) -> Option<Account> {
        let text = std::fs::read(&self.passwd).ok()?;
        let text = String::from_utf8_lossy(&text);
        let wanted = account_key::id(key);
        let name = text.lines().find_map(|line| name_if(line, &wanted))?;
        Some(Account {
            realm: self.realms.of_service(FILES).map(Arc::from),
            name: name.into(),
        })
    }

    fn by_name_service(&self, key: AccountKey) -> Result<Option<Account>, Silent> {
        let silent = lock(&self.known).silent;
        if silent.is_some_and(|since| since.elapsed() < LEFT_ALONE) {
            return Err(Silent);
        }
        let uid = account_key::uid(key);
        let told = self.services.ask(uid);
        if told.is_err() {
            lock(&self.known).silent = Some(Instant::now());
            tracing::warn!(
                uid,
                "the name service does not answer: numbers are names for now"
            );
        }
        let account = told?.map(|told| {
            let service = told.service.as_deref().unwrap_or_default();
            let (realm, name) = self.realms.split(service, &told.name);
            Account {
                realm: realm.map(Arc::from),
                name: name.into(),
            }
        });
        Ok(account)
    }
}

impl Account {
    fn unknown(key: AccountKey) -> Self {
        Account {
            realm: None,
            name: account_key::id(key).into(),
        }
    }
}
