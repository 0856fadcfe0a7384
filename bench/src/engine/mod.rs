//! The engine: many connections, each with one request outstanding, driven by epoll in few threads.
//!
//! It knows of no protocol: a [`Protocol`] writes requests and reads answers. So a server and its
//! peers are measured by the same code.

mod worker;

use std::collections::BTreeMap;
use std::io;
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::cpu;
use crate::histogram::Histogram;
use worker::{Share, Worker};

/// What is said on a connection, and how an answer is read.
pub trait Protocol: Sync {
    /// What a connection remembers.
    type Talk: Send;

    /// Opens connection `index`, ready for a first request.
    fn connect(&self, index: usize) -> io::Result<(TcpStream, Self::Talk)>;

    /// Appends the next request to `output`.
    fn ask(&self, talk: &mut Self::Talk, output: &mut Vec<u8>);

    /// Reads the answer at the head of `input`; none while it has not arrived whole. An error is
    /// an answer that cannot be understood, and ends the connection.
    fn hear(&self, talk: &mut Self::Talk, input: &[u8]) -> Result<Option<Heard>, String>;

    /// Appends a request that gives back something that the connection holds; false if it holds
    /// nothing more.
    fn settle(&self, talk: &mut Self::Talk, output: &mut Vec<u8>) -> bool;
}

/// An answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard {
    /// Bytes that it took.
    pub length: usize,
    /// Its HTTP status, or 200 and 500 for protocols that have none.
    pub status: u16,
    /// Whether it is the answer that was hoped for.
    pub ok: bool,
    /// Checkouts that it granted.
    pub checkouts: u32,
    /// Decisions that it carries.
    pub decisions: u32,
    /// Whether the connection ends with it.
    pub closes: bool,
}

/// How long, how many.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Connections, over all threads.
    pub connections: usize,
    /// Threads of the generator.
    pub threads: usize,
    /// What is not measured at first.
    pub warm_up: Duration,
    /// What is measured.
    pub duration: Duration,
    /// Requests at the most, over all threads.
    pub requests_limit: u64,
    /// Requests a second, over all threads, at even intervals; none: as fast as answers come. A
    /// request whose time has come counts from then on, even if it waits for a connection.
    pub rate: Option<f64>,
    /// The server, whose processor time is counted.
    pub server_pid: Option<u32>,
}

/// What was counted within the measured time.
#[derive(Debug, Default)]
pub struct Tally {
    /// From request to answer.
    pub latency: Histogram,
    /// Answers.
    pub requests: u64,
    /// Checkouts granted.
    pub checkouts: u64,
    /// Decisions.
    pub decisions: u64,
    /// Answers that were not hoped for, by status.
    pub errors: BTreeMap<u16, u64>,
    /// Connections that were lost and made again.
    pub reconnects: u64,
    /// Connections that still held something when the time to give it back was over.
    pub unsettled: u64,
    /// The measured time.
    pub measured: Duration,
    /// The server's processor time within it.
    pub server_cpu: Option<Duration>,
    /// The generator's processor time within it.
    pub client_cpu: Duration,
}

impl Tally {
    /// Requests that did not get the answer that was hoped for.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum::<u64>() + self.reconnects + self.unsettled
    }

    /// Takes in what was counted after it.
    pub fn append(&mut self, later: Tally) {
        let measured = self.measured + later.measured;
        self.merge(later);
        self.measured = measured;
    }

    /// Takes in what another has counted in the same time.
    fn merge(&mut self, other: Tally) {
        self.latency.merge(&other.latency);
        self.requests += other.requests;
        self.checkouts += other.checkouts;
        self.decisions += other.decisions;
        for (status, count) in other.errors {
            *self.errors.entry(status).or_default() += count;
        }
        self.reconnects += other.reconnects;
        self.unsettled += other.unsettled;
        self.measured = self.measured.max(other.measured);
    }

    fn count(&mut self, heard: &Heard, took: Duration) {
        self.latency.record(took);
        self.requests += 1;
        self.checkouts += u64::from(heard.checkouts);
        self.decisions += u64::from(heard.decisions);
        if !heard.ok {
            *self.errors.entry(heard.status).or_default() += 1;
        }
    }
}

/// Between two requests of one of so many threads; none for a rate that is none.
fn interval(rate: f64, threads: usize) -> Option<Duration> {
    Duration::try_from_secs_f64(threads as f64 / rate).ok()
}

/// Runs a plan: opens all connections, warms up, measures, lets connections give back what they
/// hold.
pub fn run<P: Protocol>(protocol: &P, plan: &Plan) -> Result<Tally, String> {
    let threads = plan.threads.clamp(1, plan.connections.max(1));
    // Opening many connections takes its time, which is not to be measured.
    let all_open = Barrier::new(threads + 1);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let indices: Vec<usize> = (thread..plan.connections).step_by(threads).collect();
                let all_open = &all_open;
                scope.spawn(move || {
                    let opened = Worker::open(protocol, &indices);
                    all_open.wait();
                    let begin = Instant::now() + plan.warm_up;
                    let share = Share {
                        begin,
                        end: begin + plan.duration,
                        asked_limit: plan.requests_limit / threads as u64,
                        interval: plan.rate.and_then(|rate| interval(rate, threads)),
                    };
                    opened?.drive(share)
                })
            })
            .collect();
        all_open.wait();
        let end = Instant::now() + plan.warm_up + plan.duration;
        thread::sleep(plan.warm_up);
        let before = (plan.server_pid.and_then(cpu::of_tree), cpu::own());
        // A worker may be done early, by its limit or by an error.
        while Instant::now() < end && !workers.iter().all(|worker| worker.is_finished()) {
            let left = end.saturating_duration_since(Instant::now());
            thread::sleep(left.min(Duration::from_millis(20)));
        }
        let after = (plan.server_pid.and_then(cpu::of_tree), cpu::own());
        let mut tally = Tally::default();
        for worker in workers {
            let counted = worker
                .join()
                .map_err(|_| "a load thread panicked".to_owned())??;
            tally.merge(counted);
        }
        tally.server_cpu = after
            .0
            .zip(before.0)
            .map(|(after, before)| after.saturating_sub(before));
        tally.client_cpu = after.1.saturating_sub(before.1);
        if tally.requests == 0 {
            return Err("there was no answer in the measured time".to_owned());
        }
        Ok(tally)
    })
}
