//! The columns of exports of software metering, by the names that views, WMI classes and reports have for
//! them.

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Product,
    File,
    FileId,
    Version,
    User,
    FullName,
    Domain,
    UserId,
    Computer,
    ComputerId,
    /// In the zone of the site.
    Start,
    End,
    StartUtc,
    EndUtc,
    StillRunning,
    UsageCount,
    /// Uses in sessions of terminal services, beside those of the console.
    RemoteUsageCount,
    UsageSeconds,
    LastUsage,
    /// A month as Year*100+Month.
    TimeKey,
    DistinctUsers,
    IntervalStart,
    IntervalMinutes,
}

/// Names without blanks and marks, in small letters, and without the 0 at the end that SQL views add.
const NAMES: [(&str, Column); 49] = [
    ("productname", Column::Product),
    ("product", Column::Product),
    ("meteredproductname", Column::Product),
    ("rulename", Column::Product),
    ("filename", Column::File),
    ("meteredfilename", Column::File),
    ("originalfilename", Column::File),
    ("program", Column::File),
    ("fileid", Column::FileId),
    ("meteredfileid", Column::FileId),
    ("fileversion", Column::Version),
    ("meteredfileversion", Column::Version),
    ("productversion", Column::Version),
    ("username", Column::User),
    ("user", Column::User),
    ("fullname", Column::FullName),
    ("domainusername", Column::FullName),
    ("domain", Column::Domain),
    ("metereduserid", Column::UserId),
    ("netbiosname", Column::Computer),
    ("name", Column::Computer),
    ("computername", Column::Computer),
    ("computer", Column::Computer),
    ("machinename", Column::Computer),
    ("wkid", Column::Computer),
    ("resourceid", Column::ComputerId),
    ("starttime", Column::Start),
    ("starttimelocal", Column::Start),
    ("endtime", Column::End),
    ("endtimelocal", Column::End),
    ("starttimegmt", Column::StartUtc),
    ("starttimeutc", Column::StartUtc),
    ("endtimegmt", Column::EndUtc),
    ("endtimeutc", Column::EndUtc),
    ("stillrunning", Column::StillRunning),
    ("usagecount", Column::UsageCount),
    ("timesused", Column::UsageCount),
    ("tsusagecount", Column::RemoteUsageCount),
    ("usagetime", Column::UsageSeconds),
    ("lastusage", Column::LastUsage),
    ("lastused", Column::LastUsage),
    ("lastusagerecordedformonth", Column::LastUsage),
    ("latestdate", Column::LastUsage),
    ("timekey", Column::TimeKey),
    ("distinctusercount", Column::DistinctUsers),
    ("distinctusers", Column::DistinctUsers),
    ("intervalstart", Column::IntervalStart),
    ("intervalwidth", Column::IntervalMinutes),
    ("intervalwidthminutes", Column::IntervalMinutes),
];

impl Column {
    /// The column of that name; none: it is not known.
    pub(super) fn of(name: &str) -> Option<Column> {
        let plain = plain(name);
        let found = NAMES.iter().find(|(known, _)| *known == plain)?;
        Some(found.1)
    }
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_ascii_alphanumeric());
    let mut plain: String = letters.collect::<String>().to_ascii_lowercase();
    // Exports of reports name a cell of the first table so.
    for prefix in ["detailstable0", "detailstable1"] {
        if let Some(rest) = plain.strip_prefix(prefix) {
            plain = rest.to_owned();
        }
    }
    match plain.strip_suffix('0') {
        Some(rest) => rest.to_owned(),
        None => plain,
    }
}

/// Whether these columns say what was used, and something of its use.
pub(super) fn suffice(columns: &[Option<Column>]) -> bool {
    let has = |wanted: &[Column]| {
        columns
            .iter()
            .flatten()
            .any(|column| wanted.contains(column))
    };
    let what = [Column::Product, Column::File, Column::FileId];
    let used = [
        Column::Start,
        Column::StartUtc,
        Column::UsageCount,
        Column::RemoteUsageCount,
        Column::UsageSeconds,
        Column::LastUsage,
        Column::DistinctUsers,
    ];
    has(&what) && has(&used)
}
