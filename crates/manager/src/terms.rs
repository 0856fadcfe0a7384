//! The terms of a manager, one after another: it leads its site, or follows the one that does.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use usher_site::{Leader, PostgresSite, Site, SiteError};

use crate::app::App;
use crate::clock::date;
use crate::follow;
use crate::leading::Leading;
use crate::lease::{Lead, Managers, Stood};
use crate::led::Known;
use crate::logged::or_log;
use crate::share;
use crate::term::{Fixed, Term};

/// Before a term that could not begin is tried again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);
/// The message that the manager that led has lost its lease, and that it gave the lead up.
const LOST: u16 = 9464;
const GAVE_UP: u16 = 9465;

/// Where a site is, and who else uses it.
pub(crate) enum Access {
    /// This manager has it to itself, and leads.
    Alone(Arc<dyn Site>),
    /// Managers share it.
    Shared(Managers),
}

/// The present term, and what it takes to begin others.
pub(crate) struct Terms {
    fixed: Arc<Fixed>,
    access: Access,
    turn: Turn,
}

enum Turn {
    Leads(Lead, Term),
    Alone(Term),
    Follows(Term),
}

impl Access {
    /// The site, to read it.
    pub(crate) fn site(&self) -> Arc<dyn Site> {
        match self {
            Access::Alone(site) => site.clone(),
            Access::Shared(managers) => Arc::new(managers.shared.under(None)),
        }
    }
}

impl Terms {
    /// Begins the first: it leads if nobody else does.
    pub(crate) async fn begin(fixed: Arc<Fixed>, access: Access) -> Result<Terms, SiteError> {
        let turn = match &access {
            Access::Alone(site) => {
                let leading = Leading::always();
                let views = BTreeMap::new();
                let term = Term::leading(&fixed, site.clone(), leading, None, &views).await?;
                Turn::Alone(term)
            }
            Access::Shared(managers) => match managers.stand().await {
                Stood::Leads(lead) => {
                    let term = lead_with(&fixed, managers, &lead).await?;
                    Turn::Leads(lead, term)
                }
                Stood::Follows(known) => {
                    let term = Term::following(&fixed, access.site()).await?;
                    Turn::Follows(tell(term, known))
                }
            },
        };
        Ok(Terms {
            fixed,
            access,
            turn,
        })
    }

    /// What answers requests in the present term.
    pub(crate) fn app(&self) -> &Arc<App> {
        self.turn.app()
    }

    /// Lets terms follow each other, and shows the present one, until `stop` is done; gives the lead up
    /// then.
    pub(crate) async fn run(self, show: watch::Sender<Arc<App>>, mut stop: oneshot::Receiver<()>) {
        let Terms {
            fixed,
            access,
            mut turn,
        } = self;
        let managers = match access {
            Access::Alone(_) => {
                let _ = stop.await;
                return turn.end().await;
            }
            Access::Shared(managers) => managers,
        };
        loop {
            let next = tokio::select! {
                biased;
                _ = &mut stop => break,
                next = turn.over(&managers) => next,
            };
            turn.end().await;
            turn = tokio::select! {
                biased;
                _ = &mut stop => return,
                turn = begin(&fixed, &managers, next, &show) => turn,
            };
            show.send_replace(turn.app().clone());
        }
        if let Turn::Leads(lead, term) = turn {
            term.end().await;
            managers.give_up(&lead).await;
        }
    }
}

impl Turn {
    fn app(&self) -> &Arc<App> {
        match self {
            Turn::Leads(_, term) | Turn::Alone(term) | Turn::Follows(term) => &term.app,
        }
    }

    /// Waits until it is over; answers the lead that this manager has then, if it has one.
    async fn over(&self, managers: &Managers) -> Option<Lead> {
        match self {
            Turn::Leads(lead, _) => {
                managers.keep(lead).await;
                None
            }
            Turn::Follows(term) => {
                let every = managers.every();
                let follows = |known| term.app.led.put(known);
                tokio::select! {
                    lead = managers.win(follows) => Some(lead),
                    never = follow::attend(&term.app, &managers.shared, every) => match never {},
                }
            }
            Turn::Alone(_) => pending().await,
        }
    }

    async fn end(self) {
        match self {
            Turn::Leads(lead, term) => {
                lead.leading.end();
                term.app.led.put(Known::default());
                term.end().await;
            }
            Turn::Alone(term) | Turn::Follows(term) => term.end().await,
        }
    }
}

