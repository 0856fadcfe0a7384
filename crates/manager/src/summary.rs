//! The status of a site's components, by the messages since a set time and by what is open now.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use usher_api::ComponentSummary;
use usher_core::concerns::counted;
use usher_core::health::Verdict;
use usher_core::messages::{METERING_SERVER, Passed, Severity, Standing, Summary, Thresholds};
use usher_site::SiteError;

use crate::app::App;
use crate::clock::wall_ms;

/// How many servers in the same state are named; the rest is counted.
const NAMED: usize = 3;

/// The summary of the site, then of each component that has messages. No status is better than what
/// is open; `usher check` reports the same.
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
            it.lasting
                .add(tally.severity, tally.count.saturating_sub(tally.over));
        }
    }
    // Even if the rules keep no message about it.
    let seen = of_servers(app);
    if !seen.is_empty() {
        let servers = components.entry(METERING_SERVER.to_owned()).or_default();
        servers.seen = seen;
    }
    let line = |name: &str, it: &Component, reasons: &[Reason]| ComponentSummary {
        component: name.to_owned(),
        status: word(standing(reasons)).to_owned(),
        why: why(reasons),
        informational: it.said.informational,
        warnings: it.said.warning,
        errors: it.said.error,
        since,
        open: it.lasted.open(),
        open_seconds: u64::try_from(it.lasted.ms).unwrap_or(0) / 1_000,
    };
    // A site is no better than its worst component.
    let mut of_site = Vec::new();
    let mut lines = Vec::with_capacity(components.len());
    for (name, it) in &components {
        let reasons = it.reasons(thresholds.summaries.of(name));
        of_site.extend(why(&reasons).map(|why| Reason {
            standing: standing(&reasons),
            why: format!("{name}: {why}"),
            is_now: reasons.first().is_some_and(|first| first.is_now),
        }));
        lines.push(line(name, it, &reasons));
    }
    let counted = site.counted(&thresholds.summaries.site);
    if standing(&counted) > standing(&of_site) {
        of_site.extend(counted);
    }
    worst_first(&mut of_site);
    let mut items = vec![line("site", &site, &of_site)];
    items.extend(lines);
    Ok(items)
}

/// The reasons from the verdicts on servers; a server that was not polled yet gives none.
fn of_servers(app: &App) -> Vec<Reason> {
    let watches = app.watches();
    let views = watches.values().map(|watch| watch.view.get());
    let mut found: BTreeMap<(Reverse<Standing>, String), Vec<String>> = BTreeMap::new();
    for view in views.filter(|view| view.polled_at.is_some()) {
        let verdict = Verdict::of_name(&view.verdict).map(Verdict::standing);
        let standing = verdict.unwrap_or_default();
        let (standing, how) = match &view.grants_nothing {
            Some(_) if standing < Standing::Warning => (Standing::Warning, "granting nothing"),
            _ => (standing, view.verdict.as_str()),
        };
        if standing > Standing::Ok {
            let key = (Reverse(standing), how.to_owned());
            found.entry(key).or_default().push(view.name);
        }
    }
    let reasons = found.into_iter().map(|((standing, how), names)| Reason {
        standing: standing.0,
        why: format!("{} {how}", are(&names)),
        is_now: true,
    });
    reasons.collect()
}

/// `the server a is`, `the servers a and b are`, with `and 7 more` of many.
fn are(names: &[String]) -> String {
    let (first, rest) = names.split_at(names.len().min(NAMED));
    match (first, rest.len()) {
        ([one], 0) => format!("the server {one} is"),
        ([some @ .., last], 0) => format!("the servers {} and {last} are", some.join(", ")),
        (some, more) => format!("the servers {} and {more} more are", some.join(", ")),
    }
}

/// A reason why a status is not OK.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reason {
    /// The status for this reason: never OK.
    standing: Standing,
    why: String,
    /// Whether it holds now, and was not only counted.
    is_now: bool,
}

/// Sorts reasons: those that hold now come before those from counts.
fn worst_first(reasons: &mut [Reason]) {
    reasons.sort_by_key(|it| Reverse((it.standing, it.is_now)));
}

/// The status for these reasons.
fn standing(reasons: &[Reason]) -> Standing {
    let all = reasons.iter().map(|it| it.standing);
    all.max().unwrap_or_default()
}

