//! Faults that can be planted in an installation, to see that a scenario finds them.

/// Faults that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// The service says that it stops when the pack begins, and does not (KB Q299261).
    FalseStop,
    /// While a pack runs the manager hears neither API nor canary.
    DeafToWork,
    /// A pack that is due is left out.
    SkippedPack,
    /// Requests are answered before they are durable, by a ledger whose log is in memory.
    EarlyAnswers,
    /// The disk says that it has synced when it has not.
    FalseSync,
    /// The manager believes its first good look for ever.
    StaleLooks,
}

impl Planted {
    /// All faults that can be planted.
    pub const ALL: [Planted; 6] = [
        Planted::FalseStop,
        Planted::DeafToWork,
        Planted::SkippedPack,
        Planted::EarlyAnswers,
        Planted::FalseSync,
        Planted::StaleLooks,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Planted::FalseStop => "false-stop",
            Planted::DeafToWork => "deaf-to-work",
            Planted::SkippedPack => "skipped-pack",
            Planted::EarlyAnswers => "early-answers",
            Planted::FalseSync => "false-sync",
            Planted::StaleLooks => "stale-looks",
        }
    }
}
