//! Tickets that nobody waits with any more, until the server has been told so.

use super::{Change, Outbox, Result};

/// How many tickets that are still to be left are kept; beyond, the oldest are deleted: they lapsed
/// long ago.
const LIMIT: i64 = 1_024;

impl Change<'_> {
    /// A place in the queue is to be left.
    pub(crate) fn leave_ticket(&self, ticket: &str) -> Result<()> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO left_tickets (ticket) VALUES (?1)")?
            .execute([ticket])?;
        self.connection
            .prepare_cached(
                "DELETE FROM left_tickets
                 WHERE rowid <= (SELECT max(rowid) FROM left_tickets) - ?1",
            )?
            .execute([LIMIT])?;
        Ok(())
    }

    /// The place was left, or is not to be left any more.
    pub(crate) fn ticket_is_left(&self, ticket: &str) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM left_tickets WHERE ticket = ?1")?
            .execute([ticket])?;
        Ok(())
    }
}

impl Outbox {
    /// The tickets to be left, the oldest first.
    pub(crate) fn left_tickets(&self) -> Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT ticket FROM left_tickets ORDER BY rowid")?;
        let tickets = statement.query_map([], |row| row.get(0))?;
        Ok(tickets.collect::<rusqlite::Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_to_leave_outlast_the_agent_and_have_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let left = |outbox: &Outbox| outbox.left_tickets().unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        let leave = |outbox: &mut Outbox, ticket: &str| {
            outbox.change(|change| change.leave_ticket(ticket)).unwrap();
        };
        leave(&mut outbox, "T1");
        leave(&mut outbox, "T2");
        leave(&mut outbox, "T1");
        drop(outbox);
        let mut outbox = Outbox::open(folder.path()).unwrap();
        assert_eq!(left(&outbox), ["T1", "T2"]);
        outbox.change(|change| change.ticket_is_left("T1")).unwrap();
        assert_eq!(left(&outbox), ["T2"]);
        outbox
            .change(|change| {
                (0..LIMIT + 5).try_for_each(|number| change.leave_ticket(&format!("M{number}")))
            })
            .unwrap();
        assert_eq!(left(&outbox).len(), LIMIT as usize);
        assert!(!left(&outbox).contains(&"T2".to_owned()), "the oldest goes");
    }
}
