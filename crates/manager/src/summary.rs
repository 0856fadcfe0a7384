//! How the components of a site stand, by the messages since a set time and by what is open now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use usher_api::ComponentSummary;
use usher_core::health::Verdict;
use usher_core::messages::{METERING_SERVER, Severity, Standing, Summary, Thresholds};
use usher_site::SiteError;

use crate::app::App;
use crate::clock::wall_ms;

/// The site, then each component that has said anything. None stands better than what is open: the
/// same is told by `usher check`.
pub(crate) async fn components(app: &App) -> Result<Vec<ComponentSummary>, SiteError> {
    let thresholds = app.tools.thresholds.get();
    // A zone that is known no more, as after an update of the computer's own list.
    let zone = thresholds.zone().unwrap_or(jiff::tz::TimeZone::UTC);
    let since = thresholds.summaries.counted_since(Timestamp::now(), &zone);
    let since_ms = since.as_millisecond();
    let told = app.tools.site.standing(since_ms).await?;
    let now_ms = wall_ms();
    let mut components: BTreeMap<String, Component> = BTreeMap::new();
    let mut site = Component::default();
    for spell in told.spells {
        let span = (spell.from_ms.max(since_ms), spell.to_ms.unwrap_or(now_ms));
        let open = spell.to_ms.is_none().then_some(spell.severity);
        for it in [components.entry(spell.component).or_default(), &mut site] {
            it.lasted.add(span, open);
        }
    }
    for tally in told.tallies {
        for it in [components.entry(tally.component).or_default(), &mut site] {
            it.said.add(tally.severity, tally.count);
        }
    }
    // Also where the rules keep no message about it.
    let seen = of_servers(app);
    if seen > Standing::Ok {
        let servers = components.entry(METERING_SERVER.to_owned()).or_default();
        servers.seen = seen;
    }
    let line = |name: &str, it: &Component, standing| ComponentSummary {
        component: name.to_owned(),
        status: word(standing).to_owned(),
        informational: it.said.informational,
        warnings: it.said.warning,
        errors: it.said.error,
        since,
        open: it.lasted.open,
        open_seconds: u64::try_from(it.lasted.ms).unwrap_or(0) / 1_000,
    };
    let lines: Vec<(Standing, ComponentSummary)> = components
        .iter()
        .map(|(name, it)| {
            let standing = it.stands(thresholds.summaries.of(name));
            (standing, line(name, it, standing))
        })
        .collect();
    // A site is no better than its worst component.
    let worst = lines.iter().map(|(standing, _)| *standing).max();
    let standing = site.said.standing(&thresholds.summaries.site);
    let standing = standing.max(worst.unwrap_or_default());
    let mut items = vec![line("site", &site, standing)];
    items.extend(lines.into_iter().map(|(_, line)| line));
    Ok(items)
}

/// How the servers stand by their verdicts; one that was not looked at yet says nothing.
fn of_servers(app: &App) -> Standing {
    let keepers = app.keepers();
    let views = keepers.values().map(|keeper| keeper.view.get());
    let standing = views.filter(|view| view.polled_at.is_some()).map(|view| {
        let verdict = Verdict::of_name(&view.verdict).map(Verdict::standing);
        match view.grants_nothing {
            Some(_) => verdict.max(Some(Standing::Warning)),
            None => verdict,
        }
    });
    standing.flatten().max().unwrap_or_default()
}

/// What is known of one component.
#[derive(Debug, Default)]
struct Component {
    said: Summary,
    lasted: Lasted,
    /// By what is seen now.
    seen: Standing,
}

impl Component {
    fn stands(&self, thresholds: &Thresholds) -> Standing {
        let open = self.lasted.worst.map(|it| thresholds.while_open(it));
        let counted = self.said.standing(thresholds);
        counted.max(open.unwrap_or_default()).max(self.seen)
    }
}

/// How long any of the trouble lasted, added in the order in which it came.
#[derive(Debug, Default)]
struct Lasted {
    ms: i64,
    until_ms: i64,
    open: u64,
    /// The worst of what is open.
    worst: Option<Severity>,
}

impl Lasted {
    fn add(&mut self, (from_ms, to_ms): (i64, i64), open: Option<Severity>) {
        self.open += u64::from(open.is_some());
        self.worst = self.worst.max(open);
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
        for (span, open) in [
            ((100, 200), None),
            ((110, 150), None),
            ((190, 300), Some(Severity::Warning)),
            ((500, 600), None),
            ((590, 610), Some(Severity::Error)),
        ] {
            lasted.add(span, open);
        }
        assert_eq!((lasted.ms, lasted.open), (310, 2));
        assert_eq!(lasted.worst, Some(Severity::Error));
    }
}
