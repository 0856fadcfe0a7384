//! Sessions whose time is over are moved to files, and reports go on reading them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use usher_manager::{Archive, RetentionOptions};

use crate::support::{Manager, send, until};
use crate::usage::{HEAD, collected, lease, some_use, watched};

const PEOPLE: &str = "/v1/reports/people?from=2024-10-26T20:00:00Z&to=2024-10-28T12:00:00Z";

async fn people(manager: &Manager) -> Value {
    let (status, report) = send(manager.request("GET", PEOPLE, &manager.token())).await;
    assert_eq!(status, 200, "{report}");
    report
}

fn files(manager: &Manager) -> Vec<PathBuf> {
    let sites = std::fs::read_dir(manager.folder().join("archive")).unwrap();
    let files = sites.flat_map(|it| std::fs::read_dir(it.unwrap().path()).unwrap());
    files.map(|it| it.unwrap().path()).collect()
}

/// Sessions are kept for a day, and then moved to a folder.
fn moves_to(folder: &Path) -> RetentionOptions {
    RetentionOptions {
        sessions: Some(Duration::from_secs(86_400)),
        archive: Some(Arc::new(Archive::in_folder(folder.to_owned()))),
        ..RetentionOptions::FOR_EVER
    }
}

/// A manager that has collected what ann used, and a day later bob, and who used it as it says.
async fn with_some_use() -> (Manager, Value) {
    let manager = Manager::start();
    let has = some_use();
    let later = lease(50, "bob", 1, "2024-10-28T01:00:00Z", "2024-10-28T02:00:00Z");
    has.lock().unwrap().history.push(later);
    watched(&manager, "alpha", &has).await;
    let before = people(&manager).await;
    (manager, before)
}

/// The numbers of the messages about the archive, the first one first.
async fn told(manager: &Manager) -> Vec<u64> {
    let asked = manager.request("GET", "/v1/messages?limit=100", &manager.token());
    let (_, messages) = send(asked).await;
    let ids = messages["items"].as_array().unwrap().iter();
    let mut ids: Vec<u64> = ids.filter_map(|it| it["id"].as_u64()).collect();
    ids.retain(|id| [9466, 9467].contains(id));
    ids.reverse();
    ids
}

#[tokio::test]
async fn an_archive_that_cannot_be_written_is_told_once_and_nothing_goes_until_it_can() {
    let (manager, before) = with_some_use().await;
    let manager = manager.restart_as(|data, options| {
        std::fs::write(data.join("archive"), "no folder").unwrap();
        options.retention = moves_to(&data.join("archive"));
    });
    collected(&manager, "alpha", HEAD).await;
    until("the failure to be told", async || {
        (told(&manager).await == [9466]).then_some(())
    })
    .await;
    assert_eq!(people(&manager).await["sections"], before["sections"]);
    std::fs::remove_file(manager.folder().join("archive")).unwrap();
    until("its end to be told", async || {
        (told(&manager).await == [9466, 9467]).then_some(())
    })
    .await;
    until("sessions to be moved", async || {
        let report = people(&manager).await;
        let notes = report["notes"].to_string();
        (notes.contains("archive") && report["sections"] == before["sections"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_moved_to_the_archive_is_reported_and_what_is_gone_there_is_said() {
    let (manager, before) = with_some_use().await;
    let text = before["sections"].to_string();
    assert!(text.contains("ann") && text.contains("bob"), "{text}");
    let manager = manager.restart_as(|data, options| {
        options.retention = moves_to(&data.join("archive"));
    });
    collected(&manager, "alpha", HEAD).await;
    let after = until("sessions to be moved", async || {
        let report = people(&manager).await;
        report["notes"]
            .to_string()
            .contains("archive")
            .then_some(report)
    })
    .await;
    assert_eq!(after["sections"], before["sections"]);
    assert_eq!(after["cut"], json!([]));
    let said = "Sessions and leases that were over before 2024-10-27T00:00:00Z come from the \
                archive: 2 of its files were read, the last of them number 2.";
    let notes = after["notes"].as_array().unwrap();
    assert!(notes.contains(&said.into()), "{notes:?}");
    let files = files(&manager);
    let is_named = |begin: &str| {
        let mut names = files.iter().filter_map(|it| it.file_name()?.to_str());
        names.any(|name| name.starts_with(begin) && name.ends_with(".parquet"))
    };
    assert!(
        is_named("sessions-2024-10-") && is_named("leases-2024-10-"),
        "{files:?}"
    );

    for file in &files {
        std::fs::remove_file(file).unwrap();
    }
    let without = people(&manager).await;
    let cut = without["cut"].to_string();
    assert!(
        cut.contains("its file") && cut.contains("cannot be read"),
        "{cut}"
    );
    assert_eq!(without["cut"].as_array().unwrap().len(), 2, "{cut}");
    assert_ne!(without["hash"], after["hash"]);
    let text = without["sections"].to_string();
    assert!(text.contains("bob") && !text.contains("ann"), "{text}");
}
