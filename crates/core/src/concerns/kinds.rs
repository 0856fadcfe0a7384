//! The kinds of concern, and the message that reports each.

/// A kind of concern.
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
    /// A rule no longer matches the program that it matched before.
    RuleQuiet,
    /// A new version has not done its first scheduled pack yet (the fault of KB Q299261 came with a
    /// service pack and showed at the next Sunday's pack).
    VersionNew,
    /// The first pack of a new version has failed.
    VersionFails,
    /// A server has been paused, and has granted nothing, for longer than a pause usually lasts.
    Paused,
    /// A role ended by a panic, and was restarted.
    RoleEnded,
    /// Panics ended single requests or items.
    Caught,
    /// A reader prevents the checkpoint of the write-ahead log.
    LogHeld,
    /// Agents or clients are turned away, for their token or the server's certificate.
    TurnedAway,
    /// The history of a server cannot be collected.
    HistoryFails,
    /// Few seats of a product have been free for a time.
    FewFree,
    /// An entitlement that another licence server counts ends soon.
    EndsElsewhere,
    /// Nothing comes any more of a source that was imported regularly.
    SourceSilent,
}

impl Kind {
    /// All kinds, in the order of the messages' numbers.
    pub const ALL: [Kind; 20] = [
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
        Kind::FewFree,
        Kind::EndsElsewhere,
        Kind::SourceSilent,
    ];

    /// The number of the status message that reports it.
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
            Kind::FewFree => 9460,
            Kind::EndsElsewhere => 9461,
            Kind::SourceSilent => 9462,
        }
    }

    /// Whether it follows only from what people have entered. Such a concern cannot flap: it ends
    /// as soon as the entries change.
    pub fn is_entered(self) -> bool {
        matches!(
            self,
            Kind::EntitlementEnds | Kind::NoticeDue | Kind::EndsElsewhere
        )
    }

    /// The kind that the message of that number reports.
    pub fn of_message(id: u16) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.message_id() == id)
    }
}

/// Something that an administrator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// The kind of concern.
    pub kind: Kind,
    /// The id of what it is about, such as a product; empty if a server can have only one of the
    /// kind.
    pub about: String,
    /// The values of its message.
    pub values: Vec<String>,
}
