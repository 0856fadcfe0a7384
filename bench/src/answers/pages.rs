//! The pages of a made-up server's history, as a manager has read them.

use std::collections::HashMap;

use usher_core::usage::made_up::MadeUpSession;
use usher_site::{Ended, EndedDenial, EndedLease, EndedSession, HistoryBatch, Made, Point, Run};

use super::making::{Making, computer_key};

/// The server's id.
const SERVER: &str = "5f1d0c2ab7e94630";
/// Its data had one life.
const INCARNATION: u32 = 1;
/// When the agents began to number their sessions, as they call it: a Unix millisecond.
const AGENT_INCARNATION: u64 = 1_767_000_000_000;
const PROGRAM: &str = "solver-17.exe";

/// What the server tells of each use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    /// A session without a seat, as of a product of which none is owned.
    Sessions,
    /// A session and the lease that it held.
    SessionsAndLeases,
    /// A lease that was checked out by name; of so many of a hundred, a refusal instead.
    Asks {
        /// 0 to 100.
        refused_percent: u64,
    },
}

/// A page.
pub(super) struct Page {
    /// As it is appended.
    pub(super) batch: HistoryBatch,
    /// Uses that it tells of.
    pub(super) uses: u64,
}

/// Pages of uses, which come in the order of their ends.
pub(super) struct Pages<I> {
    uses: I,
    tells: Tells,
    /// A page has so many items, or one more.
    limit: usize,
    through: Option<Point>,
    event: u64,
    /// How many sessions each computer has had: its agent numbers them.
    numbers: HashMap<u32, u64>,
}

/// The pages of `limit` items each. The last one may be shorter.
pub(super) fn pages<I>(uses: I, tells: Tells, limit: u32) -> Pages<I>
where
    I: Iterator<Item = MadeUpSession>,
{
    Pages {
        uses,
        tells,
        limit: limit as usize,
        through: None,
        event: 0,
        numbers: HashMap::new(),
    }
}

impl<I: Iterator<Item = MadeUpSession>> Iterator for Pages<I> {
    type Item = Page;

    fn next(&mut self) -> Option<Page> {
        let mut made = Making::default();
        let mut uses = 0;
        while made.items.len() < self.limit
            && let Some(session) = self.uses.next()
        {
            uses += 1;
            made.name(&session);
            match self.tells {
                Tells::Sessions => {
                    let run = self.run(&session);
                    self.session(&mut made, &session, run, None);
                }
                Tells::SessionsAndLeases => {
                    let run = self.run(&session);
                    let lease = self.lease(&mut made, &session, Some(run.clone()));
                    self.session(&mut made, &session, run, Some(lease));
                }
                Tells::Asks { refused_percent } => match is_refused(self.event, refused_percent) {
                    true => self.refusal(&mut made, &session),
                    false => {
                        self.lease(&mut made, &session, None);
                    }
                },
            }
        }
        let through = made.items.last()?.at;
        let asked = self.through.replace(through);
        Some(Page {
            batch: HistoryBatch {
                server: SERVER.to_owned(),
                asked,
                from: asked,
                through,
                cursor: format!("{INCARNATION}.{}", through.event),
                head_event: through.event,
                at_ms: made.last_ms,
                people: made.people,
                computers: made.computers,
                items: made.items,
            },
            uses,
        })
    }
}

impl<I> Pages<I> {
    /// The key of what is told next.
    fn made(&mut self) -> Made {
        self.event += 1;
        Made {
            incarnation: INCARNATION,
            event: self.event,
        }
    }

    /// The key of a session.
    fn run(&mut self, session: &MadeUpSession) -> Run {
        let number = self.numbers.entry(session.computer).or_default();
        *number += 1;
        Run {
            computer: computer_key(session.computer),
            incarnation: AGENT_INCARNATION,
            session: *number,
        }
    }

