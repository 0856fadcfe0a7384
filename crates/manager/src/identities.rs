//! Which of the watched names are one server: it answers with the same id under each. It counts once,
//! under one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The ids with which servers have answered.
#[derive(Debug, Default)]
pub(crate) struct Identities(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// By the names under which servers are watched.
    servers: BTreeMap<String, Identity>,
    /// Names that are one server, each pair in its order, of which somebody was told.
    told: BTreeSet<(String, String)>,
}

#[derive(Debug)]
struct Identity {
    id: String,
    /// Whether it answers under this name now.
    answers: bool,
}

impl Identities {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the id with which the server of a name has answered, and whether it answers now.
    pub(crate) fn note(&self, name: &str, id: &str, answers: bool) {
        let identity = Identity {
            id: id.to_owned(),
            answers,
        };
        self.known().servers.insert(name.to_owned(), identity);
    }

    /// Notes the ids with which servers have answered another manager, by their names, and whether they
    /// answer now; nothing else is known then.
    pub(crate) fn put(&self, all: impl IntoIterator<Item = (String, String, bool)>) {
        let one = |(name, id, answers)| (name, Identity { id, answers });
        self.known().servers = all.into_iter().map(one).collect();
    }

    /// The name under which the server of a name counts, if that is another. Of several it is the first
    /// by name under which it answers.
    pub(crate) fn counts_as(&self, name: &str) -> Option<String> {
        self.known().counts_as(name)
    }

    /// Whether the server of a name counts under it.
    pub(crate) fn counts(&self, name: &str) -> bool {
        self.counts_as(name).is_none()
    }

    /// Another name under which the server of a name is watched.
    pub(crate) fn same_as(&self, name: &str) -> Option<String> {
        let known = self.known();
        let mut names = known.of_one(name);
        names.find(|(other, _)| *other != name).map(own)
    }

    /// The name under which the server of a name counts, if that is another and was not told before.
    pub(crate) fn to_be_told(&self, name: &str) -> Option<String> {
        let mut known = self.known();
        let other = known.counts_as(name)?;
        let (one, two) = match *other < *name {
            true => (other.clone(), name.to_owned()),
            false => (name.to_owned(), other.clone()),
        };
        known.told.insert((one, two)).then_some(other)
    }

    fn forget(&self, name: &str) {
        let mut known = self.known();
        known.servers.remove(name);
        known.told.retain(|(one, two)| one != name && two != name);
    }
}

impl Known {
    /// The names under which the server of a name is watched, that one too.
    fn of_one<'k>(&'k self, name: &str) -> impl Iterator<Item = (&'k str, bool)> + use<'k> {
        let id = self.servers.get(name).map(|it| &*it.id);
        let all = self.servers.iter();
        all.filter(move |(_, it)| Some(&*it.id) == id)
            .map(|(name, it)| (&**name, it.answers))
    }

    fn counts_as(&self, name: &str) -> Option<String> {
        // They come in the order of their names, and of equals the first is the least.
        let first = self.of_one(name).min_by_key(|(_, answers)| !answers)?;
        (first.0 != name).then(|| own(first))
    }
}

fn own((name, _): (&str, bool)) -> String {
    name.to_owned()
}

/// A name that is watched: its id is forgotten with it.
#[derive(Debug)]
pub(crate) struct Named {
    name: String,
    identities: Arc<Identities>,
}

impl Named {
    /// What is noted of that name is forgotten when this is dropped.
    pub(crate) fn new(name: &str, identities: Arc<Identities>) -> Named {
        Named {
            name: name.to_owned(),
            identities,
        }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.identities.forget(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_counts_under_the_first_of_its_names_that_answers() {
        let all = Arc::new(Identities::default());
        assert!(all.counts("beta"), "nothing is known of it");
        all.note("beta", "s-1", true);
        all.note("gamma", "s-2", true);
        assert!(all.counts("beta") && all.counts("gamma"));
        assert_eq!(all.same_as("beta"), None);
        let named = Named::new("alpha", all.clone());
        all.note("alpha", "s-1", true);
        assert!(all.counts("alpha"));
        assert_eq!(all.counts_as("beta").as_deref(), Some("alpha"));
        assert_eq!(all.same_as("alpha").as_deref(), Some("beta"));
        assert_eq!(all.same_as("beta").as_deref(), Some("alpha"));
        all.note("alpha", "s-1", false);
        assert!(all.counts("beta") && !all.counts("alpha"));
        all.note("beta", "s-1", false);
        assert!(all.counts("alpha") && !all.counts("beta"));
        drop(named);
        assert!(all.counts("beta"));
        assert_eq!(all.same_as("beta"), None);
    }

    #[test]
    fn what_another_manager_says_of_names_replaces_what_it_said_before() {
        let all = Identities::default();
        let said = |name: &str, answers| (name.to_owned(), "s-1".to_owned(), answers);
        all.put([said("alpha", false), said("beta", true)]);
        assert_eq!(all.counts_as("alpha").as_deref(), Some("beta"));
        all.put([said("alpha", false)]);
        assert!(all.counts("alpha") && all.counts("beta"));
    }

    #[test]
    fn two_names_of_one_server_are_told_once_whichever_counts() {
        let all = Identities::default();
        all.note("alpha", "s-1", true);
        all.note("beta", "s-1", true);
        assert_eq!(all.to_be_told("alpha"), None);
        assert_eq!(all.to_be_told("beta").as_deref(), Some("alpha"));
        assert_eq!(all.to_be_told("beta"), None);
        all.note("alpha", "s-1", false);
        assert_eq!(all.to_be_told("alpha"), None);
        // Watched anew, it is told anew.
        all.forget("beta");
        all.note("beta", "s-1", true);
        assert_eq!(all.to_be_told("alpha").as_deref(), Some("beta"));
    }
}
