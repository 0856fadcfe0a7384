//! The connection to the metering server: whether there is one, why not, and which life of the
//! server's data answered last.

pub(crate) mod older;
pub(crate) mod unreached;

use crate::model::link::older::Unknown;
use crate::model::link::unreached::Unreached;
use crate::store::outbox::{Outbox, OutboxError};

/// Where [`Unreached`] is kept.
pub(crate) const UNREACHED: &str = "unreached";
/// Where the life of the server's data is kept; empty if it tells none.
pub(crate) const LIFE: &str = "server_incarnation";

/// What is known of it.
#[derive(Debug)]
pub(crate) struct Link {
    is_up: bool,
    /// Why the last exchange with the server failed; none if it did not.
    why_not: Option<String>,
    /// Which life of the server's data answered last; none if it tells none.
    pub(crate) life: Option<u32>,
    /// What was allowed while no server could be reached.
    pub(crate) unreached: Unreached,
    /// What the server does not know, as it is an older one.
    pub(crate) unknown: Unknown,
}

impl Link {
    /// As a former run wrote it down; there is no connection yet.
    pub(crate) fn open(outbox: &Outbox) -> Result<Self, OutboxError> {
        let unreached = outbox.meta(UNREACHED)?;
        let life = outbox.meta(LIFE)?;
        Ok(Link {
            is_up: false,
            why_not: None,
            life: life.and_then(|text| text.parse().ok()),
            unreached: Unreached::kept(unreached.as_deref()),
            unknown: Unknown::default(),
        })
    }

    /// Whether the last exchange with the server succeeded.
    pub(crate) fn is_up(&self) -> bool {
        self.is_up
    }

    /// Why there is no connection to the server at `url`; none if there is one.
    pub(crate) fn why_not(&self, url: &str) -> Option<String> {
        let why = || self.why_not.clone();
        (!self.is_up).then(|| why().unwrap_or_else(|| format!("no answer yet from {url}")))
    }

    /// Whether the server knows of gates: one that tells no life does not, and with it everything is
    /// only tracked.
    pub(crate) fn knows_gates(&self) -> bool {
        self.life.is_some()
    }

    /// The server has answered.
    pub(crate) fn answered(&mut self) {
        self.is_up = true;
        self.why_not = None;
        self.unreached.reached();
    }

    /// An exchange with the server has failed.
    pub(crate) fn is_down(&mut self) {
        self.is_up = false;
        self.unreached.away();
    }

    /// No server could be asked: whatever answers next may be another one.
    pub(crate) fn is_away(&mut self) {
        self.unknown.forget();
    }

    /// Why an exchange failed. True: it is another reason than the last one.
    pub(crate) fn failed(&mut self, why: String) -> bool {
        let is_other = self.why_not.as_ref() != Some(&why);
        self.why_not = Some(why);
        is_other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_is_no_connection_is_said_until_the_server_answers() {
        let folder = tempfile::tempdir().unwrap();
        let mut link = Link::open(&Outbox::open(folder.path()).unwrap()).unwrap();
        let url = "http://server";
        let none_yet = link.why_not(url).unwrap();
        assert_eq!(none_yet, "no answer yet from http://server");
        assert!(link.failed("refused".to_owned()));
        assert!(!link.failed("refused".to_owned()), "it is no news");
        assert_eq!(link.why_not(url).as_deref(), Some("refused"));
        link.answered();
        assert!(link.is_up() && link.why_not(url).is_none());
        link.is_down();
        assert!(link.why_not(url).is_some());
    }
}
