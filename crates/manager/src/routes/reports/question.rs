//! What a request asks of a report, checked.

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use usher_api::{Code, GroupBy, ReportGrain, ReportName, ReportParameters};
use usher_core::usage::{Bucket, Grain, buckets};
use usher_http::shown;
use usher_report::{Asked as Basis, Kept};
use usher_site::Retained;

use crate::app::App;
use crate::clock::date;
use crate::problem::Refusal;
use crate::routes::usage::one_of;
use crate::routes::usage::period::{Period, Said};

/// The most stretches of time of one product, and of all together.
pub(super) const STRETCHES_LIMIT: usize = usher_report::ROWS_LIMIT;

const DAY_MS: i64 = 86_400_000;

/// The query as it comes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    product: Option<String>,
    user: Option<String>,
    group_by: Option<String>,
    grain: Option<String>,
    from: Option<String>,
    to: Option<String>,
    since: Option<String>,
    until: Option<String>,
    time_zone: Option<String>,
    pub(super) format: Option<String>,
}

/// A question that can be answered.
pub(super) struct Question {
    pub(super) name: ReportName,
    /// What applies to the report.
    pub(super) parameters: ReportParameters,
    pub(super) period: Period,
    pub(super) zone: TimeZone,
    /// The time in stretches of the grain; none if no grain applies.
    pub(super) stretches: Vec<Bucket>,
}

impl Question {
    pub(super) fn of(app: &App, name: ReportName, asked: Asked) -> Result<Question, Refusal> {
        let said = Said {
            grain: None,
            from: one_of(("from", &asked.from), ("since", &asked.since))?,
            to: one_of(("to", &asked.to), ("until", &asked.until))?,
            time_zone: asked.time_zone.as_deref(),
        };
        let period = said.period(app, None)?;
        // It was found by that name, or is UTC.
        let zone = TimeZone::get(&period.time_zone).unwrap_or(TimeZone::UTC);
        let group_by: Option<GroupBy> = word("group_by", asked.group_by, GROUPS)?;
        let grain: Option<ReportGrain> = word("grain", asked.grain, GRAINS)?;
        let applies = Applies::to(name);
        let grain = grain.unwrap_or_else(|| suitable(period.to_ms.saturating_sub(period.from_ms)));
        let grain = applies.grain.then_some(grain);
        let stretches = match grain {
            None => Vec::new(),
            Some(grain) => stretches(&period, of_usage(grain), &zone)?,
        };
        Ok(Question {
            name,
            parameters: ReportParameters {
                product: asked.product.filter(|_| applies.product),
                user: asked.user.filter(|_| applies.user),
                group_by: group_by.filter(|by| applies.group_by.contains(by)),
                grain,
            },
            period,
            zone,
            stretches,
        })
    }

    pub(super) fn product(&self) -> Option<&str> {
        self.parameters.product.as_deref()
    }