    fn session(
        &mut self,
        made: &mut Making,
        session: &MadeUpSession,
        run: Run,
        lease: Option<Made>,
    ) {
        let key = self.made();
        let duration_ms = length_ms(session);
        let ended = EndedSession {
            key: run,
            program: PROGRAM.to_owned(),
            version: Some("12.1".to_owned()),
            real_person: None,
            started_ms: session.span.from_ms,
            ended_ms: session.span.until_ms,
            duration_ms,
            unseated_ms: lease.map_or(duration_ms, |_| 0),
            lease,
        };
        made.add(session, key, Ended::Session(ended));
    }

    fn lease(&mut self, made: &mut Making, session: &MadeUpSession, run: Option<Run>) -> Made {
        let key = self.made();
        let ended = EndedLease {
            key,
            seats: 1,
            program: Some(PROGRAM.to_owned()),
            session: run,
            kept: false,
            granted_ms: session.span.from_ms,
            ended_ms: session.span.until_ms,
            held_ms: length_ms(session),
            cause: "checked_in".to_owned(),
            ticket: None,
            with: None,
            retry: false,
        };
        made.add(session, key, Ended::Lease(ended));
        key
    }

    fn refusal(&mut self, made: &mut Making, session: &MadeUpSession) {
        let key = self.made();
        let ended = EndedDenial {
            key,
            seats: 1,
            reason: "no_seat".to_owned(),
            count: 1,
            retries: 0,
            waits: Some(false),
            first_ms: session.span.from_ms,
            last_ms: session.span.from_ms,
        };
        made.add(session, key, Ended::Denial(ended));
    }
}

fn length_ms(session: &MadeUpSession) -> u64 {
    session.span.until_ms.abs_diff(session.span.from_ms)
}

/// So many of a hundred, by an even spread over the events (the first step of SplitMix64).
fn is_refused(event: u64, percent: u64) -> bool {
    let mixed = event.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 32) % 100 < percent
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use usher_core::usage::made_up::MadeUp;
    use usher_site::HistoryItem;

    use super::*;
    use crate::answers::past::in_order_of_ends;

    fn of(tells: Tells) -> Vec<Page> {
        let made_up = MadeUp {
            sessions: 2_500,
            ..MadeUp::quarter_of_a_large_site(5)
        };
        pages(in_order_of_ends(&made_up), tells, 1_000).collect()
    }

    #[test]
    fn pages_follow_one_another_and_name_everybody_in_them() {
        let pages = of(Tells::Sessions);
        let sizes: Vec<usize> = pages.iter().map(|page| page.batch.items.len()).collect();
        assert_eq!(sizes, [1_000, 1_000, 500]);
        let mut through = None;
        for page in &pages {
            let batch = &page.batch;
            assert_eq!((batch.asked, batch.from), (through, through));
            through = Some(batch.through);
            let people: HashSet<&str> = batch.people.iter().map(|it| &*it.id).collect();
            assert_eq!(people.len(), batch.people.len());
            assert!(batch.items.iter().all(|it| people.contains(&*it.person)));
        }
        assert_eq!(pages.iter().map(|page| page.uses).sum::<u64>(), 2_500);
    }

    #[test]
    fn a_session_names_the_lease_that_names_it() {
        let pages = of(Tells::SessionsAndLeases);
        let items: Vec<&HistoryItem> = pages.iter().flat_map(|page| &page.batch.items).collect();
        assert_eq!(items.len(), 5_000);
        for both in items.chunks(2) {
            let [lease, session] = both else {
                panic!("{both:?}")
            };
            let (Ended::Lease(lease), Ended::Session(session)) = (&lease.what, &session.what)
            else {
                panic!("{both:?}")
            };
            assert_eq!(session.lease, Some(lease.key));
            assert_eq!(lease.session.as_ref(), Some(&session.key));
        }
    }

    #[test]
    fn about_as_many_are_refused_as_are_to_be() {
        let refused = |percent| {
            let pages = of(Tells::Asks {
                refused_percent: percent,
            });
            let items = pages.iter().flat_map(|page| &page.batch.items);
            let refused = items.filter(|item| matches!(item.what, Ended::Denial(_)));
            refused.count()
        };
        assert_eq!((refused(0), refused(100)), (0, 2_500));
        assert!((75..=175).contains(&refused(5)), "{}", refused(5));
    }
}
