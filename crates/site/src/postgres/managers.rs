//! What a manager does because others use the same database: it stands for the lead of the site, renews it
//! and gives it up, and shows others what it sees.

use std::time::Duration;

use super::{PostgresSite, lead, settings, shared};
use crate::leader::{Candidate, Election, Leader, Shown};
use crate::settings::ADMIN_TOKEN;
use crate::site::Answer;

impl PostgresSite {
    /// The same database, used under the lead of that number; none: only read.
    #[must_use]
    pub fn under(&self, epoch: Option<i64>) -> PostgresSite {
        PostgresSite {
            engines: self.engines.clone(),
            epoch,
            archive: self.archive.clone(),
        }
    }

    /// This process, as [`Leader::holder`] names it.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.engines.holder
    }

    /// Takes the lead of the site if nobody has it, or this process had it last, or one that has ended for
    /// certain. What the former leader has under way is ended.
    ///
    /// It is tried once, and answered within seconds: with [`crate::SiteError::Failed`] it is not known who leads.
    pub fn stand(&self, candidate: Candidate) -> Answer<Election> {
        let doing = "take the lead";
        let holder = self.engines.holder.clone();
        self.engines.leads.ask(doing, move |link| {
            let before = link.read(doing, lead::leader)?;
            let is_own = *before.holder == *holder;
            let has_ended = candidate.ended.as_ref() == Some(&before.holder);
            if before.leads() && !is_own && !has_ended {
                return Ok(Election::Follows(before));
            }
            if !is_own && !before.gave_up {
                // If that is not allowed, what is under way there is waited for.
                let _ = link.read(doing, |db| lead::end_sessions(db, &before.holder));
            }
            let taken = link.write(doing, |db| lead::take(db, &candidate, &holder, &before))?;
            Ok(match taken {
                Some((epoch, since_ms)) => Election::Leads {
                    epoch,
                    before,
                    since_ms,
                },
                None => Election::Follows(link.read(doing, lead::leader)?),
            })
        })
    }

    /// Renews the lease of a lead; answers whether it goes on. Tried once, as [`PostgresSite::stand`].
    pub fn renew(&self, epoch: i64, lease: Duration) -> Answer<bool> {
        let doing = "renew the lease of the lead";
        let holder = self.engines.holder.clone();
        self.engines.leads.ask(doing, move |link| {
            link.write(doing, |db| lead::renew(db, (epoch, &holder), lease))
        })
    }

    /// Gives a lead up, so that another manager need not wait for the end of its lease.
    pub fn give_up_lead(&self, epoch: i64) -> Answer<()> {
        let doing = "give up the lead";
        let holder = self.engines.holder.clone();
        self.engines.leads.ask(doing, move |link| {
            link.write(doing, |db| lead::give_up(db, (epoch, &holder)))
        })
    }

    /// Who leads, or led last. Tried once, as [`PostgresSite::stand`].
    pub fn leader(&self) -> Answer<Leader> {
        let doing = "read who leads";
        let leads = &self.engines.leads;
        leads.ask(doing, move |link| link.read(doing, lead::leader))
    }

    /// What a manager shows that does not lead.
    pub fn shown(&self) -> Answer<Shown> {
        self.reads("read what the leader shows", shared::shown)
    }

    /// How the leader saw each server, by its name, when it last wrote that down.
    pub fn views(&self) -> Answer<Vec<(String, String)>> {
        self.reads("read how servers are seen", shared::views)
    }

    /// Writes down how these servers are seen, for managers that do not lead, and forgets servers that are
    /// not among `watched`.
    pub fn put_views(&self, views: Vec<(String, String)>, watched: Vec<String>) -> Answer<()> {
        self.writes("write down how servers are seen", move |db| {
            shared::put_views(db, &views, &watched)
        })
    }

    /// The administrator's token of the site; `candidate` becomes it if there is none. Whoever leads.
    pub fn have_admin_token(&self, candidate: String) -> Answer<String> {
        let doing = "have the administrator's token";
        self.engines.engine.ask(doing, move |link| {
            link.write(doing, |db| shared::have_admin_token(db, &candidate))
        })
    }

    /// The administrator's token of the site; none: managers did not share the site before.
    pub fn admin_token(&self) -> Answer<Option<String>> {
        self.reads("read the administrator's token", |db| {
            settings::get(db, ADMIN_TOKEN)
        })
    }

    /// Replaces the administrator's token of the site if it is `from` still; answers which there is then.
    /// Whoever leads.
    pub fn change_admin_token(&self, from: String, to: String) -> Answer<String> {
        let doing = "replace the administrator's token";
        self.engines.engine.ask(doing, move |link| {
            link.write(doing, |db| shared::change_admin_token(db, &from, &to))
        })
    }
}
