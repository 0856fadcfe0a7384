//! How the components of a site stand, by the messages since a set time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use usher_api::ComponentSummary;
use usher_core::messages::{Standing, Summary};
use usher_site::SiteError;

use crate::clock::wall_ms;
use crate::tools::Tools;

/// The site, then each component that has said anything.
pub(crate) async fn components(tools: &Tools) -> Result<Vec<ComponentSummary>, SiteError> {
    let thresholds = tools.thresholds.get();
    // A zone that is known no more, as after an update of the computer's own list.
    let zone = thresholds.zone().unwrap_or(jiff::tz::TimeZone::UTC);
    let since = thresholds.summaries.counted_since(Timestamp::now(), &zone);
    let since_ms = since.as_millisecond();
    let (tallies, spells) = tools
        .try_in_site(move |site| Ok((site.tally(since_ms)?, site.spells(since_ms)?)))
        .await?;
    let now_ms = wall_ms();
    let mut lasted: BTreeMap<String, Lasted> = BTreeMap::new();
    let mut site_lasted = Lasted::default();
    for spell in spells {
        let span = (spell.from_ms.max(since_ms), spell.to_ms.unwrap_or(now_ms));
        for it in [lasted.entry(spell.component).or_default(), &mut site_lasted] {
            it.add(span, spell.to_ms.is_none());
        }
    }
    let mut components: BTreeMap<String, Summary> = BTreeMap::new();
    let mut site = Summary::default();
    for tally in tallies {
        let component = components.entry(tally.component).or_default();
        component.add(tally.severity, tally.count);
        site.add(tally.severity, tally.count);
    }
    let line = |component: &str, summary: &Summary, lasted: &Lasted, standing| ComponentSummary {
        component: component.to_owned(),
        status: word(standing).to_owned(),
        informational: summary.informational,
        warnings: summary.warning,
        errors: summary.error,
        since,
        open: lasted.open,
        open_seconds: u64::try_from(lasted.ms).unwrap_or(0) / 1_000,
    };
    let none = Lasted::default();
    let stands = |name: &str, summary: &Summary| summary.standing(thresholds.summaries.of(name));
    let lines: Vec<(Standing, ComponentSummary)> = components
        .iter()
        .map(|(name, summary)| {
            let standing = stands(name, summary);
            let lasted = lasted.get(name).unwrap_or(&none);
            (standing, line(name, summary, lasted, standing))
        })
        .collect();
    // A site is no better than its worst component.
    let worst = lines.iter().map(|(standing, _)| *standing).max();
    let standing = site
        .standing(&thresholds.summaries.site)
        .max(worst.unwrap_or_default());
    let mut items = vec![line("site", &site, &site_lasted, standing)];
    items.extend(lines.into_iter().map(|(_, line)| line));
    Ok(items)
}

/// How long any of the trouble lasted, added in the order in which it came.
#[derive(Debug, Default)]
struct Lasted {
    ms: i64,
    until_ms: i64,
    open: u64,
}

impl Lasted {
    fn add(&mut self, (from_ms, to_ms): (i64, i64), is_open: bool) {
        self.open += u64::from(is_open);
        // What lasts at the same time is counted once.
        let from_ms = from_ms.max(self.until_ms);
        self.ms += (to_ms - from_ms).max(0);
        self.until_ms = self.until_ms.max(to_ms);
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Ok => "ok",
        Standing::Warning => "warning",
        Standing::Critical => "critical",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_that_lasts_at_the_same_time_is_counted_once() {
        let mut lasted = Lasted::default();
        for (span, is_open) in [
            ((100, 200), false),
            ((110, 150), false),
            ((190, 300), true),
            ((500, 600), false),
            ((590, 610), true),
        ] {
            lasted.add(span, is_open);
        }
        assert_eq!((lasted.ms, lasted.open), (310, 2));
    }
}
