//! The kinds of files that are read, by the names that people give them.

use std::fmt;
use std::str::FromStr;

use usher_api::ImportKind;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// FlexNet's licence files.
    FlexnetLicence,
    /// FlexNet's options files.
    FlexnetOptions,
    /// FlexNet's debug logs.
    FlexnetLog,
    /// `lmstat -a`.
    Lmstat,
    /// RLM's report logs.
    RlmLog,
    /// `rlmstat -a`.
    Rlmstat,
    /// LM-X: `lmxendutil -licstat` and `-licstatxml`.
    Lmx,
    /// Dassault's DSLS: `getLicenseUsage`, and the server's log.
    Dsls,
    /// Sentinel RMS: `lsmon`.
    Lsmon,
    /// `olixtool`, and the server's status as XML.
    Olicense,
    /// LS-DYNA: `lstc_qrun`.
    Lstc,
    /// `scontrol show licenses`.
    Slurm,
    /// Configuration Manager's software metering.
    Configmgr,
    /// A table of uses.
    SessionsCsv,
}

/// A name that no kind has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind {0:?}; the kinds are {all}", all = names())]
pub struct UnknownKind(pub String);

impl Kind {
    /// All kinds, in the order of their list.
    pub const ALL: [Kind; 14] = [
        Kind::FlexnetLicence,
        Kind::FlexnetOptions,
        Kind::FlexnetLog,
        Kind::Lmstat,
        Kind::RlmLog,
        Kind::Rlmstat,
        Kind::Lmx,
        Kind::Dsls,
        Kind::Lsmon,
        Kind::Olicense,
        Kind::Lstc,
        Kind::Slurm,
        Kind::Configmgr,
        Kind::SessionsCsv,
    ];

    /// The name, such as `flexnet-log`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::FlexnetLicence => "flexnet-licence",
            Kind::FlexnetOptions => "flexnet-options",
            Kind::FlexnetLog => "flexnet-log",
            Kind::Lmstat => "lmstat",
            Kind::RlmLog => "rlm-log",
            Kind::Rlmstat => "rlmstat",
            Kind::Lmx => "lmx",
            Kind::Dsls => "dsls",
            Kind::Lsmon => "lsmon",
            Kind::Olicense => "olicense",
            Kind::Lstc => "lstc",
            Kind::Slurm => "slurm",
            Kind::Configmgr => "configmgr",
            Kind::SessionsCsv => "sessions-csv",
        }
    }

    /// What a file most likely is, by its first lines (some dozens); none: nothing in them tells. It is
    /// for a hint in an error message only: who imports says the kind.
    pub fn guess(first_lines: &[&str]) -> Option<Kind> {
        first_lines.iter().find_map(|line| guess_line(line))
    }
}

