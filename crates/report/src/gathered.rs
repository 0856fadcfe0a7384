//! What more than one report is made from.

use usher_api::{Entitlement, LastUse, Metric, SiteUsage};

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

/// What a person, a computer or a group used of a product within the time.
#[derive(Debug, Clone, PartialEq)]
pub struct UseOf {
    /// The name of the person, the computer or the group, as [`usher_api::GroupBy`] says.
    pub of: String,
    /// The realm of the person; none for computers and groups.
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
