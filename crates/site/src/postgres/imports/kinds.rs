//! What a row says, as columns: each kind has a table of its own.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::history::Names;
use super::super::values::{Param, ToParam, params};
use super::{keyed, state};
use crate::columns::signed;
use crate::elsewhere::{
    Elsewhere, ElsewhereDenial, ElsewhereEntitlement, ElsewhereLevel, ElsewhereLimit,
    ElsewherePeak, ElsewhereRow, ElsewhereSilence, ElsewhereSum, ElsewhereUse, ElsewhereWait,
    Holder,
};
use crate::imports::{Became, FINISHED, Figures, Target, WHOLE, of_end};

/// Takes in a row.
pub(super) fn take(
    db: &Db,
    target: Target,
    row: &ElsewhereRow,
    names: &mut Names<'_>,
) -> Result<Became> {
    let into = Taking {
        db,
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
    db: &'r Db,
    target: Target,
    key: &'r str,
}

impl Taking<'_> {
    fn keyed(&self, table: &'static str, rank: i64, columns: &[(&str, Param)]) -> Result<Became> {
        let keyed = (self.key, rank);
        keyed::put(self.db, self.target, table, keyed, columns)
    }

    fn state(&self, table: &'static str, columns: &[(&str, Param)]) -> Result<Became> {
        state::put(self.db, self.target, table, self.key, columns)
    }

    fn take_use(&self, it: &ElsewhereUse, names: &mut Names<'_>) -> Result<Became> {
        let (person, computer) = holder(&it.holder, names)?;
        let columns: [(&str, Param); 10] = [
            ("product", names.product(&it.product)?.to_param()),
            ("person", person.to_param()),
            ("computer", computer.to_param()),
            ("seats", it.seats.to_param()),
            ("program", it.program.to_param()),
            ("version", it.version.to_param()),
            ("started_ms", it.started_ms.to_param()),
            ("ended_ms", it.ended_ms.to_param()),
            ("seen_ms", it.seen_ms.to_param()),
            ("ending", it.ending.to_param()),
        ];
        let rank = of_end(it.ended_ms, it.seen_ms);
        self.keyed("import_uses", rank, &columns)
    }

    fn denial(&self, it: &ElsewhereDenial, names: &mut Names<'_>) -> Result<Became> {
        let (person, computer) = holder(&it.holder, names)?;
        let columns: [(&str, Param); 8] = [
            ("product", names.product(&it.product)?.to_param()),
            ("person", person.to_param()),
            ("computer", computer.to_param()),
            ("seats", it.seats.to_param()),
            ("version", it.version.to_param()),
            ("at_ms", it.at_ms.to_param()),
            ("reason", it.reason.to_param()),
            ("words", it.words.to_param()),
        ];
        self.keyed("import_denials", WHOLE, &columns)
    }

    fn wait(&self, it: &ElsewhereWait, names: &mut Names<'_>) -> Result<Became> {
        let (person, computer) = holder(&it.holder, names)?;
        let columns: [(&str, Param); 8] = [
            ("product", names.product(&it.product)?.to_param()),
            ("person", person.to_param()),
            ("computer", computer.to_param()),
            ("seats", it.seats.to_param()),
            ("queued_ms", it.queued_ms.to_param()),
            ("ended_ms", it.ended_ms.to_param()),
            ("seen_ms", it.seen_ms.to_param()),
            ("granted", it.granted.to_param()),
        ];
        let rank = of_end(it.ended_ms, it.seen_ms);
        self.keyed("import_waits", rank, &columns)
    }

    fn level(&self, it: &ElsewhereLevel, names: &mut Names<'_>) -> Result<Became> {
        let columns: [(&str, Param); 8] = [
            ("product", names.product(&it.product)?.to_param()),
            ("server", it.server.to_param()),
            ("at_ms", it.at_ms.to_param()),
            ("issued", it.issued.map(signed).to_param()),
            ("in_use", it.in_use.map(signed).to_param()),
            ("reserved", signed(it.reserved).to_param()),
            ("queued", signed(it.queued).to_param()),
            ("trouble", it.trouble.to_param()),
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
        let columns: [(&str, Param); 10] = [
            ("product", names.product(&it.product)?.to_param()),
            ("person", person.to_param()),
            ("computer", computer.to_param()),
            ("version", it.version.to_param()),
            ("from_ms", it.from_ms.to_param()),
            ("to_ms", it.to_ms.to_param()),
            ("starts", figures.starts.to_param()),
            ("seconds", figures.seconds.to_param()),
            ("users", figures.users.to_param()),
            ("last_used_ms", figures.last_used_ms.to_param()),
        ];
        self.keyed("import_sums", figures.rank(), &columns)
    }

    /// The largest figures that count so far, or that this import has told.
    fn known_sum(&self) -> Result<Figures> {
        let sql = "SELECT max(t.starts), max(t.seconds), max(t.users), max(t.last_used_ms) \
                   FROM import_sums t JOIN imports i ON i.number = t.import \
                   WHERE t.source = $1 AND t.key = $2 AND (i.state = $3 OR i.number = $4)";
        let values = params![self.target.source, self.key, FINISHED, self.target.import];
        self.db.one(sql, &values, |row| {
            Ok(Figures {
                starts: row.get(0)?,
                seconds: row.get(1)?,
                users: row.get(2)?,
                last_used_ms: row.get(3)?,
            })
        })
    }

    fn silence(&self, it: &ElsewhereSilence) -> Result<Became> {
        let columns: [(&str, Param); 5] = [
            ("from_ms", it.from_ms.to_param()),
            ("to_ms", it.to_ms.to_param()),
            ("server", it.server.to_param()),
            ("daemon", it.daemon.to_param()),
            ("why", it.why.to_param()),
        ];
        self.keyed("import_silences", WHOLE, &columns)
    }

    fn peak(&self, it: &ElsewherePeak, names: &mut Names<'_>) -> Result<Became> {
        let columns: [(&str, Param); 4] = [
            (
                "product",
                product_of(it.product.as_deref(), names)?.to_param(),
            ),
            ("daemon", it.daemon.to_param()),
            ("seats", signed(it.seats).to_param()),
            ("at_ms", it.at_ms.to_param()),
        ];
        self.keyed("import_peaks", WHOLE, &columns)
    }

    fn entitlement(&self, it: &ElsewhereEntitlement, names: &mut Names<'_>) -> Result<Became> {
        let columns: [(&str, Param); 11] = [
            ("product", names.product(&it.product)?.to_param()),
            ("version", it.version.to_param()),
            ("seats", it.seats.to_param()),
            ("overdraft", it.overdraft.to_param()),
            ("from_day", it.from_day.to_param()),
            ("to_day", it.to_day.to_param()),
            ("grouping", it.grouping.to_param()),
            ("host_id", it.host_id.to_param()),
            ("components", listed(&it.components).to_param()),
            ("set_aside", it.set_aside.to_param()),
            ("note", it.note.to_param()),
        ];
        self.state("import_entitlements", &columns)
    }

    fn limit(&self, it: &ElsewhereLimit, names: &mut Names<'_>) -> Result<Became> {
        let columns: [(&str, Param); 5] = [
            (
                "product",
                product_of(it.product.as_deref(), names)?.to_param(),
            ),
            ("rule", it.rule.to_param()),
            ("amount", it.amount.map(signed).to_param()),
            ("whom", it.whom.to_param()),
            ("text", it.text.to_param()),
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
