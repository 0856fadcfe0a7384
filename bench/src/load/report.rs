//! What a run of load has shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::LoadOptions;
use crate::engine::Tally;

/// What was measured. Rates are over the measured time alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LoadReport {
    /// Who was asked.
    pub url: String,
    /// Connections, each with one request outstanding.
    pub connections: usize,
    /// Threads of the generator.
    pub threads: usize,
    /// The measured time.
    pub measured_seconds: f64,
    /// Answers.
    pub requests: u64,
    /// Checkouts granted.
    pub checkouts: u64,
    /// Answers a second.
    pub requests_per_second: f64,
    /// Checkouts granted a second.
    pub checkouts_per_second: f64,
    /// Decisions a second: a request is one, an agent's exchange is as many as it has items.
    pub decisions_per_second: f64,
    /// Half of the answers took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 answers took no longer.
    pub p99_ms: f64,
    /// 999 of 1,000 answers took no longer.
    pub p999_ms: f64,
    /// The longest that an answer took.
    pub longest_ms: f64,
    /// Answers that were not hoped for, by HTTP status.
    pub errors: BTreeMap<u16, u64>,
    /// Connections that were lost and made again.
    pub reconnects: u64,
    /// Connections that could not give back what they held; it ends by its ttl.
    pub unsettled: u64,
    /// The server's processor time for a request, in microseconds; null if it is not known.
    pub server_cpu_us_per_request: Option<f64>,
    /// The generator's own.
    pub client_cpu_us_per_request: f64,
}

impl LoadReport {
    pub(super) fn new(options: &LoadOptions, tally: &Tally) -> Self {
        LoadReport {
            url: options.url.clone(),
            ..LoadReport::of(tally, options.connections, options.threads)
        }
    }

    /// The report of a tally, of any protocol.
    pub fn of(tally: &Tally, connections: usize, threads: usize) -> Self {
        let seconds = tally.measured.as_secs_f64();
        let rate = |count: u64| {
            if seconds > 0.0 {
                count as f64 / seconds
            } else {
                0.0
            }
        };
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / tally.requests.max(1) as f64;
        LoadReport {
            url: String::new(),
            connections,
            threads,
            measured_seconds: seconds,
            requests: tally.requests,
            checkouts: tally.checkouts,
            requests_per_second: rate(tally.requests),
            checkouts_per_second: rate(tally.checkouts),
            decisions_per_second: rate(tally.decisions),
            p50_ms: ms(tally.latency.quantile(0.5)),
            p99_ms: ms(tally.latency.quantile(0.99)),
            p999_ms: ms(tally.latency.quantile(0.999)),
            longest_ms: ms(tally.latency.longest()),
            errors: tally.errors.clone(),
            reconnects: tally.reconnects,
            unsettled: tally.unsettled,
            server_cpu_us_per_request: tally.server_cpu.map(each),
            client_cpu_us_per_request: each(tally.client_cpu),
        }
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} requests in {:.1} s over {} connections: {:.0} requests/s, {:.0} checkouts/s, {:.0} decisions/s",
            self.requests,
            self.measured_seconds,
            self.connections,
            self.requests_per_second,
            self.checkouts_per_second,
            self.decisions_per_second,
        )?;
        writeln!(
            f,
            "answered within  50 % {:.2} ms   99 % {:.2} ms   99.9 % {:.2} ms   longest {:.2} ms",
            self.p50_ms, self.p99_ms, self.p999_ms, self.longest_ms,
        )?;
        if let Some(server) = self.server_cpu_us_per_request {
            write!(f, "processor time a request  server {server:.1} us   ")?;
        } else {
            write!(f, "processor time a request  ")?;
        }
        write!(f, "generator {:.1} us", self.client_cpu_us_per_request)?;
        for (status, count) in &self.errors {
            write!(f, "\nstatus {status}: {count} answers")?;
        }
        if self.reconnects > 0 {
            write!(f, "\nconnections lost and made again: {}", self.reconnects)?;
        }
        if self.unsettled > 0 {
            write!(
                f,
                "\nconnections that could not give back a seat: {}",
                self.unsettled
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_over_the_measured_time_and_processor_time_over_requests() {
        let mut tally = Tally {
            requests: 1_000,
            checkouts: 500,
            decisions: 1_000,
            measured: Duration::from_secs(2),
            server_cpu: Some(Duration::from_millis(10)),
            ..Tally::default()
        };
        tally.errors.insert(503, 2);
        let report = LoadReport::of(&tally, 8, 1);
        assert_eq!(report.requests_per_second, 500.0);
        assert_eq!(report.checkouts_per_second, 250.0);
        assert_eq!(report.server_cpu_us_per_request, Some(10.0));
        assert!(
            report.to_string().ends_with("\nstatus 503: 2 answers"),
            "{report}"
        );
    }

    #[test]
    fn a_run_without_answers_has_no_rates() {
        let report = LoadReport::of(&Tally::default(), 1, 1);
        assert_eq!(report.requests_per_second, 0.0);
        assert_eq!(report.client_cpu_us_per_request, 0.0);
    }
}
