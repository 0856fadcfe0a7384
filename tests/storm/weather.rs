//! What happens meanwhile to server, network, agent and products, and a log of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::dice::Dice;
use super::now_ms;
use super::products::PRODUCTS;
use super::site::Site;
use crate::support::signal;

/// What was done to the computer or its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    ServerKilled,
    ServerStopped,
    NetworkCut,
    AgentKilled,
    AgentRestarted,
    GateKilled,
}

impl Kind {
    /// The agent does not see what starts.
    pub(crate) fn blinds(self) -> bool {
        matches!(self, Kind::AgentKilled | Kind::AgentRestarted)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) kind: Kind,
    pub(crate) from_ms: i64,
    /// All is well again, as far as we know.
    pub(crate) until_ms: i64,
}

/// How many seats of a product are owned, from a time between the request and its answer on.
#[derive(Debug, Clone)]
pub(crate) struct Owned {
    pub(crate) product: usize,
    pub(crate) asked_ms: i64,
    pub(crate) answered_ms: i64,
    pub(crate) seats: u32,
}

/// What was done to whom and when.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) owned: Vec<Owned>,
    pub(crate) edits: BTreeMap<&'static str, u32>,
}

/// What a product is like at the moment.
#[derive(Debug, Clone, Copy)]
struct State {
    is_enforced: bool,
    second: bool,
}

pub(crate) struct Weather {
    pub(crate) site: Site,
    dice: Dice,
    longest_ms: u64,
    states: [State; PRODUCTS.len()],
    log: Log,
}

impl Weather {
    /// No trouble lasts longer than `longest`, unless others come to it.
    pub(crate) fn over(site: Site, dice: Dice, longest: Duration) -> Weather {
        let states = PRODUCTS.each_ref().map(|product| State {
            is_enforced: product.is_enforced,
            second: true,
        });
        let owned = PRODUCTS.iter().map(|product| Owned {
            product: product.number,
            asked_ms: 0,
            answered_ms: 0,
            seats: product.seats,
        });
        let log = Log {
            owned: owned.collect(),
            ..Log::default()
        };
        Weather {
            site,
            dice,
            longest_ms: u64::try_from(longest.as_millis()).unwrap(),
            states,
            log,
        }
    }

    /// Goes on until it is told to stop; all is well at the end.
    pub(crate) fn rage(mut self, is_over: &AtomicBool) -> (Site, Log) {
        while !is_over.load(Ordering::Relaxed) {
            self.pass(50..1_500);
            match self.dice.below(10) {
                0 | 1 => self.kill_the_server(),
                2 => self.stop_the_server(),
                3 | 4 => self.cut_the_network(),
                5 => self.end_the_agent(),
                6 => self.kill_the_gate(),
                _ => self.edit_a_product(),
            }
        }
        (self.site, self.log)
    }

    fn pass(&mut self, ms: std::ops::Range<u64>) {
        let pause = self.dice.millis(ms);
        // tidy: sleep, the weather lasts a while
        std::thread::sleep(pause);
    }

    /// Mostly short; now and then as long as it may.
    fn last(&mut self) {
        match self.dice.below(12) {
            0 => self.pass(self.longest_ms / 2..self.longest_ms),
            1..=4 => self.pass(1_000..5_000),
            _ => self.pass(0..600),
        }
    }

    fn note(&mut self, kind: Kind, from_ms: i64) {
        self.log.troubles.push(Trouble {
            kind,
            from_ms,
            until_ms: now_ms(),
        });
    }

    fn kill_the_server(&mut self) {
        let from = now_ms();
        self.site.server = None;
        self.last();
        self.site.start_server();
        self.note(Kind::ServerKilled, from);
    }

    fn stop_the_server(&mut self) {
        let from = now_ms();
        let pid = self.site.server.as_ref().unwrap().child.id();
        signal(pid, Signal::SIGSTOP);
        self.last();
        signal(pid, Signal::SIGCONT);
        self.note(Kind::ServerStopped, from);
    }

    /// Other things go on meanwhile.
    fn cut_the_network(&mut self) {
        let from = now_ms();
        self.site.cable("down");
        self.last();
        match self.dice.below(5) {
            0 => self.edit_a_product(),
            1 => self.kill_the_server(),
            2 => self.end_the_agent(),
            _ => {}
        }
        self.site.cable("up");
        self.note(Kind::NetworkCut, from);
    }

    fn end_the_agent(&mut self) {
        let (kind, by_force) = match self.dice.below(2) {
            0 => (Kind::AgentKilled, true),
            _ => (Kind::AgentRestarted, false),
        };
        let from = now_ms();
        self.site.end_agent(by_force);
        if self.dice.one_in(3) {
            self.pass(100..1_500);
        }
        self.site.start_agent();
        self.note(kind, from);
    }

    fn kill_the_gate(&mut self) {
        let Some(gate) = self.site.gate() else { return };
        let from = now_ms();
        signal(gate, Signal::SIGKILL);
        self.note(Kind::GateKilled, from);
    }

    fn edit_a_product(&mut self) {
        let product = &PRODUCTS[self.dice.below(PRODUCTS.len() as u64) as usize];
        let number = product.number;
        match self.dice.below(3) {
            0 => {
                self.states[number].is_enforced ^= true;
                self.put_product(number);
                self.count("mode");
            }
            1 if product.has_second() => {
                self.states[number].second ^= true;
                self.put_product(number);
                self.count("rule");
            }
            _ => {
                let seats = 1 + self.dice.below(2 * u64::from(product.seats)) as u32;
                self.put_seats(number, seats);
                self.count("seats");
            }
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.log.edits.entry(what).or_default() += 1;
    }

    fn put_product(&self, number: usize) {
        let product = &PRODUCTS[number];
        let State {
            is_enforced,
            second,
        } = self.states[number];
        let body = product.body(&self.site.place, is_enforced, second);
        self.put(&format!("/v1/products/{}", product.id()), &body);
    }

    fn put_seats(&mut self, number: usize, seats: u32) {
        let asked_ms = now_ms();
        let body = json!({ "product": PRODUCTS[number].id(), "seats": seats });
        let path = format!("/v1/entitlements/{}", self.site.entitlements[number]);
        self.put(&path, &body);
        self.log.owned.push(Owned {
            product: number,
            asked_ms,
            answered_ms: now_ms(),
            seats,
        });
    }

    fn put(&self, path: &str, body: &Value) {
        let answer = self.site.ask("PUT", path, Some(body));
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
}
