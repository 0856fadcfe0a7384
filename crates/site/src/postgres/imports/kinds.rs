//! What rows say, as columns: each kind has a table of its own, into which those of a body are put together.

use std::collections::{BTreeSet, HashMap};

use super::super::db::Db;
use super::super::failure::Result;
use super::super::history::Names;
use super::super::values::{Param, params};
use super::table::{self, Row};
use super::{keyed, state};
use crate::columns::signed;
use crate::elsewhere::{Elsewhere, ElsewhereRow, ElsewhereSum, Holder};
use crate::imports::{Counts, FINISHED, Figures, Target, WHOLE, of_end};

/// Takes in the rows of a body, in their order.
pub(super) fn take(db: &Db, target: Target, rows: &[ElsewhereRow]) -> Result<Counts> {
    let mut sorted = Sorted {
        names: names(db, rows)?,
        sums_known: known_sums(db, target, rows)?,
        uses: Vec::new(),
        denials: Vec::new(),
        waits: Vec::new(),
        levels: Vec::new(),
        sums: Vec::new(),
        silences: Vec::new(),
        peaks: Vec::new(),
        entitlements: Vec::new(),
        limits: Vec::new(),
    };
    for row in rows {
        sorted.add(row)?;
    }
    let mut counts = Counts::default();
    for (table, rows) in [
        (&table::USES, &sorted.uses),
        (&table::DENIALS, &sorted.denials),
        (&table::WAITS, &sorted.waits),
        (&table::LEVELS, &sorted.levels),
        (&table::SUMS, &sorted.sums),
        (&table::SILENCES, &sorted.silences),
        (&table::PEAKS, &sorted.peaks),
    ] {
        keyed::put(db, target, table, rows, &mut counts)?;
    }
    for (table, rows) in [
        (&table::ENTITLEMENTS, &sorted.entitlements),
        (&table::LIMITS, &sorted.limits),
    ] {
        state::put(db, target, table, rows, &mut counts)?;
    }
    Ok(counts)
}

/// Rows by their tables.
struct Sorted<'r, 'd> {
    names: Names<'d>,
    /// The largest figures of each key of a sum so far.
    sums_known: HashMap<&'r str, Figures>,
    uses: Vec<Row<'r>>,
    denials: Vec<Row<'r>>,
    waits: Vec<Row<'r>>,
    levels: Vec<Row<'r>>,
    sums: Vec<Row<'r>>,
    silences: Vec<Row<'r>>,
    peaks: Vec<Row<'r>>,
    entitlements: Vec<Row<'r>>,
    limits: Vec<Row<'r>>,
}

impl<'r> Sorted<'r, '_> {
    /// The values are in the order of the columns of [`table`].
    fn add(&mut self, row: &'r ElsewhereRow) -> Result<()> {
        let names = &mut self.names;
        let (to, rank, values): (_, _, Vec<Param>) = match &row.what {
            Elsewhere::Use(it) => {
                let (person, computer) = holder(&it.holder, names)?;
                let values = params![
                    names.product(&it.product)?,
                    person,
                    computer,
                    it.seats,
                    it.program,
                    it.version,
                    it.started_ms,
                    it.ended_ms,
                    it.seen_ms,
                    it.ending
                ];
                let rank = of_end(it.ended_ms, it.seen_ms);
                (&mut self.uses, rank, values.to_vec())
            }
            Elsewhere::Denial(it) => {
                let (person, computer) = holder(&it.holder, names)?;
                let values = params![
                    names.product(&it.product)?,
                    person,
                    computer,
                    it.seats,
                    it.version,
                    it.at_ms,
                    it.reason,
                    it.words
                ];
                (&mut self.denials, WHOLE, values.to_vec())
            }
            Elsewhere::Wait(it) => {
                let (person, computer) = holder(&it.holder, names)?;
                let values = params![
                    names.product(&it.product)?,
                    person,
                    computer,
                    it.seats,
                    it.queued_ms,
                    it.ended_ms,
                    it.seen_ms,
                    it.granted
                ];
                let rank = of_end(it.ended_ms, it.seen_ms);
                (&mut self.waits, rank, values.to_vec())
            }
            Elsewhere::Level(it) => {
                let values = params![
                    names.product(&it.product)?,
                    it.server,
                    it.at_ms,
                    it.issued.map(signed),
                    it.in_use.map(signed),
                    signed(it.reserved),
                    signed(it.queued),
                    it.trouble
                ];
                (&mut self.levels, WHOLE, values.to_vec())
            }
            Elsewhere::Sum(it) => {
                let (person, computer) = holder(&whose(it), names)?;
                let known = self.sums_known.entry(&row.key).or_default();
                let figures = Figures::of(it).or_more(*known);
                *known = figures;
                let values = params![
                    names.product(&it.product)?,
                    person,
                    computer,
                    it.version,
                    it.from_ms,
                    it.to_ms,
                    figures.starts,
                    figures.seconds,
                    figures.users,
                    figures.last_used_ms
                ];
                (&mut self.sums, figures.rank(), values.to_vec())
            }
            Elsewhere::Silence(it) => {
                let values = params![it.from_ms, it.to_ms, it.server, it.daemon, it.why];
                (&mut self.silences, WHOLE, values.to_vec())
            }
            Elsewhere::Peak(it) => {
                let values = params![
                    product_of(it.product.as_deref(), names)?,
                    it.daemon,
                    signed(it.seats),
                    it.at_ms
                ];
                (&mut self.peaks, WHOLE, values.to_vec())
            }
            Elsewhere::Entitlement(it) => {
                let values = params![
                    names.product(&it.product)?,
                    it.version,
                    it.seats,
                    it.overdraft,
                    it.from_day,
                    it.to_day,
                    it.grouping,
                    it.host_id,
                    listed(&it.components),
                    it.set_aside,
                    it.note
                ];
                (&mut self.entitlements, WHOLE, values.to_vec())
            }
            Elsewhere::Limit(it) => {
                let values = params![
                    product_of(it.product.as_deref(), names)?,
                    it.rule,
                    it.amount.map(signed),
                    it.whom,
                    it.text
                ];
                (&mut self.limits, WHOLE, values.to_vec())
            }
        };
        to.push(Row {
            key: &row.key,
            rank,
            values,
        });
        Ok(())
    }
}

