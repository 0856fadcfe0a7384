//! What more than one report is made from.

use std::collections::BTreeMap;

use usher_api::{Entitlement, LastUse, Metric, SiteUsage, Timestamp};

/// How products were used.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// The whole time: an item for each product, in the order of their ids.
    pub whole: Vec<SiteUsage>,
    /// The time in stretches of the asked grain, product by product, each from its beginning on;
    /// empty if no grain was asked for.
    pub by_time: Vec<SiteUsage>,
}

impl Figures {
    /// Those of a product over the whole time. Of one that is counted here and elsewhere it is the
    /// item with the most of what `by` says.
    pub(crate) fn of(&self, product: &str, by: impl Fn(&SiteUsage) -> u64) -> Option<&SiteUsage> {
        let items = self.whole.iter().filter(|it| it.product == product);
        // Of several with as much the last is taken: that is the first of them in their order.
        items.rev().max_by_key(|it| by(it))
    }
}

/// What a person or a computer used of a product within the time.
#[derive(Debug, Clone, PartialEq)]
pub struct UseOf {
    /// The name of the person or the computer, as [`usher_api::GroupBy`] says.
    pub of: String,
    /// The realm of the person; none for computers.
    pub realm: Option<String>,
    /// Product id.
    pub product: String,
    /// Sessions, and leases that no session held.
    pub sessions: u64,
    /// Different people: 1 for a person.
    pub users: u64,
    /// Different computers: 1 for a computer.
    pub computers: u64,
    /// How long all sessions lasted in the time, together.
    pub open_seconds: f64,
    /// For how long of that somebody touched the program; none if that is not recorded.
    pub active_seconds: Option<f64>,
    /// Seats held, by seconds.
    pub seat_seconds: f64,
    /// The last use, also before the time.
    pub last_use: LastUse,
}

/// A group of people, or those who are in none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfGroup {
    /// The group of that name.
    Group(String),
    /// Those who are in no group.
    InNone,
    /// Those of whom it is not known which groups they are in.
    NotKnown,
}

/// What a group used of a product within the time.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupUse {
    /// Whose it is.
    pub whose: OfGroup,
    /// Product id.
    pub product: String,
    /// Sessions, and leases that no session held.
    pub sessions: u64,
    /// Different people.
    pub users: u64,
    /// Different computers.
    pub computers: u64,
    /// How long all sessions lasted in the time, together.
    pub open_seconds: f64,
    /// As of [`UseOf::active_seconds`].
    pub active_seconds: Option<f64>,
    /// Seats held, by seconds.
    pub seat_seconds: f64,
    /// The most seats of the group at once; none: there are too many uses to find it.
    pub peak: Option<u64>,
    /// The first instant of the peak; none also if no seat was in use.
    pub peak_at: Option<Timestamp>,
    /// The last use within the time.
    pub last_use: LastUse,
}

/// What groups used. Who is in several groups counts in each of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupUses {
    /// By group and product, in any order.
    pub uses: Vec<GroupUse>,
    /// Whether somebody who used something is in several groups.
    pub in_several: bool,
    /// Seats held by seconds of each product, each use once.
    pub seat_seconds: BTreeMap<String, f64>,
    /// Why it is not known of some people which groups they are in; empty: it is of all.
    pub why_not_known: String,
}

/// An entitlement, and the server that owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedOn {
    /// The server's name.
    pub server: String,
    /// The entitlement.
    pub entitlement: Entitlement,
}

/// The word of a metric in the API.
pub(crate) fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::Concurrent => "concurrent",
        Metric::NamedUser => "named_user",
        Metric::Device => "device",
        Metric::Core => "core",
        Metric::Token => "token",
    }
}
