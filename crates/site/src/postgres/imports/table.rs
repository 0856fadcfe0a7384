//! The tables of rows that imports bring, and how many rows are put into one at once.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Arrays, Param};

/// A column, and its type.
type Column = (&'static str, &'static str);

/// A table, and its columns behind those that say whose row it is.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
}

/// A row of one: the values of those columns.
pub(super) struct Row<'k> {
    pub(super) key: &'k str,
    /// How much is known.
    pub(super) rank: i64,
    pub(super) values: Vec<Param>,
}

impl Table {
    /// Puts rows in, whose values begin with those of `own`; with `more` behind the statement. `take` is
    /// called with each row of the answer, if there is one.
    pub(super) fn insert(
        &self,
        db: &Db,
        own: &[Column],
        rows: &[Vec<Param>],
        more: &str,
        mut take: impl FnMut(String),
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let all = || own.iter().chain(self.columns);
        let names: Vec<&str> = all().map(|(name, _)| *name).collect();
        let arrays = (1..).zip(all());
        let arrays: Vec<String> = arrays
            .map(|(place, (_, of))| format!("${place}::{of}[]"))
            .collect();
        let (table, names, arrays) = (self.name, names.join(", "), arrays.join(", "));
        let sql = format!("INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) {more}");
        db.each(&sql, Arrays::of(rows).params(), |row| {
            take(row.get(0)?);
            Ok(())
        })
    }
}

pub(super) const USES: Table = Table {
    name: "import_uses",
    columns: &[
        ("product", "bigint"),
        ("person", "bigint"),
        ("computer", "bigint"),
        ("seats", "bigint"),
        ("program", "text"),
        ("version", "text"),
        ("started_ms", "bigint"),
        ("ended_ms", "bigint"),
        ("seen_ms", "bigint"),
        ("ending", "text"),
    ],
};

pub(super) const DENIALS: Table = Table {
    name: "import_denials",
    columns: &[
        ("product", "bigint"),
        ("person", "bigint"),
        ("computer", "bigint"),
        ("seats", "bigint"),
        ("version", "text"),
        ("at_ms", "bigint"),
        ("reason", "text"),
        ("words", "text"),
    ],
};

pub(super) const WAITS: Table = Table {
    name: "import_waits",
    columns: &[
        ("product", "bigint"),
        ("person", "bigint"),
        ("computer", "bigint"),
        ("seats", "bigint"),
        ("queued_ms", "bigint"),
        ("ended_ms", "bigint"),
        ("seen_ms", "bigint"),
        ("granted", "boolean"),
    ],
};

pub(super) const LEVELS: Table = Table {
    name: "import_levels",
    columns: &[
        ("product", "bigint"),
        ("server", "text"),
        ("at_ms", "bigint"),
        ("issued", "bigint"),
        ("in_use", "bigint"),
        ("reserved", "bigint"),
        ("queued", "bigint"),
        ("trouble", "text"),
    ],
};

pub(super) const SUMS: Table = Table {
    name: "import_sums",
    columns: &[
        ("product", "bigint"),
        ("person", "bigint"),
        ("computer", "bigint"),
        ("version", "text"),
        ("from_ms", "bigint"),
        ("to_ms", "bigint"),
        ("starts", "bigint"),
        ("seconds", "bigint"),
        ("users", "bigint"),
        ("last_used_ms", "bigint"),
    ],
};

pub(super) const SILENCES: Table = Table {
    name: "import_silences",
    columns: &[
        ("from_ms", "bigint"),
        ("to_ms", "bigint"),
        ("server", "text"),
        ("daemon", "text"),
        ("why", "text"),
    ],
};

pub(super) const PEAKS: Table = Table {
    name: "import_peaks",
    columns: &[
        ("product", "bigint"),
        ("daemon", "text"),
        ("seats", "bigint"),
        ("at_ms", "bigint"),
    ],
};

pub(super) const ENTITLEMENTS: Table = Table {
    name: "import_entitlements",
    columns: &[
        ("product", "bigint"),
        ("version", "text"),
        ("seats", "bigint"),
        ("overdraft", "bigint"),
        ("from_day", "text"),
        ("to_day", "text"),
        ("grouping", "text"),
        ("host_id", "text"),
        ("components", "text"),
        ("set_aside", "text"),
        ("note", "text"),
    ],
};

pub(super) const LIMITS: Table = Table {
    name: "import_limits",
    columns: &[
        ("product", "bigint"),
        ("rule", "text"),
        ("amount", "bigint"),
        ("whom", "text"),
        ("text", "text"),
    ],
};
