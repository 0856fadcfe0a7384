//! What the server has written down: sessions, leases and refusals.

use std::path::Path;

use super::products::PRODUCTS;

/// A use of a product.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) user: u32,
    pub(crate) product: usize,
    pub(crate) program: String,
    pub(crate) from_ms: i64,
    /// None: it is open.
    pub(crate) until_ms: Option<i64>,
    pub(crate) has_seat: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) product: usize,
    pub(crate) seats: u32,
    /// Their order in the ledger.
    pub(crate) granted: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) granted_ms: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Refusals {
    pub(crate) user: u32,
    pub(crate) product: usize,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
}

pub(crate) struct Books {
    pub(crate) sessions: Vec<Session>,
    pub(crate) leases: Vec<Lease>,
    pub(crate) refusals: Vec<Refusals>,
}

impl Books {
    /// Of a server that has ended.
    pub(crate) fn read(data: &Path) -> Books {
        let database = rusqlite::Connection::open(data.join("cache.db")).unwrap();
        let rows = |sql: &str| -> Vec<rusqlite::Result<Vec<rusqlite::types::Value>>> {
            let mut statement = database.prepare(sql).unwrap();
            let width = statement.column_count();
            let row = |row: &rusqlite::Row<'_>| (0..width).map(|at| row.get(at)).collect();
            statement.query_map([], row).unwrap().collect()
        };
        let rows = |sql: &str| -> Vec<Row> {
            let rows = rows(sql).into_iter();
            rows.map(|row| Row(row.unwrap())).collect()
        };
        let whose = "JOIN products p ON p.number = t.product JOIN subjects s ON s.id = t.subject";
        let sessions = rows(&format!(
            "SELECT s.name, p.id, t.program, t.started_at, t.ended_at, t.lease FROM uses t {whose} \
             ORDER BY t.started_at"
        ));
        let leases = rows(
            "SELECT p.id, t.seats, t.number, t.ended, t.granted_at FROM leases t \
             JOIN products p ON p.number = t.product",
        );
        let refusals = rows(&format!(
            "SELECT s.name, p.id, t.first_at, t.last_at FROM denials t {whose}"
        ));
        Books {
            sessions: sessions
                .iter()
                .map(|row| Session {
                    user: row.user(0),
                    product: row.product(1),
                    program: row.text(2).unwrap_or_default(),
                    from_ms: row.number(3).unwrap(),
                    until_ms: row.number(4),
                    has_seat: row.text(5).is_some(),
                })
                .collect(),
            leases: leases
                .iter()
                .map(|row| Lease {
                    product: row.product(0),
                    seats: u32::try_from(row.number(1).unwrap()).unwrap(),
                    granted: row.number(2).unwrap(),
                    ended: row.number(3),
                    granted_ms: row.number(4).unwrap(),
                })
                .collect(),
            refusals: refusals
                .iter()
                .map(|row| Refusals {
                    user: row.user(0),
                    product: row.product(1),
                    first_ms: row.number(2).unwrap(),
                    last_ms: row.number(3).unwrap(),
                })
                .collect(),
        }
    }
}

struct Row(Vec<rusqlite::types::Value>);

impl Row {
    fn number(&self, at: usize) -> Option<i64> {
        match &self.0[at] {
            rusqlite::types::Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    fn text(&self, at: usize) -> Option<String> {
        match &self.0[at] {
            rusqlite::types::Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// These accounts have no name but their number.
    fn user(&self, at: usize) -> u32 {
        self.text(at).unwrap().parse().unwrap()
    }

    fn product(&self, at: usize) -> usize {
        let id = self.text(at).unwrap();
        let mut products = PRODUCTS.iter();
        products.position(|product| product.id() == id).unwrap()
    }
}