/// Enters what all of these rows name.
fn names<'d>(db: &'d Db, rows: &[ElsewhereRow]) -> Result<Names<'d>> {
    let mut people: BTreeSet<&str> = BTreeSet::new();
    let mut computers: BTreeSet<&str> = BTreeSet::new();
    let mut products: BTreeSet<&str> = BTreeSet::new();
    for row in rows {
        let (product, user, computer) = match &row.what {
            Elsewhere::Use(it) => named(&it.product, &it.holder),
            Elsewhere::Denial(it) => named(&it.product, &it.holder),
            Elsewhere::Wait(it) => named(&it.product, &it.holder),
            Elsewhere::Sum(it) => {
                let (user, computer) = (it.user.as_deref(), it.computer.as_deref());
                (Some(&*it.product), user, computer)
            }
            Elsewhere::Level(it) => (Some(&*it.product), None, None),
            Elsewhere::Entitlement(it) => (Some(&*it.product), None, None),
            Elsewhere::Peak(it) => (it.product.as_deref(), None, None),
            Elsewhere::Limit(it) => (it.product.as_deref(), None, None),
            Elsewhere::Silence(_) => (None, None, None),
        };
        products.extend(product);
        people.extend(user.filter(|user| !user.is_empty()));
        computers.extend(computer.filter(|computer| !computer.is_empty()));
    }
    let mut names = Names::new(db);
    names.enter_elsewhere(&people, &computers, &products)?;
    Ok(names)
}

type Named<'r> = (Option<&'r str>, Option<&'r str>, Option<&'r str>);

fn named<'r>(product: &'r str, holder: &'r Holder) -> Named<'r> {
    (Some(product), Some(&*holder.user), Some(&*holder.computer))
}

/// The largest figures of sums that count so far, or that this import has told.
fn known_sums<'r>(
    db: &Db,
    target: Target,
    rows: &'r [ElsewhereRow],
) -> Result<HashMap<&'r str, Figures>> {
    let sums = rows
        .iter()
        .filter(|row| matches!(row.what, Elsewhere::Sum(_)));
    let keys: BTreeSet<&str> = sums.map(|row| &*row.key).collect();
    let mut known = HashMap::with_capacity(keys.len());
    if keys.is_empty() {
        return Ok(known);
    }
    let sql = "SELECT t.key, max(t.starts), max(t.seconds), max(t.users), max(t.last_used_ms) \
               FROM import_sums t JOIN imports i ON i.number = t.import \
               WHERE t.source = $1 AND t.key = ANY ($2::text[]) \
               AND (i.state = $3 OR i.number = $4) GROUP BY t.key";
    let mut values = params![target.source].to_vec();
    values.push(keyed::texts(keys.iter().copied()));
    values.extend(params![FINISHED, target.import]);
    db.each(sql, &values, |row| {
        let key: String = row.get(0)?;
        let figures = Figures {
            starts: row.get(1)?,
            seconds: row.get(2)?,
            users: row.get(3)?,
            last_used_ms: row.get(4)?,
        };
        if let Some(key) = keys.get(&*key) {
            known.insert(*key, figures);
        }
        Ok(())
    })?;
    Ok(known)
}

/// Whose sum it is.
fn whose(it: &ElsewhereSum) -> Holder {
    Holder {
        user: it.user.clone().unwrap_or_default(),
        computer: it.computer.clone().unwrap_or_default(),
    }
}

/// The site's numbers for a person and a computer; none for those that the file does not name.
fn holder(holder: &Holder, names: &mut Names<'_>) -> Result<(Option<i64>, Option<i64>)> {
    let person = match &*holder.user {
        "" => None,
        account => Some(names.person_elsewhere(account)?),
    };
    let computer = match &*holder.computer {
        "" => None,
        name => Some(names.computer_of(name)?),
    };
    Ok((person, computer))
}

fn product_of(product: Option<&str>, names: &mut Names<'_>) -> Result<Option<i64>> {
    product.map(|id| names.product(id)).transpose()
}

fn listed(texts: &[String]) -> String {
    serde_json::to_string(texts).unwrap_or_default()
}