/// All reasons in one line; none: the status is OK.
fn why(reasons: &[Reason]) -> Option<String> {
    let all: Vec<&str> = reasons.iter().map(|it| &*it.why).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// What is known about one component.
#[derive(Debug, Default)]
struct Component {
    /// Counts of all messages.
    said: Summary,
    /// Counts without trouble that is over; these decide the status.
    lasting: Summary,
    lasted: Lasted,
    /// Reasons that hold now.
    seen: Vec<Reason>,
}

impl Component {
    /// The reasons for its status, the worst first.
    fn reasons(&self, thresholds: &Thresholds) -> Vec<Reason> {
        let mut all = self.seen.clone();
        all.extend(self.open(thresholds));
        all.extend(self.counted(thresholds));
        worst_first(&mut all);
        all
    }

    /// The reason from open messages, however few.
    fn open(&self, thresholds: &Thresholds) -> Vec<Reason> {
        let reason = |severity: Severity| {
            let count = self.lasted.open_of(severity);
            let standing = thresholds.while_open(severity);
            let is = if count == 1 { "is" } else { "are" };
            (count > 0 && standing > Standing::Ok).then(|| Reason {
                standing,
                why: format!("{} {is} open", counted(count, severity.name())),
                is_now: true,
            })
        };
        let severities = [Severity::Error, Severity::Warning];
        severities.into_iter().filter_map(reason).collect()
    }

    /// The reasons from counts of messages whose trouble is not over.
    fn counted(&self, thresholds: &Thresholds) -> Vec<Reason> {
        let reason = |passed: Passed| {
            let what = match passed.severity {
                Severity::Informational => "other message",
                severity => severity.name(),
            };
            let open = match (self.lasted.open_of(passed.severity), passed.count) {
                (0, 1) => ", not open now",
                (0, _) => ", none of them open now",
                _ => "",
            };
            Reason {
                standing: passed.standing,
                why: format!(
                    "{} came since then{open} ({} from {} on)",
                    counted(passed.count, what),
                    word(passed.standing),
                    passed.from
                ),
                is_now: false,
            }
        };
        let passed = self.lasting.all_passed(thresholds);
        passed.into_iter().map(reason).collect()
    }
}

/// How long there was any trouble, added in the order in which it began, and what is open.
#[derive(Debug, Default)]
struct Lasted {
    ms: i64,
    until_ms: i64,
    /// Open messages by severity, the mildest first.
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
    fn why_a_component_stands_so_is_said_whole_and_first_by_what_is_so_now() {
        let thresholds = Thresholds::default();
        let mut component = Component::default();
        assert_eq!(component.reasons(&thresholds), []);
        let said = |component: &Component| {
            let reasons = component.reasons(&thresholds);
            format!("{}: {}", word(standing(&reasons)), why(&reasons).unwrap())
        };
        component.lasting.add(Severity::Error, 5);
        assert_eq!(
            said(&component),
            "critical: 5 errors came since then, none of them open now (critical from 5 on)"
        );
        component.lasted.add((0, 9), Severity::Warning, true);
        assert_eq!(
            said(&component),
            "critical: 5 errors came since then, none of them open now (critical from 5 on); \
             1 warning is open"
        );
        component.lasted.add((0, 9), Severity::Error, true);
        component.seen = vec![Reason {
            standing: Standing::Critical,
            why: format!("{} stopped", are(&["a".to_owned()])),
            is_now: true,
        }];
        assert_eq!(
            said(&component),
            "critical: the server a is stopped; 1 error is open; \
             5 errors came since then (critical from 5 on); 1 warning is open"
        );
    }

    #[test]
    fn what_is_over_counts_for_no_standing() {
        let mut component = Component::default();
        component.said.add(Severity::Error, 9);
        assert_eq!(component.reasons(&Thresholds::default()), []);
    }

    #[test]
    fn servers_in_one_state_are_named_and_the_rest_of_many_counted() {
        let all: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
        assert_eq!(are(&all[..1]), "the server a is");
        assert_eq!(are(&all[..2]), "the servers a and b are");
        assert_eq!(are(&all[..3]), "the servers a, b and c are");
        assert_eq!(are(&all), "the servers a, b, c and 2 more are");
    }
}
