//! The daemons' own peaks, and ours beside them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use usher_api::{DaemonPeakBeside, ImportedDaemonPeak};

use super::rows::{Rows, Sink};
use crate::fact::Feature;

/// Peaks that are kept, one for each feature of a daemon and one for the daemon; further ones are not.
pub const PEAKS_LIMIT: usize = 10_000;

/// Daemon and feature; no feature: all clients of the daemon together.
type Of = (Option<String>, Option<String>);

/// The highest that each daemon says.
#[derive(Debug, Default)]
pub(super) struct DaemonPeaks {
    peaks: BTreeMap<Of, (u64, Option<Timestamp>)>,
}

impl DaemonPeaks {
    pub(super) fn take(
        &mut self,
        daemon: Option<&str>,
        feature: Option<&str>,
        seats: u64,
        at: Option<Timestamp>,
    ) {
        let of = (daemon.map(str::to_owned), feature.map(str::to_owned));
        if self.peaks.len() >= PEAKS_LIMIT && !self.peaks.contains_key(&of) {
            return;
        }
        let known = self.peaks.entry(of).or_insert((seats, at));
        if seats > known.0 {
            *known = (seats, at);
        }
    }

    /// Says them as rows, and gives them beside ours.
    pub(super) fn finish(
        self,
        ours: &dyn Fn(&Feature) -> Option<u64>,
        rows: &mut Rows,
        sink: &mut Sink<'_>,
    ) -> Vec<DaemonPeakBeside> {
        let mut beside = Vec::new();
        for ((daemon, name), (seats, at)) in self.peaks {
            let feature = name.map(|name| Feature {
                daemon: daemon.clone(),
                name,
            });
            let product = feature.as_ref().map(|feature| rows.map.product(feature));
            let row = ImportedDaemonPeak {
                product: product.clone(),
                daemon: daemon.clone(),
                seats,
                at,
            };
            rows.daemon_peak(row, sink);
            beside.push(DaemonPeakBeside {
                product,
                daemon,
                seats,
                at,
                ours: feature.as_ref().and_then(ours),
            });
        }
        beside
    }
}
