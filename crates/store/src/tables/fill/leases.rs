//! Leases in a slice. One that is granted within it is written once, as it is at the slice's end:
//! most leases under load begin and end within one slice, and an index entry that is made and
//! taken back costs more than the row.

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::FxHashMap;
use usher_core::ledger::{
    Ask, Bundle, Draw, EndCause, EventNumber, Lease, Now, Scene, SessionKey, Steady,
};

use super::signed;
use crate::base::columns::{read_holders, write_also, write_cause, write_draws, write_holders};

/// The changes of leases within a slice; [`Leases::write`] writes them.
pub(super) struct Leases<'c> {
    connection: &'c Connection,
    granted: Vec<Granted>,
    places: FxHashMap<EventNumber, usize>,
}

struct Granted {
    lease: Lease,
    scene: Scene,
    ask: Option<Ask>,
    ended: Option<Ended>,
}

struct Ended {
    number: EventNumber,
    at: Now,
    cause: EndCause,
}

impl<'c> Leases<'c> {
    pub(super) fn new(connection: &'c Connection) -> Leases<'c> {
        Leases {
            connection,
            granted: Vec::new(),
            places: FxHashMap::default(),
        }
    }

    pub(super) fn granted(
        &mut self,
        number: EventNumber,
        lease: &Lease,
        scene: Scene,
        ask: Option<&Ask>,
    ) {
        self.places.insert(number, self.granted.len());
        self.granted.push(Granted {
            lease: lease.clone(),
            scene,
            ask: ask.cloned(),
            ended: None,
        });
    }

    pub(super) fn deadline(
        &mut self,
        number: EventNumber,
        deadline: Steady,
        graced: bool,
    ) -> rusqlite::Result<()> {
        if let Some(lease) = self.fresh(number) {
            lease.deadline = deadline;
            lease.graced = graced;
            return Ok(());
        }
        self.connection
            .prepare_cached("UPDATE leases SET deadline = ?2, graced = ?3 WHERE number = ?1")?
            .execute(params![signed(number.0), signed(deadline.0), graced])
            .map(drop)
    }

    pub(super) fn redrawn(&mut self, number: EventNumber, draws: &[Draw]) -> rusqlite::Result<()> {
        if let Some(lease) = self.fresh(number) {
            lease.draws = draws.into();
            return Ok(());
        }
        self.connection
            .prepare_cached("UPDATE leases SET draws = ?2 WHERE number = ?1")?
            .execute(params![signed(number.0), write_draws(draws)])
            .map(drop)
    }

    pub(super) fn holders(
        &mut self,
        number: EventNumber,
        change: impl FnOnce(&mut Vec<SessionKey>),
    ) -> rusqlite::Result<()> {
        if let Some(lease) = self.fresh(number) {
            let mut holders = std::mem::take(&mut lease.holders).into_vec();
            change(&mut holders);
            lease.holders = holders.into();
            return Ok(());
        }
        let text: String = self
            .connection
            .prepare_cached("SELECT holders FROM leases WHERE number = ?1")?
            .query_row([signed(number.0)], |row| row.get(0))?;
        let mut holders = read_holders(&text).into_vec();
        change(&mut holders);
        self.connection
            .prepare_cached("UPDATE leases SET holders = ?2 WHERE number = ?1")?
            .execute(params![signed(number.0), write_holders(&holders)])
            .map(drop)
    }

    pub(super) fn claimed(
        &mut self,
        number: EventNumber,
        session: SessionKey,
        ttl_seconds: u32,
        shared: bool,
    ) -> rusqlite::Result<()> {
        let holders = [session];
        let holders = if shared { &holders[..] } else { &[] };
        if let Some(lease) = self.fresh(number) {
            lease.session = Some(session);
            lease.holders = holders.into();
            let bundle = lease.bundle;
            return self.ttl(number, bundle, ttl_seconds);
        }
        let mut bundle = None;
        self.connection
            .prepare_cached(
                "UPDATE leases SET session = ?2, holders = ?3, session_incarnation = ?4 \
                 WHERE number = ?1 RETURNING bundle_count",
            )?
            .query_row(
                params![
                    signed(number.0),
                    signed(session.session),
                    write_holders(holders),
                    signed(session.incarnation)
                ],
                |row| {
                    let count: Option<u8> = row.get(0)?;
                    // Of several leases it is always the first that a session takes over.
                    bundle = count.map(|count| Bundle {
                        first: number,
                        count,
                    });
                    Ok(())
                },
            )
            .optional()?;
        self.ttl(number, bundle, ttl_seconds)
    }

    /// The ttl of a lease and of those that it is held with.
    fn ttl(
        &mut self,
        number: EventNumber,
        bundle: Option<Bundle>,
        ttl_seconds: u32,
    ) -> rusqlite::Result<()> {
        for number in Bundle::all_of(bundle, number) {
            if let Some(lease) = self.fresh(number) {
                lease.ttl_seconds = ttl_seconds;
                continue;
            }
            self.connection
                .prepare_cached("UPDATE leases SET ttl_seconds = ?2 WHERE number = ?1")?
                .execute(params![signed(number.0), ttl_seconds])?;
        }
        Ok(())
    }

    /// Changes the incarnation of a session that holds it.
    pub(super) fn rekeyed(
        &mut self,
        number: EventNumber,
        from: SessionKey,
        to: SessionKey,
    ) -> rusqlite::Result<()> {
        if let Some(lease) = self.fresh(number) {
            lease.session = lease.session.map(|own| if own == from { to } else { own });
        } else {
            self.connection
                .prepare_cached(
                    "UPDATE leases SET session_incarnation = ?4 \
                     WHERE number = ?1 AND session = ?2 AND session_incarnation = ?3 \
                     AND computer = ?5",
                )?
                .execute(params![
                    signed(number.0),
                    signed(from.session),
                    signed(from.incarnation),
                    signed(to.incarnation),
                    signed(from.computer.0)
                ])?;
        }
        self.holders(number, |holders| {
            if let Some(place) = holders.iter().position(|holder| *holder == from) {
                holders[place] = to;
                holders.sort_unstable();
            }
        })
    }

    pub(super) fn ended(
        &mut self,
        lease: EventNumber,
        number: EventNumber,
        at: Now,
        cause: EndCause,
    ) -> rusqlite::Result<()> {
        if let Some(&place) = self.places.get(&lease) {
            self.granted[place].ended = Some(Ended { number, at, cause });
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "UPDATE leases SET ended = ?2, ended_at = ?3, held_ms = max(0, ?4 - granted), \
                 cause = ?5 WHERE number = ?1",
            )?
            .execute(params![
                signed(lease.0),
                signed(number.0),
                at.wall.0,
                signed(at.steady.0),
                write_cause(cause)
            ])
            .map(drop)
    }

    fn fresh(&mut self, number: EventNumber) -> Option<&mut Lease> {
        let place = *self.places.get(&number)?;
        Some(&mut self.granted[place].lease)
    }

    /// Writes the leases that were granted, in their order.
    pub(super) fn write(self) -> rusqlite::Result<()> {
        // Not OR REPLACE: for that SQLite keeps a copy of each page that a statement touches. What
        // else a ticket waited for stands here too, for its row may be purged before its lease's.
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO leases (number, incarnation, product, subject, computer, \
             seats, ttl_seconds, deadline, granted_at, granted, draws, session, ticket, \
             ticket_incarnation, holders, graced, scene_seats, scene_in_use, scene_queued, \
             ended, ended_at, held_ms, cause, program, waits, repeats, session_incarnation, \
             also, bundle, bundle_count) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, \
             ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, \
             CASE WHEN ?29 IS NULL THEN ?28 \
                ELSE coalesce(?28, (SELECT also FROM tickets WHERE number = ?13)) END, \
             ?29, ?30)",
        )?;
        for Granted {
            lease,
            scene,
            ask,
            ended,
        } in self.granted
        {
            let ended = ended.as_ref();
            let ask = ask.as_ref();
            let repeats = ask.and_then(|ask| ask.repeats);
            insert.execute(params![
                signed(lease.id.number.0),
                lease.id.incarnation.0,
                signed(lease.product.0),
                signed(lease.subject.0),
                signed(lease.computer.0),
                lease.seats,
                lease.ttl_seconds,
                signed(lease.deadline.0),
                lease.granted_at.0,
                signed(lease.granted.0),
                write_draws(&lease.draws),
                lease.session.map(|own| signed(own.session)),
                lease.ticket.map(|ticket| signed(ticket.number.0)),
                lease.ticket.map(|ticket| ticket.incarnation.0),
                write_holders(&lease.holders),
                lease.graced,
                signed(scene.seats),
                signed(scene.in_use),
                scene.queued,
                ended.map(|ended| signed(ended.number.0)),
                ended.map(|ended| ended.at.wall.0),
                ended.map(|ended| signed(ended.at.steady.since_ms(lease.granted))),
                ended.map(|ended| write_cause(ended.cause)),
                lease.program,
                ask.map(|ask| ask.waits),
                repeats.map(|denial| signed(denial.0)),
                lease.session.map_or(0, |own| signed(own.incarnation)),
                ask.and_then(|ask| write_also(&ask.also)),
                lease.bundle.map(|bundle| signed(bundle.first.0)),
                lease.bundle.map(|bundle| bundle.count),
            ])?;
        }
        Ok(())
    }
}
