//! Seats, use and refusals of each product, counted here or elsewhere.
//!
//! What nobody has told lately is left out, and its age is given: it is never given as 0.

use std::collections::{BTreeMap, BTreeSet};

use usher_core::usage::Denials;

use super::text::{head, sample};
use crate::app::App;
use crate::clock::wall_ms;
use crate::levels::FRESH;
use crate::refused::Whose;

/// The most products that are shown, each once for each server that has it; the first by server and
/// id. Further ones are counted.
const PRODUCTS_LIMIT: usize = 10_000;
/// The most servers and sources whose age is shown.
const AGES_LIMIT: usize = 10_000;
const HERE: &str = "here";
const ELSEWHERE: &str = "elsewhere";

/// A product on a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Of {
    product: String,
    server: String,
    counted: &'static str,
}

/// What is held of it, as far as that is known.
#[derive(Debug, Clone, Default)]
struct Held {
    seats: Option<u64>,
    in_use: Option<u64>,
    reserved: Option<u64>,
    waiting: Option<u64>,
    unseated: Option<u64>,
}

/// All that is shown.
#[derive(Debug, Default)]
struct Shown {
    held: Vec<(Of, Held)>,
    refused: Vec<(Of, Denials)>,
    /// How old the counts are, in seconds, by server or source.
    ages: Vec<(String, &'static str, f64)>,
    left_out: u64,
}

/// Adds the metrics of all products.
pub(super) fn all(text: &mut String, app: &App) {
    let mut shown = Shown::default();
    here(app, &mut shown);
    elsewhere(app, &mut shown);
    shown.bound();
    shown.write(text);
}

/// What the watched servers say, and what became of those whom they refused.
fn here(app: &App, shown: &mut Shown) {
    let watches = app.watches();
    for (name, watch) in watches.iter() {
        let Some(levels) = watch.view.levels() else {
            continue;
        };
        // One that is watched under two names would count twice.
        if !app.tools.identities.counts(name) {
            continue;
        }
        let age = levels.age();
        shown.ages.push((name.clone(), HERE, age.as_secs_f64()));
        let refused = app.tools.refused.of(&Whose::Server(name.clone()));
        let is_fresh = age <= FRESH;
        if is_fresh {
            shown.left_out = shown.left_out.saturating_add(levels.left_out);
        }
        for it in &levels.products {
            let of = Of {
                product: it.id.clone(),
                server: name.clone(),
                counted: HERE,
            };
            if let Some(refused) = &refused {
                let count = refused.get(&it.id).copied().unwrap_or_default();
                shown.refused.push((of.clone(), count));
            }
            if is_fresh {
                let held = Held {
                    seats: Some(it.seats),
                    in_use: Some(it.in_use),
                    reserved: it.kept,
                    waiting: Some(it.queued),
                    unseated: it.unseated,
                };
                shown.held.push((of, held));
            }
        }
    }
}

/// What finished imports tell of other licence servers.
fn elsewhere(app: &App, shown: &mut Shown) {
    let now_ms = wall_ms();
    let sources = app.tools.elsewhere.get();
    for source in sources.iter().flat_map(|sources| sources.iter()) {
        let of = |product: &str, server: String| Of {
            product: product.to_owned(),
            server,
            counted: ELSEWHERE,
        };
        if let Some(until_ms) = source.until_ms {
            let age_ms = now_ms.saturating_sub(until_ms).max(0);
            let age = age_ms as f64 / 1_000.0;
            shown.ages.push((source.source.clone(), ELSEWHERE, age));
        }
        let mut refused: BTreeMap<String, Denials> = BTreeMap::new();
        let counted = app.tools.refused.of(&Whose::Source(source.source.clone()));
        match &source.products {
            Some(products) => {
                let names: BTreeSet<&String> = products.iter().map(|it| &it.product).collect();
                if let Some(counted) = counted {
                    let count = |name: &String| counted.get(name).copied().unwrap_or_default();
                    refused.extend(names.into_iter().map(|name| (name.clone(), count(name))));
                    // Somebody was refused what nobody uses.
                    refused.extend(counted);
                }
            }
            None => refused.extend(counted.into_iter().flatten()),
        }
        for (product, count) in refused {
            let of_it = of(&product, source.source.clone());
            shown.refused.push((of_it, count));
        }
        for it in source.products.iter().flatten() {
            let server = match &it.server {
                // Counts of several servers are not added up: a request has to fit on one.
                Some(server) => format!("{}/{server}", source.source),
                None => source.source.clone(),
            };
            let held = Held {
                seats: it.seats,
                in_use: it.in_use,
                reserved: it.reserved,
                waiting: Some(it.waiting),
                unseated: None,
            };
            shown.held.push((of(&it.product, server), held));
        }
    }
}

impl Shown {
    /// Leaves out what is beyond the limits, and counts it.
    fn bound(&mut self) {
        // A source may have the name of another with its server. Prometheus takes a series once.
        let mut seen = BTreeSet::new();
        self.held.retain(|(of, _)| seen.insert(of.clone()));
        let beyond = self.held.len().max(self.refused.len());
        let beyond = beyond.saturating_sub(PRODUCTS_LIMIT);
        self.left_out = self.left_out.saturating_add(beyond as u64);
        self.held.truncate(PRODUCTS_LIMIT);
        self.refused.truncate(PRODUCTS_LIMIT);
        self.ages.truncate(AGES_LIMIT);
    }

