//! What a row says, as columns: each kind has a table of its own.

use rusqlite::{Connection, Result, ToSql, params};

use super::rank::{Figures, WHOLE, of_end};
use super::{Became, FINISHED, Target, keyed, state};
use crate::columns::signed;
use crate::elsewhere::{
    Elsewhere, ElsewhereDenial, ElsewhereEntitlement, ElsewhereLevel, ElsewhereLimit,
    ElsewherePeak, ElsewhereRow, ElsewhereSilence, ElsewhereSum, ElsewhereUse, ElsewhereWait,
    Holder,
};
use crate::history::Names;

/// Takes in a row.
pub(super) fn take(
    connection: &Connection,
    target: Target,
    row: &ElsewhereRow,
    names: &mut Names<'_>,
) -> Result<Became> {
    let into = Taking {
        connection,
        target,
        key: &row.key,
    };
    match &row.what {
        Elsewhere::Use(it) => into.take_use(it, names),
        Elsewhere::Denial(it) => into.denial(it, names),
        Elsewhere::Wait(it) => into.wait(it, names),
        Elsewhere::Level(it) => into.level(it, names),
        Elsewhere::Sum(it) => into.sum(it, names),
        Elsewhere::Silence(it) => into.silence(it),
        Elsewhere::Peak(it) => into.peak(it, names),
        Elsewhere::Entitlement(it) => into.entitlement(it, names),
        Elsewhere::Limit(it) => into.limit(it, names),
    }
}

/// Where a row goes, and its key.
struct Taking<'r> {
    connection: &'r Connection,
    target: Target,
    key: &'r str,
}

