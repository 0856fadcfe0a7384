//! Which kind of file it may be, by what only one kind has in it.

use usher_api::ImportKind as Kind;

/// What a file most likely is, by its first lines (some dozens); None: nothing in them tells. It is
/// for a hint in an error message only: who imports says the kind.
pub fn guess(first_lines: &[&str]) -> Option<Kind> {
    first_lines.iter().find_map(|line| guess_line(line))
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
            assert_eq!(guess(&["", line]), Some(kind), "{line}");
        }
        assert_eq!(guess(&["once upon a time", ""]), None);
        assert_eq!(guess(&[]), None);
    }
}
