//! The lease by which a manager leads a site that it shares: it is stood for, renewed at each third of its
//! time, and lost.
//!
//! A lease is counted from when the database was asked for it, by a clock that nobody sets and that counts
//! sleep. So this manager takes it for over no later than the database does.

use std::sync::Arc;
use std::time::Duration;

use usher_api::SiteLeader;
use usher_site::{Candidate, Election, Leader, PostgresSite};

use crate::clock::{date, steady};
use crate::former::Former;
use crate::leading::Leading;
use crate::led::Known;

/// Renewals within the time of a lease.
const RENEWALS: u32 = 3;
/// How long it may take to write down who leads: less than the shortest lease.
const WRITTEN_WITHIN: Duration = Duration::from_millis(500);
/// After a renewal that failed.
const AGAIN: Duration = Duration::from_millis(500);

/// How often managers that share a site look what others have done, and the leader renews its lease.
pub(crate) fn every(lease: Duration) -> Duration {
    lease / RENEWALS
}

/// This manager among those that share a site.
pub(crate) struct Managers {
    pub(crate) shared: PostgresSite,
    pub(crate) candidate: Candidate,
    pub(crate) former: Arc<Former>,
}

/// A lead of this manager.
pub(crate) struct Lead {
    pub(crate) epoch: i64,
    pub(crate) leading: Leading,
    /// Who led before.
    pub(crate) before: Leader,
    /// Since when it leads; Unix milliseconds on the clock of the database.
    pub(crate) since_ms: i64,
}

/// What came of standing for the lead.
pub(crate) enum Stood {
    Leads(Lead),
    Follows(Known),
}

impl Managers {
    /// How often others are looked at, and the lease is renewed.
    pub(crate) fn every(&self) -> Duration {
        every(self.candidate.lease)
    }

    /// This manager, as the leader.
    pub(crate) fn as_leader(&self, lead: &Lead) -> SiteLeader {
        SiteLeader {
            computer: self.candidate.name.clone(),
            url: self.candidate.address.clone(),
            since: date(lead.since_ms),
        }
    }

    /// Writes down that this process leads, on a thread that may wait for its disk. A disk that hangs is
    /// no reason not to lead.
    async fn write_down(&self) {
        let (former, holder) = (self.former.clone(), self.shared.holder().to_owned());
        let written = tokio::task::spawn_blocking(move || former.leads_now(&holder));
        if tokio::time::timeout(WRITTEN_WITHIN, written).await.is_err() {
            tracing::warn!(
                "it takes long to write down who leads: after a kill the lead is waited for"
            );
        }
    }

    /// Stands for the lead, once.
    pub(crate) async fn stand(&self) -> Stood {
        let asked = steady();
        match self.shared.stand(self.candidate.clone()).await {
            Ok(Election::Leads {
                epoch,
                before,
                since_ms,
            }) => {
                self.write_down().await;
                Stood::Leads(Lead {
                    epoch,
                    leading: Leading::until(asked + self.candidate.lease),
                    before,
                    since_ms,
                })
            }
            Ok(Election::Follows(leader)) => Stood::Follows(Known::of(&leader)),
            Err(error) => Stood::Follows(Known {
                leader: None,
                why: Some(error.to_string()),
            }),
        }
    }

    /// Renews a lead until it is over.
    pub(crate) async fn keep(&self, lead: &Lead) {
        let mut pause = self.every();
        loop {
            tokio::time::sleep(pause.min(lead.leading.left())).await;
            pause = AGAIN;
            let asked = steady();
            let renewal = self.shared.renew(lead.epoch, self.candidate.lease);
            match tokio::time::timeout(lead.leading.left(), renewal).await {
                Ok(Ok(true)) => {
                    if !lead.leading.renew(asked + self.candidate.lease) {
                        tracing::warn!("the lease of the lead was renewed too late");
                        return;
                    }
                    pause = self.every();
                }
                Ok(Ok(false)) => {
                    tracing::warn!("another manager may lead the site: the lease is over");
                    return;
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the lease of the lead could not be renewed yet");
                }
                Err(_) => {}
            }
            if !lead.leading.holds() {
                tracing::warn!("the lease of the lead is over: it could not be renewed in time");
                return;
            }
        }
    }

    /// Stands for the lead until it has it; tells `follows` what is known of who leads meanwhile.
    pub(crate) async fn win(&self, mut follows: impl FnMut(Known)) -> Lead {
        let mut told = None;
        loop {
            tokio::time::sleep(self.every()).await;
            match self.stand().await {
                Stood::Leads(lead) => return lead,
                Stood::Follows(known) => {
                    if let Some(why) = &known.why
                        && told.as_ref() != Some(why)
                    {
                        tracing::warn!(why, "it is not known who leads the site");
                    }
                    told.clone_from(&known.why);
                    follows(known);
                }
            }
        }
    }

    /// Gives a lead up, so that another manager need not wait; if that fails it waits.
    pub(crate) async fn give_up(&self, lead: &Lead) {
        if let Err(error) = self.shared.give_up_lead(lead.epoch).await {
            tracing::warn!(%error, "the lead of the site could not be given up");
        }
    }
}
