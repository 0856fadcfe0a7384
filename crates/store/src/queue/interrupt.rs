//! Ends a query that nobody waits for any more.
//!
//! A query of the tables may read for long, and holds back the log's checkpoint while it does.
//! Whoever asked sets an [`Interrupt`] when its patience is over: the query ends at its next look.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

/// How many SQLite instructions run between two checks: well under a millisecond.
const LOOK_EVERY: i32 = 10_000;

thread_local! {
    static CURRENT: RefCell<Option<Interrupt>> = const { RefCell::new(None) };
}

/// A flag that ends queries. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Ends the queries within [`Interrupt::during`], also later ones.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Runs `work` on this thread; queries in it end when this is set.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Restore(Option<Interrupt>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(self.clone())));
        work()
    }
}

/// Runs a query under the interrupt of this thread, if it has one.
pub(crate) fn watched<T>(
    connection: &mut Connection,
    query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let Some(interrupt) = CURRENT.with_borrow(Clone::clone) else {
        return query(connection);
    };
    connection.progress_handler(LOOK_EVERY, Some(move || interrupt.is_set()))?;
    let done = query(connection);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                           SELECT count(*) FROM n";

    #[test]
    fn a_query_that_nobody_waits_for_ends_and_the_next_is_its_own() {
        let mut connection = Connection::open_in_memory().unwrap();
        let query = |text: &'static str| {
            move |connection: &Connection| {
                connection.query_row(text, [], |row| row.get::<_, i64>(0))
            }
        };
        let interrupt = Interrupt::default();
        std::thread::scope(|scope| {
            let setting = interrupt.clone();
            scope.spawn(move || setting.set());
            let ended = interrupt.during(|| watched(&mut connection, query(ENDLESS)));
            let code = ended.unwrap_err().sqlite_error_code();
            assert_eq!(code, Some(rusqlite::ErrorCode::OperationInterrupted));
        });
        assert_eq!(watched(&mut connection, query("SELECT 7")).unwrap(), 7);
    }
}