    /// The kinds of rows that it is answered from.
    pub(super) fn rows(&self) -> &'static [Retained] {
        match self.name {
            ReportName::Usage => &Retained::ALL,
            ReportName::People | ReportName::Cost => &[Retained::Sessions],
            ReportName::GaveUp => &[Retained::Sessions, Retained::Denials],
            ReportName::Denials => &[Retained::Sessions, Retained::Denials],
            ReportName::Position => &[Retained::Sessions, Retained::Denials],
            ReportName::Waits => &[Retained::Waits],
            // Roll-ups say when something was used, and by how many at once.
            ReportName::Peaks | ReportName::Heatmap | ReportName::Unused => &[],
            ReportName::Expiring => &[],
            // Of the moment.
            ReportName::Holders | ReportName::Programs | ReportName::Health => &[],
        }
    }

    /// The whole time in one.
    pub(super) fn whole(&self) -> Bucket {
        Bucket {
            from_ms: self.period.from_ms,
            to_ms: self.period.to_ms,
        }
    }

    /// What a builder is told of it; nothing is known of the history yet.
    pub(super) fn basis(&self) -> Basis {
        Basis {
            parameters: self.parameters.clone(),
            from: date(self.period.from_ms),
            to: date(self.period.to_ms),
            now: date(self.period.now_ms),
            zone: self.zone.clone(),
            as_of: Vec::new(),
            kept: Kept::default(),
            cut: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Which parameters apply to a report.
struct Applies {
    product: bool,
    user: bool,
    /// What its rows may stand for.
    group_by: &'static [GroupBy],
    grain: bool,
}

impl Applies {
    fn to(name: ReportName) -> Applies {
        use ReportName::{
            Cost, Denials, GaveUp, Health, Holders, Peaks, People, Programs, Usage, Waits,
        };
        Applies {
            product: !matches!(name, Programs | Health),
            user: matches!(name, People | Holders | GaveUp),
            group_by: match name {
                Usage | Cost => &[
                    GroupBy::Product,
                    GroupBy::User,
                    GroupBy::Computer,
                    GroupBy::Group,
                ],
                Peaks | People => &[GroupBy::Group],
                _ => &[],
            },
            grain: matches!(name, Usage | Peaks | Denials | Waits),
        }
    }
}

const GROUPS: &str = "product, user, computer or group";
const GRAINS: &str = "hour, day, week or month";

/// A word of the API; `known` is which there are.
fn word<T: DeserializeOwned>(
    field: &str,
    said: Option<String>,
    known: &str,
) -> Result<Option<T>, Refusal> {
    let Some(said) = said else {
        return Ok(None);
    };
    let word = serde_json::Value::String(said.clone());
    serde_json::from_value(word).map(Some).map_err(|_| {
        Refusal::invalid(format!(
            "`{field}` is {}: give {known}, or leave it out",
            shown(&said)
        ))
    })
}

/// The grain of which a time of that length has some dozens of stretches.
fn suitable(length_ms: i64) -> ReportGrain {
    match length_ms.div_euclid(DAY_MS) {
        ..=3 => ReportGrain::Hour,
        4..=120 => ReportGrain::Day,
        121..=800 => ReportGrain::Week,
        _ => ReportGrain::Month,
    }
}

fn of_usage(grain: ReportGrain) -> Grain {
    match grain {
        ReportGrain::Hour => Grain::Hour,
        ReportGrain::Day => Grain::Day,
        ReportGrain::Week => Grain::Week,
        ReportGrain::Month => Grain::Month,
    }
}

/// The stretches of a time.
pub(super) fn stretches(
    period: &Period,
    grain: Grain,
    zone: &TimeZone,
) -> Result<Vec<Bucket>, Refusal> {
    let stretches = buckets(period.from_ms, period.to_ms, grain, zone)
        .map_err(|error| Refusal::invalid(error.to_string()))?;
    match stretches.len() {
        many if many > STRETCHES_LIMIT => Err(Refusal::invalid(format!(
            "the time has {many} such stretches, and a report has at most {STRETCHES_LIMIT}: \
             choose a coarser `grain` or less time"
        ))),
        _ => Ok(stretches),
    }
}

/// The report of that name.
pub(super) fn name(text: &str) -> Result<ReportName, Refusal> {
    // As people write it on a command line, too.
    text.replace('-', "_").parse().map_err(|_| unknown(text))
}

/// There is no report of that name.
pub(super) fn unknown(text: &str) -> Refusal {
    let names: Vec<&str> = ReportName::ALL.iter().map(|name| name.word()).collect();
    Refusal::new(
        Code::NotFound,
        format!(
            "there is no report named {}: there are {}",
            shown(text),
            names.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_some_dozens_of_stretches() {
        let of_days = |days: i64| suitable(days * DAY_MS);
        assert_eq!(of_days(1), ReportGrain::Hour);
        assert_eq!(of_days(30), ReportGrain::Day);
        assert_eq!(of_days(366), ReportGrain::Week);
        assert_eq!(of_days(3_000), ReportGrain::Month);
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_all_that_there_are() {
        assert_eq!(name("gave-up").ok(), Some(ReportName::GaveUp));
        let refusal = name("use").unwrap_err();
        let said = format!("{refusal:?}");
        for name in ReportName::ALL {
            assert!(said.contains(name.word()), "{said}");
        }
    }
}
