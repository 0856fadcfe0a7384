//! The sorts of concern, and which message tells of each.

/// What sort of concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An entitlement ends soon.
    EntitlementEnds,
    /// Notice on an entitlement is to be given soon, or was to be.
    NoticeDue,
    /// Seats are low.
    SeatsLow,
    /// An agent is silent.
    AgentSilent,
    /// Starts were allowed while no server could be reached.
    Unreached,
    /// Disk space is low.
    DiskLow,
    /// The last backup is old.
    BackupOld,
    /// The pack is overdue.
    PackOverdue,
    /// A rule no longer matches what it did.
    RuleQuiet,
    /// A new version has still to do its first scheduled pack (KB Q299261 came with a service pack,
    /// and showed itself at the next Sunday's pack).
    VersionNew,
    /// A new version's pack has failed before one was done.
    VersionFails,
    /// A server is paused, and grants nothing, for longer than a pause lasts as a rule.
    Paused,
    /// A role ended by a panic, and was restarted.
    RoleEnded,
    /// Requests or items ended by a panic, and nothing else.
    Caught,
    /// A reader keeps the write-ahead log from being taken in.
    LogHeld,
    /// Agents or clients are turned away at the door.
    TurnedAway,
    /// The history of a server cannot be collected.
    HistoryFails,
}

impl Kind {
    /// All kinds, in the order of the messages' numbers.
    pub const ALL: [Kind; 17] = [
        Kind::EntitlementEnds,
        Kind::NoticeDue,
        Kind::SeatsLow,
        Kind::AgentSilent,
        Kind::Unreached,
        Kind::DiskLow,
        Kind::BackupOld,
        Kind::PackOverdue,
        Kind::RuleQuiet,
        Kind::VersionNew,
        Kind::VersionFails,
        Kind::Paused,
        Kind::RoleEnded,
        Kind::Caught,
        Kind::LogHeld,
        Kind::TurnedAway,
        Kind::HistoryFails,
    ];

    /// The number of the status message that tells of it.
    pub fn message_id(self) -> u16 {
        match self {
            Kind::EntitlementEnds => 9430,
            Kind::NoticeDue => 9429,
            Kind::SeatsLow => 9431,
            Kind::AgentSilent => 9432,
            Kind::Unreached => 9433,
            Kind::DiskLow => 9434,
            Kind::BackupOld => 9435,
            Kind::PackOverdue => 9436,
            Kind::RuleQuiet => 9437,
            Kind::VersionNew => 9438,
            Kind::VersionFails => 9439,
            Kind::Paused => 9444,
            Kind::RoleEnded => 9450,
            Kind::Caught => 9451,
            Kind::LogHeld => 9446,
            Kind::TurnedAway => 9452,
            Kind::HistoryFails => 9456,
        }
    }

    /// Whether it follows from what people have entered alone. That does not waver: it is over as
    /// soon as something else is entered.
    pub fn is_entered(self) -> bool {
        matches!(self, Kind::EntitlementEnds | Kind::NoticeDue)
    }

    /// The kind that a message tells of.
    pub fn of_message(id: u16) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.message_id() == id)
    }
}

/// Something that an administrator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// The kind of concern.
    pub kind: Kind,
    /// Which one of its sort: an id of what it is about; empty if a server has only one.
    pub about: String,
    /// The values of its message.
    pub values: Vec<String>,
}