/// Begins the next term: with the lead that this manager has, if it has one and keeps it meanwhile. What
/// fails is tried again, and told by the term that is shown.
async fn begin(
    fixed: &Fixed,
    managers: &Managers,
    next: Option<Lead>,
    show: &watch::Sender<Arc<App>>,
) -> Turn {
    if let Some(lead) = next {
        let begun = tokio::select! {
            () = managers.keep(&lead) => None,
            begun = lead_with(fixed, managers, &lead) => or_log(begun),
        };
        if let Some(term) = begun {
            return Turn::Leads(lead, term);
        }
        lead.leading.end();
        managers.give_up(&lead).await;
    }
    loop {
        let site = Arc::new(managers.shared.under(None));
        match Term::following(fixed, site).await {
            Ok(term) => return Turn::Follows(term),
            Err(error) => {
                tracing::error!(%error, "the site database");
                let why = Some(error.to_string());
                show.borrow().led.put(Known { leader: None, why });
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn lead_with(fixed: &Fixed, managers: &Managers, lead: &Lead) -> Result<Term, SiteError> {
    let site: PostgresSite = managers.shared.under(Some(lead.epoch));
    let views = follow::read(&site.views().await?);
    let leader = managers.as_leader(lead);
    let now = who(&leader.computer, &leader.url);
    let (leading, its) = (lead.leading.clone(), Arc::new(site.clone()));
    let mut term = Term::leading(fixed, its, leading, Some(leader), &views).await?;
    let shares = share::attend(term.app.clone(), site, managers.every());
    term.does("share", shares);
    tracing::info!(epoch = lead.epoch, "this manager leads the site");
    if let Some((id, values)) = told(&lead.before, lead.since_ms, now) {
        term.app.tools.dispatcher.raise(id, None, values).await;
    }
    Ok(term)
}

/// The message that the lead has passed to `now`; none: nobody misses anything.
fn told(before: &Leader, since_ms: i64, now: String) -> Option<(u16, Vec<String>)> {
    let led = who(&before.name, &before.address);
    // A restore of the site leaves nobody, too.
    let is_first = before.holder.is_empty();
    // A manager that is started again, or that has not lost the lead to anybody.
    let is_same = before.leads() || before.gave_up && led == now;
    if is_first || is_same {
        return None;
    }
    let when = |ms: i64| date(ms).strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let id = if before.gave_up { GAVE_UP } else { LOST };
    Some((id, vec![led, when(before.expires_ms), when(since_ms), now]))
}

fn who(computer: &str, url: &str) -> String {
    format!("{computer} ({url})")
}

fn tell(term: Term, known: Known) -> Term {
    term.app.led.put(known);
    term
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(gave_up: bool, expires_ms: i64) -> Leader {
        Leader {
            epoch: 3,
            holder: "f00d".to_owned(),
            name: "pc1".to_owned(),
            address: "http://pc1:8480".to_owned(),
            expires_ms,
            gave_up,
            at_ms: 20_000,
            ..Leader::default()
        }
    }

    #[test]
    fn whose_lease_ran_out_is_told_and_who_gave_it_up_to_another() {
        let next = || "pc2 (http://pc2:8480)".to_owned();
        let same = || "pc1 (http://pc1:8480)".to_owned();
        let number = |told: Option<(u16, Vec<String>)>| told.map(|(id, _)| id);
        let (_, values) = told(&before(false, 9_000), 21_000, next()).unwrap();
        let said = [
            "pc1 (http://pc1:8480)",
            "1970-01-01 00:00:09 UTC",
            "1970-01-01 00:00:21 UTC",
            "pc2 (http://pc2:8480)",
        ];
        assert_eq!(values, said);
        assert_eq!(
            number(told(&before(false, 9_000), 21_000, same())),
            Some(LOST)
        );
        assert_eq!(
            number(told(&before(true, 9_000), 9_500, next())),
            Some(GAVE_UP)
        );
        assert_eq!(number(told(&before(true, 9_000), 9_500, same())), None);
        assert_eq!(number(told(&before(false, 20_001), 20_000, same())), None);
        assert_eq!(number(told(&Leader::default(), 21_000, next())), None);
        let restored = Leader {
            epoch: 3,
            gave_up: true,
            ..Leader::default()
        };
        assert_eq!(number(told(&restored, 21_000, next())), None);
    }
}
