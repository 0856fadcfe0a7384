//! The names in a batch: each gets a surrogate of the site's, the same from whatever server or file it
//! comes.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::collected::HistoryBatch;

/// The site's numbers for what a batch names.
pub(crate) struct Names<'c> {
    connection: &'c Connection,
    people: HashMap<String, i64>,
    elsewhere: HashMap<String, i64>,
    computers: HashMap<String, i64>,
    keys: HashMap<String, i64>,
    products: HashMap<String, i64>,
}

/// SQL for a random surrogate, which reveals nothing, not even the order of arrival.
const SURROGATE: &str = "random() & 0x7fffffffffffffff";

/// The realm of accounts that other licence servers name: they do not tell of which directory these are.
pub(crate) const ELSEWHERE: &str = "elsewhere";

impl<'c> Names<'c> {
    /// Has looked up no name yet.
    pub(crate) fn new(connection: &'c Connection) -> Names<'c> {
        Names {
            connection,
            people: HashMap::new(),
            elsewhere: HashMap::new(),
            computers: HashMap::new(),
            keys: HashMap::new(),
            products: HashMap::new(),
        }
    }

    /// Enters who and what the batch names.
    pub(super) fn enter(connection: &'c Connection, batch: &HistoryBatch) -> Result<Names<'c>> {
        let mut names = Names::new(connection);
        // Of whom a batch names more than once the last is what somebody is called.
        let people: BTreeMap<&str, _> = batch.people.iter().map(|it| (&*it.id, it)).collect();
        for it in people.into_values() {
            let id = names.person_named(&it.realm, &it.account, &it.name)?;
            names.people.insert(it.id.clone(), id);
        }
        let computers: BTreeMap<&str, _> = batch.computers.iter().map(|it| (&*it.id, it)).collect();
        for it in computers.into_values() {
            let id = names.computer_named(&it.key, Some(&it.name))?;
            names.computers.insert(it.id.clone(), id);
        }
        Ok(names)
    }

    /// The person with the server's surrogate; none: the server has forgotten the person.
    pub(super) fn person(&self, id: &str) -> Option<i64> {
        self.people.get(id).copied()
    }

    /// A person by the account that another licence server names.
    pub(crate) fn person_elsewhere(&mut self, account: &str) -> Result<i64> {
        if let Some(id) = self.elsewhere.get(account) {
            return Ok(*id);
        }
        let id = self.person_named(ELSEWHERE, account, account)?;
        self.elsewhere.insert(account.to_owned(), id);
        Ok(id)
    }

    /// Only what is new or changed is written: almost everybody is known by the name that is told.
    fn person_named(&self, realm: &str, account: &str, name: &str) -> Result<i64> {
        let known: Option<(i64, bool)> = self
            .connection
            .prepare_cached(
                "SELECT id, name = ?3 FROM history_people WHERE realm = ?1 AND account = ?2",
            )?
            .query_row(params![realm, account, name], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        if let Some((id, true)) = known {
            return Ok(id);
        }
        self.connection
            .prepare_cached(&format!(
                "INSERT INTO history_people (id, realm, account, name) \
                 VALUES ({SURROGATE}, ?1, ?2, ?3) \
                 ON CONFLICT (realm, account) DO UPDATE SET name = ?3 RETURNING id"
            ))?
            .query_row(params![realm, account, name], |row| row.get(0))
    }

    /// A computer by the server's surrogate; none: the server does not know which it was any more.
    pub(super) fn computer(&self, id: &str) -> Option<i64> {
        self.computers.get(id).copied()
    }

    /// A computer by the id that its agent made, or by its name if no agent told of it.
    pub(crate) fn computer_of(&mut self, key: &str) -> Result<i64> {
        match self.keys.get(key) {
            Some(id) => Ok(*id),
            None => self.computer_named(key, None),
        }
    }

    /// With the name that it has now; none: it keeps the one that it has, or is called by its key.
    fn computer_named(&mut self, key: &str, name: Option<&str>) -> Result<i64> {
        let known: Option<(i64, bool)> = self
            .connection
            .prepare_cached(
                "SELECT id, name = coalesce(?2, name) FROM history_computers WHERE key = ?1",
            )?
            .query_row(params![key, name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let id = match known {
            Some((id, true)) => id,
            _ => self.enter_computer(key, name.unwrap_or(key))?,
        };
        self.keys.insert(key.to_owned(), id);
        Ok(id)
    }

    fn enter_computer(&self, key: &str, name: &str) -> Result<i64> {
        self.connection
            .prepare_cached(&format!(
                "INSERT INTO history_computers (id, key, name) VALUES ({SURROGATE}, ?1, ?2) \
                 ON CONFLICT (key) DO UPDATE SET name = ?2 RETURNING id"
            ))?
            .query_row(params![key, name], |row| row.get(0))
    }

    /// A product.
    pub(crate) fn product(&mut self, id: &str) -> Result<i64> {
        if let Some(number) = self.products.get(id) {
            return Ok(*number);
        }
        let known: Option<i64> = self
            .connection
            .prepare_cached("SELECT number FROM history_products WHERE product = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => self
                .connection
                .prepare_cached(
                    "INSERT INTO history_products (product) VALUES (?1) RETURNING number",
                )?
                .query_row([id], |row| row.get(0))?,
        };
        self.products.insert(id.to_owned(), number);
        Ok(number)
    }
}
