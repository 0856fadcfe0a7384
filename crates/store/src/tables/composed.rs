//! Product ids and computers' names of before names were composed: they become what requests say.
//!
//! A letter and its accent are one character (Unicode's NFC) in every name that a request brings, so
//! what an earlier build kept as two would not be found any more.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, params};
use usher_core::ledger::{Computer, ComputerId, ProductNumber};
use usher_core::names::composed;

use crate::base::columns::from_i64;

/// Products and computers as the tables and the journal have them, and what becomes of them.
#[derive(Debug, Default)]
pub(super) struct Names {
    products: BTreeMap<u64, Product>,
    computers: BTreeMap<u64, Box<str>>,
    /// New ids of products, by number.
    product_ids: BTreeMap<u64, Box<str>>,
    /// New keys of computers, by surrogate.
    keys: BTreeMap<u64, Box<str>>,
}

#[derive(Debug)]
struct Product {
    id: Box<str>,
    removed: bool,
}

impl Names {
    /// Those of the tables.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Names> {
        let mut names = Names::default();
        let mut statement = connection.prepare("SELECT number, id, removed FROM products")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            names.put_product(
                ProductNumber(from_i64(row.get(0)?)),
                &row.get::<_, String>(1)?,
                row.get(2)?,
            );
        }
        let mut statement = connection.prepare("SELECT id, key FROM computers")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = ComputerId(from_i64(row.get(0)?));
            names.put_computer(id, &row.get::<_, String>(1)?);
        }
        Ok(names)
    }

    /// A product of the journal, made or changed.
    pub(super) fn put_product(&mut self, number: ProductNumber, id: &str, removed: bool) {
        let id = id.into();
        self.products.insert(number.0, Product { id, removed });
    }

    /// A product of the journal, removed.
    pub(super) fn remove_product(&mut self, number: ProductNumber) {
        if let Some(product) = self.products.get_mut(&number.0) {
            product.removed = true;
        }
    }

    /// A computer of the journal.
    pub(super) fn put_computer(&mut self, id: ComputerId, key: &str) {
        self.computers.insert(id.0, key.into());
    }

    /// Composes all of them, in the tables. Of several products whose ids become one, the one that
    /// is there, and of these the one whose id is composed already, keeps the id; the others get
    /// `-2`, `-3` behind it and stay, with their seats and their history, under these. Of computers
    /// the one whose key is composed already, or that comes first, has it; the others keep theirs,
    /// and with it their history.
    pub(super) fn compose(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.choose_product_ids();
        self.choose_keys();
        // Two may exchange their ids: none of the old ones is in the way of a new one.
        let mut moved = connection.prepare("UPDATE products SET id = ?2 WHERE number = ?1")?;
        for number in self.product_ids.keys() {
            moved.execute(params![number.cast_signed(), format!("/{number}")])?;
        }
        for (number, id) in &self.product_ids {
            moved.execute(params![number.cast_signed(), id])?;
        }
        if !self.product_ids.is_empty() {
            // Agents have the policy of that version with the ids of before.
            connection.execute(
                "UPDATE meta SET value = max(value, (SELECT value - 1 FROM meta
                    WHERE key = 'filled_to')) WHERE key = 'catalogue_version'",
                [],
            )?;
        }
        let mut keyed = connection.prepare("UPDATE computers SET key = ?2 WHERE id = ?1")?;
        for (id, key) in &self.keys {
            keyed.execute(params![id.cast_signed(), key])?;
        }
        compose_names(connection)
    }

    fn choose_product_ids(&mut self) {
        let mut alike: HashMap<String, Vec<(bool, bool, u64)>> = HashMap::new();
        for (number, product) in &self.products {
            let id = composed(&product.id).into_owned();
            let is_other = id != *product.id;
            let places = alike.entry(id).or_default();
            places.push((product.removed, is_other, *number));
        }
        let mut taken: BTreeSet<String> = alike.keys().cloned().collect();
        let mut alike: Vec<_> = alike.into_iter().collect();
        alike.sort_unstable();
        for (id, mut places) in alike {
            places.sort_unstable();
            for (place, (_, _, number)) in places.into_iter().enumerate() {
                let new = match place {
                    0 => id.clone(),
                    _ => free(&id, &taken),
                };
                taken.insert(new.clone());
                let before = self.products.get(&number).map(|product| &*product.id);
                if before == Some(&*new) {
                    continue;
                }
                if place > 0 {
                    tracing::warn!(
                        product = %new, of = %id,
                        "two products had one id, in two ways to write its accents: the other one \
                         is this now"
                    );
                }
                self.product_ids.insert(number, new.into());
            }
        }
    }

    fn choose_keys(&mut self) {
        let mut taken: BTreeSet<Box<str>> = self.computers.values().cloned().collect();
        for (id, key) in &self.computers {
            let new: Box<str> = composed(key).into();
            if new != *key && taken.insert(new.clone()) {
                self.keys.insert(*id, new);
            }
        }
    }

    /// The id that a product has now.
    pub(super) fn product_id(&self, number: ProductNumber) -> Option<&str> {
        self.product_ids.get(&number.0).map(|id| &**id)
    }

    /// A computer as it is called now; none if that is as before.
    pub(super) fn computer(&self, computer: &Computer) -> Option<Computer> {
        let name = composed(&computer.name);
        let key = self.keys.get(&computer.id.0);
        if key.is_none() && name == *computer.name {
            return None;
        }
        Some(Computer {
            key: key.map_or_else(|| computer.key.clone(), |key| (&**key).into()),
            name: name.into(),
            ..computer.clone()
        })
    }
}

/// The first of `id-2`, `id-3` ... that no product has.
fn free(id: &str, taken: &BTreeSet<String>) -> String {
    let mut number = 2_u64;
    loop {
        let name = format!("{id}-{number}");
        if !taken.contains(&name) {
            return name;
        }
        number += 1;
    }
}

/// What computers are called; several may be called alike.
fn compose_names(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare("SELECT id, name FROM computers WHERE name GLOB '*[^ -~]*'")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut named = connection.prepare("UPDATE computers SET name = ?2 WHERE id = ?1")?;
    for (id, name) in rows {
        let new = composed(&name);
        if new != name {
            named.execute(params![id, &*new])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
