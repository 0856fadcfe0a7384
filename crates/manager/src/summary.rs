//! How the components of a site stand, by the messages since a set time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use usher_api::ComponentSummary;
use usher_core::messages::{Standing, Summary};
use usher_site::SiteError;

use crate::app::Tools;

/// The site, then each component that has said anything.
pub(crate) async fn components(tools: &Tools) -> Result<Vec<ComponentSummary>, SiteError> {
    let thresholds = tools.thresholds.get();
    // A zone that is known no more, as after an update of the computer's own list.
    let zone = thresholds.zone().unwrap_or(jiff::tz::TimeZone::UTC);
    let since = thresholds.summaries.counted_since(Timestamp::now(), &zone);
    let since_ms = since.as_millisecond();
    let tallies = tools.try_in_site(move |site| site.tally(since_ms)).await?;
    let mut components: BTreeMap<String, Summary> = BTreeMap::new();
    let mut site = Summary::default();
    for tally in tallies {
        let component = components.entry(tally.component).or_default();
        component.add(tally.severity, tally.count);
        site.add(tally.severity, tally.count);
    }
    let line = |component: &str, summary: &Summary, standing: Standing| ComponentSummary {
        component: component.to_owned(),
        status: word(standing).to_owned(),
        informational: summary.informational,
        warnings: summary.warning,
        errors: summary.error,
        since,
    };
    let stands = |name: &str, summary: &Summary| summary.standing(thresholds.summaries.of(name));
    let lines: Vec<(Standing, ComponentSummary)> = components
        .iter()
        .map(|(name, summary)| {
            let standing = stands(name, summary);
            (standing, line(name, summary, standing))
        })
        .collect();
    // A site is no better than its worst component.
    let worst = lines.iter().map(|(standing, _)| *standing).max();
    let standing = site
        .standing(&thresholds.summaries.site)
        .max(worst.unwrap_or_default());
    let mut items = vec![line("site", &site, standing)];
    items.extend(lines.into_iter().map(|(_, line)| line));
    Ok(items)
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Ok => "ok",
        Standing::Warning => "warning",
        Standing::Critical => "critical",
    }
}
