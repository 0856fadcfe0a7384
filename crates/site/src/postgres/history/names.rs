//! The names in a batch: each gets a surrogate of the site's, the same from whatever server or file it
//! comes. Those of a batch are looked up and entered together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::db::Db;
use super::super::failure::{Error, Result};
use super::super::values::{Arrays, Param, params};
use crate::collected::{Ended, HistoryBatch};
use crate::history::ELSEWHERE;

/// The site's numbers for what a batch names.
pub(in crate::postgres) struct Names<'d> {
    db: &'d Db,
    people: HashMap<String, i64>,
    elsewhere: HashMap<String, i64>,
    computers: HashMap<String, i64>,
    keys: HashMap<String, i64>,
    products: HashMap<String, i64>,
}

/// SQL for a random surrogate, which reveals nothing, not even the order of arrival. It is never 0: of a
/// random UUID one digit is always 4.
const SURROGATE: &str = "('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint \
     & 9223372036854775807";

impl<'d> Names<'d> {
    /// Has looked up no name yet.
    pub(in crate::postgres) fn new(db: &'d Db) -> Names<'d> {
        Names {
            db,
            people: HashMap::new(),
            elsewhere: HashMap::new(),
            computers: HashMap::new(),
            keys: HashMap::new(),
            products: HashMap::new(),
        }
    }

    /// Enters who and what the batch names.
    pub(super) fn enter(db: &'d Db, batch: &HistoryBatch) -> Result<Names<'d>> {
        let mut names = Names::new(db);
        let people = batch.people.iter();
        // What comes last is what somebody is called.
        let named: BTreeMap<_, _> = people
            .map(|it| ((&*it.realm, &*it.account), &*it.name))
            .collect();
        let ids = people_named(db, &named)?;
        for it in &batch.people {
            let id = ids.get(&(it.realm.clone(), it.account.clone()));
            names
                .people
                .insert(it.id.clone(), *id.ok_or(Error::Missing)?);
        }
        let computers = batch.computers.iter();
        let mut named: BTreeMap<&str, Option<&str>> =
            computers.map(|it| (&*it.key, Some(&*it.name))).collect();
        for item in &batch.items {
            if let Ended::Session(it) = &item.what {
                named.entry(&it.key.computer).or_default();
            }
        }
        names.keys = computers_named(db, &named)?;
        for it in &batch.computers {
            let id = names.keys.get(&it.key).ok_or(Error::Missing)?;
            names.computers.insert(it.id.clone(), *id);
        }
        let products: BTreeSet<&str> = batch.items.iter().map(|it| &*it.product).collect();
        names.products = products_named(db, &products)?;
        Ok(names)
    }

    /// Enters what rows of another licence server name, all of it together.
    pub(in crate::postgres) fn enter_elsewhere(
        &mut self,
        people: &BTreeSet<&str>,
        computers: &BTreeSet<&str>,
        products: &BTreeSet<&str>,
    ) -> Result<()> {
        let named = people.iter();
        let named = named.map(|account| ((ELSEWHERE, *account), *account));
        for ((_, account), id) in people_named(self.db, &named.collect())? {
            self.elsewhere.insert(account, id);
        }
        let named = computers.iter().map(|key| (*key, None)).collect();
        self.keys.extend(computers_named(self.db, &named)?);
        self.products.extend(products_named(self.db, products)?);
        Ok(())
    }

    /// The person with the server's surrogate; none: the server has forgotten the person.
    pub(super) fn person(&self, id: &str) -> Option<i64> {
        self.people.get(id).copied()
    }

    /// A person by the account that another licence server names.
    pub(in crate::postgres) fn person_elsewhere(&mut self, account: &str) -> Result<i64> {
        if let Some(id) = self.elsewhere.get(account) {
            return Ok(*id);
        }
        let named = BTreeMap::from([((ELSEWHERE, account), account)]);
        let ids = people_named(self.db, &named)?;
        let id = ids.into_values().next().ok_or(Error::Missing)?;
        self.elsewhere.insert(account.to_owned(), id);
        Ok(id)
    }

    /// A computer by the server's surrogate; none: the server does not know which it was any more.
    pub(super) fn computer(&self, id: &str) -> Option<i64> {
        self.computers.get(id).copied()
    }

    /// A computer by the id that its agent made, or by its name if no agent told of it.
    pub(in crate::postgres) fn computer_of(&mut self, key: &str) -> Result<i64> {
        if let Some(id) = self.keys.get(key) {
            return Ok(*id);
        }
        let ids = computers_named(self.db, &BTreeMap::from([(key, None)]))?;
        let id = *ids.get(key).ok_or(Error::Missing)?;
        self.keys.insert(key.to_owned(), id);
        Ok(id)
    }

    /// A product.
    pub(in crate::postgres) fn product(&mut self, id: &str) -> Result<i64> {
        if let Some(number) = self.products.get(id) {
            return Ok(*number);
        }
        let numbers = products_named(self.db, &BTreeSet::from([id]))?;
        let number = *numbers.get(id).ok_or(Error::Missing)?;
        self.products.insert(id.to_owned(), number);
        Ok(number)
    }
}

type People<'n> = BTreeMap<(&'n str, &'n str), &'n str>;

/// The surrogates of people by realm and account, with the name that each has now. Only what is new or
/// changed is written.
fn people_named(db: &Db, named: &People<'_>) -> Result<HashMap<(String, String), i64>> {
    let mut ids = HashMap::new();
    if named.is_empty() {
        return Ok(ids);
    }
    let keys: Vec<Vec<Param>> = named
        .keys()
        .map(|(realm, account)| params![realm, account].to_vec())
        .collect();
    let sql = "SELECT p.realm, p.account, p.name, p.id \
               FROM unnest($1::text[], $2::text[]) AS k(realm, account) \
               JOIN history_people p ON p.realm = k.realm AND p.account = k.account";
    db.each(sql, Arrays::of(&keys).params(), |row| {
        let (realm, account, name): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        if named.get(&(&*realm, &*account)) == Some(&&*name) {
            ids.insert((realm, account), row.get(3)?);
        }
        Ok(())
    })?;
    let missing = named
        .iter()
        .filter(|((realm, account), _)| {
            !ids.contains_key(&((*realm).to_owned(), (*account).to_owned()))
        })
        .map(|((realm, account), name)| params![realm, account, name].to_vec());
    let missing: Vec<Vec<Param>> = missing.collect();
    if missing.is_empty() {
        return Ok(ids);
    }
    let sql = format!(
        "INSERT INTO history_people (id, realm, account, name) \
         SELECT {SURROGATE}, * FROM unnest($1::text[], $2::text[], $3::text[]) \
         ON CONFLICT (realm, account) DO UPDATE SET name = excluded.name \
         RETURNING realm, account, id"
    );
    db.each(&sql, Arrays::of(&missing).params(), |row| {
        ids.insert((row.get(0)?, row.get(1)?), row.get(2)?);
        Ok(())
    })?;
    Ok(ids)
}

/// The surrogates of computers by their keys, with the name that each has now; none: it keeps the one
/// that it has, or is called by its key.
fn computers_named(db: &Db, named: &BTreeMap<&str, Option<&str>>) -> Result<HashMap<String, i64>> {
    let mut ids = HashMap::new();
    if named.is_empty() {
        return Ok(ids);
    }
    let keys: Vec<Vec<Param>> = named.keys().map(|key| params![key].to_vec()).collect();
    let sql = "SELECT c.key, c.name, c.id FROM unnest($1::text[]) AS k(key) \
               JOIN history_computers c ON c.key = k.key";
    db.each(sql, Arrays::of(&keys).params(), |row| {
        let (key, name): (String, String) = (row.get(0)?, row.get(1)?);
        let wanted = named.get(&*key).copied().flatten();
        if wanted.is_none_or(|wanted| wanted == name) {
            ids.insert(key, row.get(2)?);
        }
        Ok(())
    })?;
    let missing = named.iter().filter(|(key, _)| !ids.contains_key(**key));
    let missing: Vec<Vec<Param>> = missing
        .map(|(key, name)| params![key, name.unwrap_or(key)].to_vec())
        .collect();
    if missing.is_empty() {
        return Ok(ids);
    }
    let sql = format!(
        "INSERT INTO history_computers (id, key, name) \
         SELECT {SURROGATE}, * FROM unnest($1::text[], $2::text[]) \
         ON CONFLICT (key) DO UPDATE SET name = excluded.name RETURNING key, id"
    );
    db.each(&sql, Arrays::of(&missing).params(), |row| {
        ids.insert(row.get(0)?, row.get(1)?);
        Ok(())
    })?;
    Ok(ids)
}

/// The numbers of products.
fn products_named(db: &Db, named: &BTreeSet<&str>) -> Result<HashMap<String, i64>> {
    let mut numbers = HashMap::new();
    if named.is_empty() {
        return Ok(numbers);
    }
    let rows: Vec<Vec<Param>> = named.iter().map(|id| params![id].to_vec()).collect();
    let sql = "SELECT p.product, p.number FROM unnest($1::text[]) AS k(product) \
               JOIN history_products p ON p.product = k.product";
    db.each(sql, Arrays::of(&rows).params(), |row| {
        numbers.insert(row.get(0)?, row.get(1)?);
        Ok(())
    })?;
    let missing = named.iter().filter(|id| !numbers.contains_key(**id));
    let missing: Vec<Vec<Param>> = missing.map(|id| params![id].to_vec()).collect();
    if missing.is_empty() {
        return Ok(numbers);
    }
    let sql = "INSERT INTO history_products (product) SELECT * FROM unnest($1::text[]) \
               ON CONFLICT (product) DO UPDATE SET product = excluded.product \
               RETURNING product, number";
    db.each(sql, Arrays::of(&missing).params(), |row| {
        numbers.insert(row.get(0)?, row.get(1)?);
        Ok(())
    })?;
    Ok(numbers)
}
