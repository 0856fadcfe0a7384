//! Whether the manager can read the sources of groups.

use std::time::Duration;

use usher_api::GroupPage;

use super::finding::Finding;
use crate::commands::{group, managed};
use crate::context::Context;
use crate::output::{counted, tame};

/// How long the manager may take to answer.
const WITHIN: Duration = Duration::from_secs(5);
const WHAT: &str = "groups";

/// Lines on the sources of the manager at `named`, or at the usual place; nothing if it has none,
/// or cannot be asked: another line says so.
pub(super) async fn findings(named: Option<&str>, context: &Context) -> Vec<Finding> {
    let usual = managed::usual(context).await;
    let Ok(client) = managed::client(named.unwrap_or(&usual), context).await else {
        return Vec::new();
    };
    let page = client.within(WITHIN).get("/v1/groups?limit=1").await;
    page.as_ref().map_or_else(|_| Vec::new(), judged)
}

fn judged(page: &GroupPage) -> Vec<Finding> {
    let mut findings = Vec::new();
    for line in page.sources.iter().filter_map(group::trouble) {
        let next = "Mend it: the manager reads it again by itself, as `groups-every` says.";
        findings.push(Finding::warn(WHAT, line, next));
    }
    let further = page.sources.iter().filter_map(|source| {
        let note = source.note.as_ref()?;
        Some(format!("{}: {}", tame(&source.source), tame(note)))
    });
    let notes = page.notes.iter().map(|note| tame(note)).chain(further);
    findings.extend(notes.map(|note| Finding::note(WHAT, note)));
    if findings.is_empty() && !page.sources.is_empty() {
        let sources = counted(page.sources.len() as u64, "source");
        findings.push(Finding::ok(WHAT, format!("{sources} can be read")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use usher_api::GroupSource;

    use super::*;

    fn source(name: &str, trouble: Option<&str>) -> GroupSource {
        GroupSource {
            source: name.to_owned(),
            as_of: None,
            trouble: trouble.map(str::to_owned),
            trouble_since: None,
            note: None,
        }
    }

    #[test]
    fn a_source_that_cannot_be_read_is_told_with_why() {
        let mut page = GroupPage::default();
        assert_eq!(judged(&page), []);
        page.sources.push(source("system", None));
        assert_eq!(judged(&page)[0].found, "1 source can be read");
        let bad = source("/etc/usher/groups", Some("line 3: it has no colon"));
        page.sources.push(bad);
        page.notes.push("groups contain each other".to_owned());
        let found: Vec<String> = judged(&page).into_iter().map(|it| it.found).collect();
        assert_eq!(
            found,
            [
                "/etc/usher/groups: line 3: it has no colon; nothing of it is known",
                "groups contain each other"
            ]
        );
    }
}