    fn write(&self, text: &mut String) {
        type Read = fn(&Held) -> Option<u64>;
        let figures: [(&str, &str, Read); 5] = [
            (
                "usher_seats",
                "Seats that may be in use, overdraft included.",
                |it| it.seats,
            ),
            (
                "usher_seats_in_use",
                "Seats in use, those that are kept or reserved for somebody included.",
                |it| it.in_use,
            ),
            (
                "usher_seats_reserved",
                "Seats in use that are only kept or reserved for somebody.",
                |it| it.reserved,
            ),
            (
                "usher_waiting",
                "Requests that wait for a seat; none of them is in use.",
                |it| it.waiting,
            ),
            (
                "usher_unseated",
                "Programs that run without a seat; none of them is in use.",
                |it| it.unseated,
            ),
        ];
        for (name, help, read) in figures {
            head(text, name, "gauge", help);
            for (of, held) in &self.held {
                if let Some(value) = read(held) {
                    sample(text, name, &of.labels(), value);
                }
            }
        }
        self.write_refused(text);
        let name = "usher_counts_age_seconds";
        let help = "How old the counts of a server or source are. Counts that are too old are left \
                    out.";
        head(text, name, "gauge", help);
        for (server, counted, age) in &self.ages {
            let labels = [("server", &**server), ("counted", *counted)];
            sample(text, name, &labels, age);
        }
        let name = "usher_products_left_out";
        let help = "Products that are not shown, for there are more than are shown.";
        head(text, name, "gauge", help);
        sample(text, name, &[], self.left_out);
    }

    fn write_refused(&self, text: &mut String) {
        let name = "usher_denials_total";
        let help = "Refused checkouts since the manager's start, by what became of them; each is \
                    counted 16 minutes later, when that is known.";
        head(text, name, "counter", help);
        for (of, count) in &self.refused {
            for (class, value) in [
                ("final", count.for_good),
                ("satisfied_later", count.satisfied_later),
                ("retry", count.retries),
            ] {
                let [product, server, counted] = of.labels();
                sample(
                    text,
                    name,
                    &[product, server, counted, ("class", class)],
                    value,
                );
            }
        }
    }
}

impl Of {
    fn labels(&self) -> [(&str, &str); 3] {
        [
            ("product", &self.product),
            ("server", &self.server),
            ("counted", self.counted),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: usize) -> Of {
        Of {
            product: format!("p{number}"),
            server: "alpha".to_owned(),
            counted: HERE,
        }
    }

    #[test]
    fn products_beyond_the_limit_are_counted() {
        let held = Held {
            seats: Some(5),
            in_use: Some(2),
            waiting: Some(1),
            ..Held::default()
        };
        let all = 0..PRODUCTS_LIMIT + 3;
        let mut shown = Shown {
            held: all
                .clone()
                .map(|number| (of(number), held.clone()))
                .collect(),
            refused: all.map(|number| (of(number), Denials::default())).collect(),
            left_out: 4,
            ..Shown::default()
        };
        shown.bound();
        let mut text = String::new();
        shown.write(&mut text);
        let lines = |begin: &str| text.lines().filter(|it| it.starts_with(begin)).count();
        assert_eq!(lines("usher_seats{"), PRODUCTS_LIMIT);
        assert_eq!(lines("usher_denials_total{"), 3 * PRODUCTS_LIMIT);
        assert!(text.contains("\nusher_products_left_out 7\n"));
        // What is not known has no value.
        assert_eq!(lines("usher_seats_reserved{"), 0);
        assert!(
            text.contains("usher_waiting{product=\"p0\",server=\"alpha\",counted=\"here\"} 1\n")
        );
    }
}
