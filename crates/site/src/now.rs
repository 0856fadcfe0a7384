//! What a site is asked of now and of what has settled: sources that other licence servers are known
//! by, and refusals of which it is known how they ended. Times are Unix milliseconds.

use usher_core::usage::Denials;

use crate::used::RunningUse;

/// The most sources, products of a source, and entitlements of a source that are told; the first by
/// their names.
pub const NOW_LIMIT: u32 = 10_000;

/// Another licence server, as its finished imports tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceNow {
    /// The source.
    pub source: String,
    /// The last instant of which an import tells; none: none says it.
    pub until_ms: Option<i64>,
    /// When its last import was finished.
    pub imported_ms: i64,
    /// Imports that were finished within the week before that, that one included.
    pub imports_of_week: u64,
    /// On how many days (UTC) that was.
    pub days_of_week: u64,
    /// What it tells of its products at that last instant; none: that is too long ago.
    pub products: Option<Vec<ProductNow>>,
    /// What is owned by its word, as far as seats are counted.
    pub entitlements: Vec<EntitlementNow>,
}

/// A product of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductNow {
    /// Product id.
    pub product: String,
    /// Which server of the source, if its report names several of that product.
    pub server: Option<String>,
    /// Seats; none: uncounted, or not told.
    pub seats: Option<u64>,
    /// Seats in use; none: not told.
    pub in_use: Option<u64>,
    /// Seats that are reserved for somebody; none: not told.
    pub reserved: Option<u64>,
    /// Seats that are waited for.
    pub waiting: u64,
}

/// An entitlement of a source that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitlementNow {
    /// Product id.
    pub product: String,
    /// Seats, overdraft included.
    pub seats: u64,
    /// The first day, as `2026-12-31`.
    pub from_day: Option<String>,
    /// The last day, as `2026-12-31`.
    pub to_day: Option<String>,
}

/// Who has told of refusals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Teller {
    /// The metering server with that id, by its history.
    Server(String),
    /// The source, by its finished imports.
    Source(String),
}

/// A time of which everything is known that somebody tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledTime {
    /// The server or source that tells of it.
    pub teller: Teller,
    /// From behind this instant on.
    pub after_ms: i64,
    /// Up to this instant, included.
    pub through_ms: i64,
}

/// A question about refusals that have settled.
#[derive(Debug, Clone, Default)]
pub struct SettledAsked {
    /// The times, each of another teller.
    pub times: Vec<SettledTime>,
    /// Leases that have not ended yet, of products that were refused, by the products' ids.
    pub running: Vec<(String, Vec<RunningUse>)>,
}

/// The refusals of one product that one teller told of in its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Who told of them.
    pub teller: Teller,
    /// Product id.
    pub product: String,
    /// What became of them.
    pub denials: Denials,
}
