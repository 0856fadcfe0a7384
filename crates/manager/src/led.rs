//! Who leads the site, as this manager tells it: in its health, and to whoever wants something of it that
//! only the leader does.

use std::sync::{Mutex, PoisonError};

use usher_api::{Code, SiteLeader};
use usher_site::Leader;

use crate::clock::date;
use crate::leading::Leading;
use crate::problem::Refusal;

/// Who leads the site.
#[derive(Debug)]
pub(crate) struct Led {
    /// The lead of this manager.
    leading: Leading,
    known: Mutex<Known>,
}

/// What is known of others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Who leads, if it is known that somebody does.
    pub(crate) leader: Option<SiteLeader>,
    /// Why it is not known who leads.
    pub(crate) why: Option<String>,
}

impl Known {
    /// What the site database says; nobody leads if a lease is over.
    pub(crate) fn of(leader: &Leader) -> Known {
        Known {
            leader: leader.leads().then(|| SiteLeader {
                computer: leader.name.clone(),
                url: leader.address.clone(),
                since: date(leader.since_ms),
            }),
            why: None,
        }
    }
}

impl Led {
    /// As of a manager with this lead. `leader` is itself if it leads a site that it shares.
    pub(crate) fn new(leading: Leading, leader: Option<SiteLeader>) -> Led {
        let known = Known { leader, why: None };
        Led {
            leading,
            known: Mutex::new(known),
        }
    }

    /// Whether this manager leads.
    pub(crate) fn by_us(&self) -> bool {
        self.leading.holds()
    }

    /// What is known of who leads.
    pub(crate) fn known(&self) -> Known {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Notes what is known now.
    pub(crate) fn put(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Refuses what only the leader does or knows, unless this manager leads.
    pub(crate) fn must_be_us(&self) -> Result<(), Refusal> {
        if self.by_us() {
            return Ok(());
        }
        let known = self.known();
        let detail = match (&known.leader, &known.why) {
            (_, Some(why)) => format!(
                "this manager cannot tell who leads the site ({why}): try again when the site \
                 database can be reached"
            ),
            (Some(leader), None) => format!(
                "another manager leads the site, and does this: ask the one at {}",
                leader.url
            ),
            (None, None) => "no manager leads the site at this moment: try again in some seconds, \
                             when one has taken over"
                .to_owned(),
        };
        let leader = known.leader.map(|leader| leader.url);
        Err(Refusal::new(Code::NotLeading, detail).naming_leader(leader))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leader(expires_ms: i64) -> Leader {
        Leader {
            epoch: 4,
            name: "pc2".to_owned(),
            address: "https://pc2:8480".to_owned(),
            since_ms: 1_000,
            expires_ms,
            at_ms: 5_000,
            ..Leader::default()
        }
    }

    #[test]
    fn who_leads_is_named_while_that_is_known() {
        let led = Led::new(Leading::never(), None);
        led.put(Known::of(&leader(5_001)));
        let known = led.known().leader.unwrap();
        assert_eq!((&*known.computer, &*known.url), ("pc2", "https://pc2:8480"));
        let refused: usher_http::Refusal = led.must_be_us().unwrap_err().into();
        let problem = refused.problem();
        assert_eq!((problem.status, &*problem.code), (503, "not_leading"));
        assert_eq!(problem.leader.as_deref(), Some("https://pc2:8480"));
        assert!(problem.detail.contains("https://pc2:8480"), "{problem:?}");
        // Its lease is over.
        led.put(Known::of(&leader(5_000)));
        assert_eq!(led.known().leader, None);
        let refused: usher_http::Refusal = led.must_be_us().unwrap_err().into();
        assert_eq!(refused.problem().leader, None);
        assert!(Led::new(Leading::always(), None).must_be_us().is_ok());
    }
}