impl Taking<'_> {
    fn keyed(
        &self,
        table: &'static str,
        rank: i64,
        columns: &[(&str, &dyn ToSql)],
    ) -> Result<Became> {
        let keyed = (self.key, rank);
        keyed::put(self.connection, self.target, table, keyed, columns)
    }

    fn state(&self, table: &'static str, columns: &[(&str, &dyn ToSql)]) -> Result<Became> {
        state::put(self.connection, self.target, table, self.key, columns)
    }

    fn take_use(&self, it: &ElsewhereUse, names: &mut Names<'_>) -> Result<Became> {
        let (person, computer) = holder(&it.holder, names)?;
        let columns: [(&str, &dyn ToSql); 10] = [
            ("product", &names.product(&it.product)?),
            ("person", &person),
            ("computer", &computer),
            ("seats", &it.seats),
            ("program", &it.program),
            ("version", &it.version),
            ("started_ms", &it.started_ms),
            ("ended_ms", &it.ended_ms),
            ("seen_ms", &it.seen_ms),
            ("ending", &it.ending),
        ];
        let rank = of_end(it.ended_ms, it.seen_ms);
        self.keyed("import_uses", rank, &columns)
    }

    fn denial(&self, it: &ElsewhereDenial, names: &mut Names<'_>) -> Result<Became> {
        let (person, computer) = holder(&it.holder, names)?;
        let columns: [(&str, &dyn ToSql); 8] = [
            ("product", &names.product(&it.product)?),
            ("person", &person),
            ("computer", &computer),
            ("seats", &it.seats),
            ("version", &it.version),
            ("at_ms", &it.at_ms),
            ("reason", &it.reason),
            ("words", &it.words),
        ];
        self.keyed("import_denials", WHOLE, &columns)
    }

    fn wait(&self, it: &ElsewhereWait, names: &mut Names<'_>) -> Result<Became> {
        let (person, computer) = holder(&it.holder, names)?;
        let columns: [(&str, &dyn ToSql); 8] = [
            ("product", &names.product(&it.product)?),
            ("person", &person),
            ("computer", &computer),
            ("seats", &it.seats),
            ("queued_ms", &it.queued_ms),
            ("ended_ms", &it.ended_ms),
            ("seen_ms", &it.seen_ms),
            ("granted", &it.granted),
        ];
        let rank = of_end(it.ended_ms, it.seen_ms);
        self.keyed("import_waits", rank, &columns)
    }

    fn level(&self, it: &ElsewhereLevel, names: &mut Names<'_>) -> Result<Became> {
        let columns: [(&str, &dyn ToSql); 8] = [
            ("product", &names.product(&it.product)?),
            ("server", &it.server),
            ("at_ms", &it.at_ms),
            ("issued", &it.issued.map(signed)),
            ("in_use", &it.in_use.map(signed)),
            ("reserved", &signed(it.reserved)),
            ("queued", &signed(it.queued)),
            ("trouble", &it.trouble),
        ];
        self.keyed("import_levels", WHOLE, &columns)
    }

    fn sum(&self, it: &ElsewhereSum, names: &mut Names<'_>) -> Result<Became> {
        let whose = Holder {
            user: it.user.clone().unwrap_or_default(),
            computer: it.computer.clone().unwrap_or_default(),
        };
        let (person, computer) = holder(&whose, names)?;
        let figures = Figures::of(it).or_more(self.known_sum()?);
        let columns: [(&str, &dyn ToSql); 10] = [
            ("product", &names.product(&it.product)?),
            ("person", &person),
            ("computer", &computer),
            ("version", &it.version),
            ("from_ms", &it.from_ms),
            ("to_ms", &it.to_ms),
            ("starts", &figures.starts),
            ("seconds", &figures.seconds),
            ("users", &figures.users),
            ("last_used_ms", &figures.last_used_ms),
        ];
        self.keyed("import_sums", figures.rank(), &columns)
    }

    /// The largest figures that count so far, or that this import has told.
    fn known_sum(&self) -> Result<Figures> {
        self.connection
            .prepare_cached(
                "SELECT max(t.starts), max(t.seconds), max(t.users), max(t.last_used_ms) \
                 FROM import_sums t JOIN imports i ON i.number = t.import \
                 WHERE t.source = ?1 AND t.key = ?2 AND (i.state = ?3 OR i.number = ?4)",
            )?
            .query_row(
                params![self.target.source, self.key, FINISHED, self.target.import],
                |row| {
                    Ok(Figures {
                        starts: row.get(0)?,
                        seconds: row.get(1)?,
                        users: row.get(2)?,
                        last_used_ms: row.get(3)?,
                    })
                },
            )
    }

    fn silence(&self, it: &ElsewhereSilence) -> Result<Became> {
        let columns: [(&str, &dyn ToSql); 5] = [
            ("from_ms", &it.from_ms),
            ("to_ms", &it.to_ms),
            ("server", &it.server),
            ("daemon", &it.daemon),
            ("why", &it.why),
        ];
        self.keyed("import_silences", WHOLE, &columns)
    }

    fn peak(&self, it: &ElsewherePeak, names: &mut Names<'_>) -> Result<Became> {
        let columns: [(&str, &dyn ToSql); 4] = [
            ("product", &product_of(it.product.as_deref(), names)?),
            ("daemon", &it.daemon),
            ("seats", &signed(it.seats)),
            ("at_ms", &it.at_ms),
        ];
        self.keyed("import_peaks", WHOLE, &columns)
    }

    fn entitlement(&self, it: &ElsewhereEntitlement, names: &mut Names<'_>) -> Result<Became> {
        let columns: [(&str, &dyn ToSql); 11] = [
            ("product", &names.product(&it.product)?),
            ("version", &it.version),
            ("seats", &it.seats),
            ("overdraft", &it.overdraft),
            ("from_day", &it.from_day),
            ("to_day", &it.to_day),
            ("grouping", &it.grouping),
            ("host_id", &it.host_id),
            ("components", &listed(&it.components)),
            ("set_aside", &it.set_aside),
            ("note", &it.note),
        ];
        self.state("import_entitlements", &columns)
    }

    fn limit(&self, it: &ElsewhereLimit, names: &mut Names<'_>) -> Result<Became> {
        let columns: [(&str, &dyn ToSql); 5] = [
            ("product", &product_of(it.product.as_deref(), names)?),
            ("rule", &it.rule),
            ("amount", &it.amount.map(signed)),
            ("whom", &it.whom),
            ("text", &it.text),
        ];
        self.state("import_limits", &columns)
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