impl From<Kind> for ImportKind {
    fn from(kind: Kind) -> ImportKind {
        match kind {
            Kind::FlexnetLicence => ImportKind::FlexnetLicence,
            Kind::FlexnetOptions => ImportKind::FlexnetOptions,
            Kind::FlexnetLog => ImportKind::FlexnetLog,
            Kind::Lmstat => ImportKind::Lmstat,
            Kind::RlmLog => ImportKind::RlmLog,
            Kind::Rlmstat => ImportKind::Rlmstat,
            Kind::Lmx => ImportKind::Lmx,
            Kind::Dsls => ImportKind::Dsls,
            Kind::Lsmon => ImportKind::Lsmon,
            Kind::Olicense => ImportKind::Olicense,
            Kind::Lstc => ImportKind::Lstc,
            Kind::Slurm => ImportKind::Slurm,
            Kind::Configmgr => ImportKind::Configmgr,
            Kind::SessionsCsv => ImportKind::SessionsCsv,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Kind, UnknownKind> {
        let mut all = Kind::ALL.into_iter();
        all.find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

fn names() -> String {
    Kind::ALL.map(Kind::name).join(", ")
}

/// Words that only one kind has.
const SIGNS: [(&str, Kind); 24] = [
    ("LM-X End-user Utility", Kind::Lmx),
    ("LM-X License Server on", Kind::Lmx),
    ("<LICENSE_PATH", Kind::Lmx),
    ("<LM-X", Kind::Lmx),
    (" USGTRACING ", Kind::Dsls),
    ("I STARTSERVER", Kind::Dsls),
    ("maxReleaseNumber:", Kind::Dsls),
    ("Editor,EditorId,Feature,", Kind::Dsls),
    ("Application Monitor", Kind::Lsmon),
    ("[Contacting Sentinel RMS", Kind::Lsmon),
    ("|- Feature Information", Kind::Lsmon),
    ("OLicense XML Status", Kind::Olicense),
    ("<floatCount>", Kind::Olicense),
    ("PROGRAM          EXPIRATION CPUS", Kind::Lstc),
    ("LSTC License server", Kind::Lstc),
    ("LicenseName=", Kind::Slurm),
    ("lmutil - Copyright", Kind::Lmstat),
    ("lmstat - Copyright", Kind::Lmstat),
    ("Flexible License Manager status on", Kind::Lmstat),
    ("rlmutil v", Kind::Rlmstat),
    ("ISV servers", Kind::Rlmstat),
    ("RLM Report Log Format", Kind::RlmLog),
    ("(lmgrd) ", Kind::FlexnetLog),
    (") OUT: \"", Kind::FlexnetLog),
];

fn guess_line(line: &str) -> Option<Kind> {
    let line = line.trim();
    if let Some((_, kind)) = SIGNS.iter().find(|(sign, _)| line.contains(sign)) {
        return Some(*kind);
    }
    let columns: Vec<String> = line
        .split([',', ';', '\t'])
        .map(|column| column.trim_matches('"').to_ascii_lowercase())
        .collect();
    let has = |name: &str| columns.iter().any(|column| column == name);
    if has("product") && has("started_at") {
        return Some(Kind::SessionsCsv);
    }
    let metered = [
        "usagecount",
        "lastusage",
        "starttimelocal",
        "distinctusercount",
    ];
    if columns.len() > 1 && metered.iter().any(|name| line_has(&columns, name)) {
        return Some(Kind::Configmgr);
    }
    match line.split_whitespace().next()? {
        "INCREMENT" | "FEATURE" | "PACKAGE" | "SERVER" | "VENDOR" | "DAEMON" => {
            Some(Kind::FlexnetLicence)
        }
        "RESERVE" | "INCLUDE" | "EXCLUDE" | "MAX" | "GROUP" | "HOST_GROUP" | "TIMEOUT"
        | "TIMEOUTALL" | "LINGER" | "EXCLUDEALL" | "INCLUDEALL" | "NOLOG" | "REPORTLOG" => {
            Some(Kind::FlexnetOptions)
        }
        _ => None,
    }
}

fn line_has(columns: &[String], name: &str) -> bool {
    columns
        .iter()
        .any(|column| column.replace([' ', '_'], "").ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_found_by_its_name_and_no_other_is() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(ImportKind::from(kind).word(), kind.name());
        }
        let error = "lmx2".parse::<Kind>().unwrap_err();
        assert!(error.to_string().contains("\"lmx2\""), "{error}");
        assert!(
            error.to_string().ends_with("configmgr, sessions-csv"),
            "{error}"
        );
    }

    #[test]
    fn a_kind_is_guessed_by_what_only_it_has() {
        for (line, kind) in [
            ("LicenseName=cad@lic1 Total=2", Kind::Slurm),
            (
                "  Sentinel RMS Development Kit 9.1.0 Application Monitor",
                Kind::Lsmon,
            ),
            ("INCREMENT f d 1.0 permanent 3 0", Kind::FlexnetLicence),
            ("MAX 3 f USER ann", Kind::FlexnetOptions),
            ("12:01:07 (MLM) OUT: \"f\" ann@pc1", Kind::FlexnetLog),
            (
                "product,user,computer,started_at,ended_at",
                Kind::SessionsCsv,
            ),
            (
                "Details_Table0_Netbios_Name0;Details_Table0_UsageCount",
                Kind::Configmgr,
            ),
            ("<FEATURE/><LICENSE_PATH TYPE=\"NETWORK\">", Kind::Lmx),
        ] {
            assert_eq!(Kind::guess(&["", line]), Some(kind), "{line}");
        }
        assert_eq!(Kind::guess(&["once upon a time", ""]), None);
        assert_eq!(Kind::guess(&[]), None);
    }
}
