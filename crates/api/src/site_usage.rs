//! `GET /v1/usage` of a manager: how products were used in the whole site, in stretches of time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of stretches, product by product in the order of their ids, each from its beginning on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SiteUsagePage {
    /// The stretches.
    pub items: Vec<SiteUsage>,
    /// Give this as `cursor` for the next page; null at the end.
    pub next: Option<String>,
    /// The time zone whose hours, days, weeks and months these are.
    pub time_zone: String,
    /// Up to which event of which server all is in it. What still runs is as the servers said it
    /// when they were asked.
    pub as_of: Vec<AsOf>,
    /// What is not in it.
    pub cut: Vec<Cut>,
}

/// The last event of a server that an answer counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AsOf {
    /// The name of the server; its id if it is no longer watched.
    pub server: String,
    /// The life of its data that `event` is of.
    pub incarnation: u32,
    /// All that ended up to this event is in it.
    pub event: u64,
    /// When that was known.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
}

/// Something that is not in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cut {
    /// What: `history`, `running` (uses that have not ended) or `owned`, and whose.
    pub what: String,
    /// Why it is not there.
    pub why: String,
    /// What was before that time is not there; null: what is missing has no such end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub before: Option<Timestamp>,
}

/// How a product was used in a stretch of time, which is a half-open interval. A use counts in each
/// stretch that it overlaps; a refusal and a wait count in the one in which they began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SiteUsage {
    /// Product id.
    pub product: String,
    /// When the stretch begins.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// When it ends: the first instant behind it.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Sessions, and leases that no session held; checkouts if the product is counted elsewhere.
    pub sessions: u64,
    /// Different people.
    pub users: u64,
    /// Different computers.
    pub computers: u64,
    /// How long all sessions lasted in it, together.
    pub open_seconds: f64,
    /// For how long of that somebody touched the program; null if that is not recorded.
    pub active_seconds: Option<f64>,
    /// The most seats at once, of leases and of what ran without a seat.
    pub peak: u64,
    /// The first instant of the peak; null if nothing was in use.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub peak_at: Option<Timestamp>,
    /// The most sessions at once.
    pub running_peak: u64,
    /// Seats that were not exceeded for 95 % of the time.
    pub p95: u64,
    /// Seat seconds by seconds.
    pub mean: f64,
    /// The most seats owned at once, as the servers' entitlements say it now; null if a server does
    /// not say it, and if the product is counted elsewhere.
    pub owned: Option<u64>,
    /// The most seats reserved at once.
    pub reserved: u64,
    /// Sessions that ran without a seat for some time.
    pub unseated_sessions: u64,
    /// Waits for seats.
    pub waits: SiteWaits,
    /// Refusals.
    pub denials: SiteDenials,
    /// For how long of it, up to now, the history of some server of the site is not known yet; if
    /// the product is counted elsewhere, no finished import of some source of it has told of.
    pub unobserved_seconds: f64,
    /// Who counts the product.
    pub counted: CountedBy,
    /// Whether it may still change by itself: a refusal that counts as final may turn out satisfied
    /// later, as it reaches to less than 15 minutes before what is known.
    pub provisional: bool,
}

/// Waits by how long they lasted. A percentile is the length of one of them; all are 0 if there were
/// none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SiteWaits {
    /// How many there were.
    pub count: u64,
    /// Half of them lasted no longer.
    pub p50_seconds: f64,
    /// 95 % of them lasted no longer.
    pub p95_seconds: f64,
    /// The longest.
    pub longest_seconds: f64,
}

/// Refusals by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SiteDenials {
    /// Of people who got no seat.
    #[serde(rename = "final")]
    pub for_good: u64,
    /// Of people who got one, anywhere in the site, less than 15 minutes later.
    pub satisfied_later: u64,
    /// Of people who had been refused on the same computer less than 15 minutes before.
    pub retries: u64,
}

/// Who counts a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountedBy {
    /// A metering server.
    Here,
    /// Another licence server.
    Elsewhere,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_the_fields_that_the_contract_names() {
        let item = SiteUsage {
            product: "cad".to_owned(),
            from: Timestamp::UNIX_EPOCH,
            to: Timestamp::UNIX_EPOCH,
            sessions: 0,
            users: 0,
            computers: 0,
            open_seconds: 0.0,
            active_seconds: None,
            peak: 0,
            peak_at: None,
            running_peak: 0,
            p95: 0,
            mean: 0.0,
            owned: None,
            reserved: 0,
            unseated_sessions: 0,
            waits: SiteWaits {
                count: 0,
                p50_seconds: 0.0,
                p95_seconds: 0.0,
                longest_seconds: 0.0,
            },
            denials: SiteDenials {
                for_good: 3,
                satisfied_later: 2,
                retries: 1,
            },
            unobserved_seconds: 0.0,
            counted: CountedBy::Here,
            provisional: false,
        };
        let text = serde_json::to_string(&item).unwrap();
        let expected = concat!(
            r#"{"product":"cad","from":"1970-01-01T00:00:00Z","to":"1970-01-01T00:00:00Z","#,
            r#""sessions":0,"users":0,"computers":0,"open_seconds":0.0,"active_seconds":null,"#,
            r#""peak":0,"peak_at":null,"running_peak":0,"p95":0,"mean":0.0,"owned":null,"#,
            r#""reserved":0,"unseated_sessions":0,"waits":{"count":0,"p50_seconds":0.0,"#,
            r#""p95_seconds":0.0,"longest_seconds":0.0},"denials":{"final":3,"#,
            r#""satisfied_later":2,"retries":1},"unobserved_seconds":0.0,"counted":"here","#,
            r#""provisional":false}"#,
        );
        assert_eq!(text, expected);
    }
}
