//! Applies commands, each completely, after everything that is due by then.

use super::*;
use crate::ledger::words::event::Event;

impl Ledger {
    /// Applies one command. Its changes become part of the batch that is being built.
    pub fn apply(&mut self, now: Now, command: Command) -> Reply {
        self.now = now;
        // After a reboot a grace comes before any expiry; and before a new life has begun, a seat
        // that comes free must not pass on.
        if !matches!(command, Command::Rebooted | Command::Reincarnate { .. }) {
            self.expire_due();
        }
        match command {
            Command::Checkout(checkout) => self.checkout(checkout),
            Command::Renew { lease, access } => self.renew(lease, &access),
            Command::Checkin { lease, access } => self.checkin(lease, &access),
            Command::Poll {
                ticket,
                access,
                keep_seconds,
            } => self.poll(ticket, &access, keep_seconds),
            Command::Cancel { ticket, access } => self.cancel(ticket, &access),
            Command::Report(report) => self.report(*report),
            Command::PutProduct { spec, new } => self.put_product(spec, new),
            Command::RemoveProduct { product } => self.remove_product(&product),
            Command::AddEntitlement(terms) => self.add_entitlement(&terms),
            Command::ChangeEntitlement { entitlement, terms } => {
                self.change_entitlement(entitlement, &terms)
            }
            Command::RemoveEntitlement { entitlement } => self.remove_entitlement(entitlement),
            Command::Enter { subject, computer } => Reply::Entered {
                subject: subject.map(|asked| self.subject(asked)),
                computer: computer.map(|asked| self.computer(asked)),
            },
            Command::Canary => self.canary(),
            Command::Pause => self.pause(),
            Command::Continue => self.go_on(),
            Command::WatchDirectory { on } => self.watch_directory(on),
            Command::Forget {
                subjects,
                computers,
            } => self.forget(&subjects, &computers),
            Command::Tick => self.promote_all(),
            Command::Rebooted => self.rebooted(),
            Command::Reincarnate {
                incarnation,
                hold_until,
            } => {
                self.emit(Event::Reincarnated {
                    incarnation,
                    hold_until,
                });
                Reply::Done
            }
            Command::Once { key, body, command } => self.once(key, body, *command),
            Command::As { by, command } => {
                let from = self.next_number;
                let reply = self.apply(now, *command);
                let since = usize::try_from(from - self.first_number).unwrap_or(usize::MAX);
                let changed = self.events.iter().skip(since).any(Event::is_change);
                if changed {
                    self.emit(Event::Changed {
                        by,
                        from: EventNumber(from),
                    });
                }
                reply
            }
        }
    }

    fn once(&mut self, key: u128, body: u64, command: Command) -> Reply {
        if let Some(remembered) = self.memory.get(key) {
            return match remembered.body == body {
                true => Reply::Replayed(Box::new(self.with_names((*remembered.reply).clone()))),
                false => Reply::KeyConflict,
            };
        }
        let reply = self.apply(self.now, command);
        // "Nothing yet" is no answer to keep: the same key may succeed when the hold or pause is
        // over. Nor is a name that whoever asks has made up.
        if !matches!(
            reply,
            Reply::Held { .. }
                | Reply::Paused
                | Reply::Replayed(_)
                | Reply::KeyConflict
                | Reply::UnknownOther(_)
                | Reply::NameTaken(_)
        ) {
            let kept = Box::new(reply.clone().without_names());
            self.emit(Event::Remembered {
                key,
                body,
                reply: kept,
            });
        }
        reply
    }

    /// A stored reply, with the names that people and computers have today.
    fn with_names(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Renewed { lease, also, .. } => self.renewed_reply(lease, also),
            Reply::Ticket { view, .. } => self.ticket_reply(*view),
            Reply::Entitlement(view) => Reply::Entitlement(EntitlementView {
                details: self.described.get(view.entitlement.number),
                ..view
            }),
            other => other,
        }
    }
}
