//! How the components of a site stand, by the messages since a set time and by what is open now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use usher_api::ComponentSummary;
use usher_core::concerns::counted;
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
        let is_open = spell.to_ms.is_none();
        for it in [components.entry(spell.component).or_default(), &mut site] {
            it.lasted.add(span, spell.severity, is_open);
        }
    }
    for tally in told.tallies {
        for it in [components.entry(tally.component).or_default(), &mut site] {
            it.said.add(tally.severity, tally.count);
        }
    }
    // Also where the rules keep no message about it.
    let seen = of_servers(app);
    if seen.standing > Standing::Ok {
        let servers = components.entry(METERING_SERVER.to_owned()).or_default();
        servers.seen = seen;
    }
    let line = |name: &str, it: &Component, stands: Stands| ComponentSummary {
        component: name.to_owned(),
        status: word(stands.standing).to_owned(),
        why: stands.why,
        informational: it.said.informational,
        warnings: it.said.warning,
        errors: it.said.error,
        since,
        open: it.lasted.open(),
        open_seconds: u64::try_from(it.lasted.ms).unwrap_or(0) / 1_000,
    };
    let mut worst = Stands::default();
    let mut lines = Vec::with_capacity(components.len());
    for (name, it) in &components {
        let stands = it.stands(thresholds.summaries.of(name));
        if stands.outweighs(&worst) {
            let why = stands.why.as_deref().unwrap_or_default();
            worst = Stands {
                why: Some(format!("{name}: {why}")),
                ..stands.clone()
            };
        }
        lines.push(line(name, it, stands));
    }
    // A site is no better than its worst component.
    let counted = site.counted(&thresholds.summaries.site);
    let stands = if counted.outweighs(&worst) {
        counted
    } else {
        worst
    };
    let mut items = vec![line("site", &site, stands)];
    items.extend(lines);
    Ok(items)
}

/// How the servers stand by their verdicts; one that was not looked at yet says nothing.
fn of_servers(app: &App) -> Stands {
    let watches = app.watches();
    let views = watches.values().map(|watch| watch.view.get());
    let mut worst = Stands::default();
    for view in views.filter(|view| view.polled_at.is_some()) {
        let verdict = Verdict::of_name(&view.verdict).map(Verdict::standing);
        let standing = verdict.unwrap_or_default();
        let (standing, how) = match &view.grants_nothing {
            Some(_) if standing < Standing::Warning => (Standing::Warning, "granting nothing"),
            _ => (standing, view.verdict.as_str()),
        };
        let stands = Stands::now(standing, format!("the server {} is {how}", view.name));
        if stands.outweighs(&worst) {
            worst = stands;
        }
    }
    worst
}

/// How something stands, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Stands {
    standing: Standing,
    /// None: all is well with it.
    why: Option<String>,
    /// By what is so now, not by what was counted.
    is_now: bool,
}

impl Stands {
    /// By what is so now.
    fn now(standing: Standing, why: String) -> Stands {
        Stands {
            why: (standing > Standing::Ok).then_some(why),
            standing,
            is_now: true,
        }
    }

    /// Whether it is worse, or says more of what is equally bad: what is so now is worth more than
    /// what was counted since the morning.
    fn outweighs(&self, other: &Stands) -> bool {
        let weight = |it: &Stands| (it.standing, it.why.is_some() && it.is_now);
        weight(self) > weight(other)
    }
}

/// What is known of one component.
#[derive(Debug, Default)]
struct Component {
    said: Summary,
    lasted: Lasted,
    /// By what is seen now.
    seen: Stands,
}

impl Component {
    fn stands(&self, thresholds: &Thresholds) -> Stands {
        let mut stands = self.seen.clone();
        for other in [self.open(thresholds), self.counted(thresholds)] {
            if other.outweighs(&stands) {
                stands = other;
            }
        }
        stands
    }

    /// By what is open, however few that is.
    fn open(&self, thresholds: &Thresholds) -> Stands {
        let worst = [Severity::Error, Severity::Warning];
        let worst = worst.into_iter().find(|it| self.lasted.open_of(*it) > 0);
        let Some(severity) = worst else {
            return Stands::default();
        };
        let count = self.lasted.open_of(severity);
        let is = if count == 1 { "is" } else { "are" };
        let why = format!("{} {is} open", counted(count, severity.name()));
        Stands::now(thresholds.while_open(severity), why)
    }

    /// By how many messages came.
    fn counted(&self, thresholds: &Thresholds) -> Stands {
        let Some(passed) = self.said.passed(thresholds) else {
            return Stands::default();
        };
        let what = match passed.severity {
            Severity::Informational => "other message",
            severity => severity.name(),
        };
        let open = match (self.lasted.open_of(passed.severity), passed.count) {
            (0, 1) => ", not open now",
            (0, _) => ", none of them open now",
            _ => "",
        };
        let why = format!(
            "{} came since then{open} ({} from {} on)",
            counted(passed.count, what),
            word(passed.standing),
            passed.from
        );
        Stands {
            standing: passed.standing,
            why: Some(why),
            is_now: false,
        }
    }
}

/// How long any of the trouble lasted, added in the order in which it came, and what is open.
#[derive(Debug, Default)]
struct Lasted {
    ms: i64,
    until_ms: i64,
    /// By severity, from the least on.
    open: [u64; 3],
}

impl Lasted {
    fn add(&mut self, (from_ms, to_ms): (i64, i64), severity: Severity, is_open: bool) {
        self.open[severity as usize] += u64::from(is_open);
        if severity < Severity::Warning {
            // It is no trouble.
            return;
        }
        // What lasts at the same time is counted once.
        let from_ms = from_ms.max(self.until_ms);
        self.ms += (to_ms - from_ms).max(0);
        self.until_ms = self.until_ms.max(to_ms);
    }

    fn open(&self) -> u64 {
        self.open.iter().sum()
    }

    fn open_of(&self, severity: Severity) -> u64 {
        self.open[severity as usize]
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
        use Severity::{Error, Informational, Warning};
        let mut lasted = Lasted::default();
        for (span, severity, is_open) in [
            ((100, 200), Warning, false),
            ((110, 150), Error, false),
            ((190, 300), Warning, true),
            ((400, 900), Informational, true),
            ((500, 600), Warning, false),
            ((590, 610), Error, true),
        ] {
            lasted.add(span, severity, is_open);
        }
        assert_eq!((lasted.ms, lasted.open()), (310, 3));
        assert_eq!(lasted.open, [1, 1, 1]);
    }

    #[test]
    fn why_a_component_stands_so_is_said_first_by_what_is_so_now() {
        let thresholds = Thresholds::default();
        let mut component = Component::default();
        assert_eq!(component.stands(&thresholds), Stands::default());
        let why = |component: &Component| {
            let stands = component.stands(&thresholds);
            (word(stands.standing), stands.why.unwrap())
        };
        component.said.add(Severity::Error, 5);
        let (word, said) = why(&component);
        assert_eq!(word, "critical");
        assert_eq!(
            said,
            "5 errors came since then, none of them open now (critical from 5 on)"
        );
        component.lasted.add((0, 9), Severity::Warning, true);
        assert_eq!(why(&component).1, said, "a warning makes nothing critical");
        component.lasted.add((0, 9), Severity::Error, true);
        assert_eq!(why(&component).1, "1 error is open");
        component.seen = Stands::now(Standing::Critical, "the server a is stopped".to_owned());
        assert_eq!(why(&component).1, "the server a is stopped");
    }
}
