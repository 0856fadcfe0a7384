//! The connection to the metering server: whether there is one, why not, and which life of the
//! server's data answered last.

pub(crate) mod older;
pub(crate) mod unreached;

use crate::model::link::older::Unknown;
use crate::model::link::unreached::Unreached;
use crate::store::outbox::{Outbox, OutboxError};

/// The name under which [`Unreached`] is stored.
pub(crate) const UNREACHED: &str = "unreached";
/// The name under which the life of the server's data is stored; empty if the server tells none.
pub(crate) const LIFE: &str = "server_incarnation";

/// The state of the connection.
#[derive(Debug)]
pub(crate) struct Link {
    is_up: bool,
    /// Why the last exchange with the server failed; none: it succeeded.
    why_not: Option<String>,
    /// The life of the server's data that answered last; none: the server tells none.
    pub(crate) life: Option<u32>,
    /// Starts that were allowed while no server could be reached.
    pub(crate) unreached: Unreached,
    /// Fields that an older server does not know.
    pub(crate) unknown: Unknown,
}

impl Link {
    /// The state that a former run stored; there is no connection yet.
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

    /// Why there is no connection to the server at `url`; none: there is one.
    pub(crate) fn why_not(&self, url: &str) -> Option<String> {
        let why = || self.why_not.clone();
        (!self.is_up).then(|| why().unwrap_or_else(|| format!("no answer yet from {url}")))
    }

    /// Whether the server knows gates: one that tells no life does not, and then everything is only
    /// tracked.
    pub(crate) fn knows_gates(&self) -> bool {
        self.life.is_some()
    }

    /// Notes that the server has answered.
    pub(crate) fn answered(&mut self) {
        self.is_up = true;
        self.why_not = None;
        self.unreached.reached();
    }

    /// Notes that an exchange with the server has failed.
    pub(crate) fn is_down(&mut self) {
        self.is_up = false;
        self.unreached.away();
    }

    /// Notes that no server could be asked: the next one to answer may be another one.
    pub(crate) fn is_away(&mut self) {
        self.unknown.forget();
    }

    /// Notes why an exchange failed. True: the reason differs from the last one.
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
