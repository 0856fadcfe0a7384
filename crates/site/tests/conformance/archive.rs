//! Sessions and leases that are moved to files: answers are the same, whenever the manager is killed, and
//! say what they could not read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use usher_core::usage::{Bucket, UsageItem};
use usher_site::{
    Archive, Archived, GroupSum, GroupsAsked, HistoryItem, Refused, Retained, RetainedSince, Site,
    SqliteSite, UseSum, UsedBy,
};

use crate::common::embedded;
use crate::histories::any_history;
use crate::postgres;
use crate::reported::{asked, people as people_in_groups};
use crate::retention::{HOUR_MS, HOURS, Played, retire};
use crate::usage::{Server, lease};

const HISTORIES: usize = 30;
/// Rows that are moved at once.
const AT_ONCE: u32 = 40;

#[tokio::test]
async fn the_embedded_engine_answers_the_same_from_the_archive() {
    let (folder, site) = embedded();
    let files = tempfile::tempdir().unwrap();
    let site = site.with_archive(archive(files.path()));
    let mut trial = Trial::begin(&site).await;
    trial.moves(&site, files.path()).await;
    trial
        .is_killed_between_file_and_removal(&site, files.path())
        .await;
    drop(site);
    let site = SqliteSite::open(folder.path()).unwrap();
    let site = site.with_archive(archive(files.path()));
    trial.goes_on(&site, files.path()).await;
    drop(site);
    // One that was not told where the archive is.
    let site = SqliteSite::open(folder.path()).unwrap();
    trial.says_that_it_has_no_archive(&site).await;
    leaves_out_what_is_removed_without_an_archive(&site.with_archive(archive(files.path()))).await;
}

#[tokio::test]
async fn the_engine_on_postgresql_answers_the_same_from_the_archive() {
    let (cluster, site) = postgres::begun().await;
    let files = tempfile::tempdir().unwrap();
    let site = site.with_archive(archive(files.path()));
    let mut trial = Trial::begin(&site).await;
    trial.moves(&site, files.path()).await;
    trial
        .is_killed_between_file_and_removal(&site, files.path())
        .await;
    site.give_up_lead(1).await.unwrap();
    drop(site);
    let site = postgres::opened(&cluster, "postgres").await.unwrap();
    let site = site.with_archive(archive(files.path()));
    trial.goes_on(&site, files.path()).await;
    let days = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'history_sessions'::regclass";
    assert_eq!(
        postgres::sql(&cluster, days).trim(),
        "1",
        "all but the late ones"
    );
    trial
        .says_that_it_has_no_archive(&site.clone().with_archive(None))
        .await;
    leaves_out_what_is_removed_without_an_archive(&site).await;
}

fn archive(folder: &Path) -> Option<Arc<Archive>> {
    Some(Arc::new(Archive::in_folder(folder.join("archive"))))
}

/// All that reports ask of a product.
#[derive(Debug, Clone, PartialEq)]
struct Answers {
    figures: Vec<UsageItem>,
    people: Vec<UseSum>,
    computers: Vec<UseSum>,
    groups: Vec<GroupSum>,
    refused: Refused,
}

/// Histories that were told to a site, and what it answered then.
struct Trial {
    server: Server,
    played: Vec<Played>,
    answers: Vec<Answers>,
}

impl Trial {
    async fn begin(site: &dyn Site) -> Trial {
        let mut runner = TestRunner::deterministic();
        let mut trial = Trial {
            server: Server::new("archive-1"),
            played: Vec::new(),
            answers: Vec::new(),
        };
        for number in 0..HISTORIES {
            let it = Played {
                product: format!("archive-{number}"),
                number,
                history: any_history().new_tree(&mut runner).unwrap().current(),
            };
            trial.server.tells(site, it.told()).await;
            trial.played.push(it);
        }
        for it in &trial.played {
            trial.answers.push(answers(site, it).await.0);
        }
        trial
    }

    async fn is_as_before(&self, site: &dyn Site) -> BTreeSet<i64> {
        let mut files = BTreeSet::new();
        for (it, before) in self.played.iter().zip(&self.answers) {
            let (now, archived) = answers(site, it).await;
            assert_eq!(&now, before, "{}: {:?}", it.number, it.history);
            assert_eq!(archived.missing, [], "{}", it.number);
            files.extend(archived.files);
        }
        files
    }

    async fn moves(&mut self, site: &dyn Site, folder: &Path) {
        for before_ms in [-20 * HOUR_MS, 5] {
            // Some days are packed before their rows go, others between.
            assert!(site.pack_days(HOURS * HOUR_MS, 40).await.unwrap() > 0);
            self.is_as_before(site).await;
            assert!(moved(site, folder, before_ms).await > 20);
            let expected = RetainedSince {
                sessions_ms: Some(before_ms),
                archived_ms: Some(i64::MIN),
                ..RetainedSince::default()
            };
            let since = site.retained().await.unwrap();
            assert_eq!(since, expected);
            assert_eq!(since.told(Retained::Sessions), None);
            assert!(!self.is_as_before(site).await.is_empty());
        }
        // What is in a file is not taken in a second time.
        let told: Vec<HistoryItem> = self.played.iter().flat_map(Played::told).collect();
        let again = self.server.tells(site, told).await;
        assert_eq!(again.added, 0, "{again:?}");
        assert!(again.past > 20, "{again:?}");
        self.is_as_before(site).await;
    }

    /// The rows are in a file and in the tables, and count once.
    async fn is_killed_between_file_and_removal(&self, site: &dyn Site, folder: &Path) {
        let before = files(folder);
        let overdue = site.overdue(20 * HOUR_MS + 1, AT_ONCE).await.unwrap();
        let id = site.site_id().await.unwrap();
        let written = archive(folder).unwrap().write(&id, &overdue).unwrap();
        assert_eq!(written.rows(), AT_ONCE as usize);
        assert!(files(folder).len() > before.len());
        self.is_as_before(site).await;
    }

    async fn goes_on(&self, site: &dyn Site, folder: &Path) {
        assert!(moved(site, folder, 20 * HOUR_MS + 1).await > 20);
        self.is_as_before(site).await;
        while site.pack_days(HOURS * HOUR_MS, 100).await.unwrap() > 0 {}
        self.is_as_before(site).await;
        moved(site, folder, HOURS * HOUR_MS).await;
        assert_eq!(site.extent(Retained::Sessions).await.unwrap(), None);
        let read = self.is_as_before(site).await;
        assert!(read.len() > 10, "{read:?}");
        // Files are for their owner alone.
        #[cfg(unix)]
        for file in files(folder) {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", file.display());
        }
        self.says_which_file_is_gone_or_damaged(site, folder).await;
    }

    async fn says_which_file_is_gone_or_damaged(&self, site: &dyn Site, folder: &Path) {
        let it = self.first(site, |it| !it.files.is_empty()).await;
        let all = files(folder);
        let aside = folder.join("aside");
        for file in &all {
            let name = file.file_name().unwrap().to_str().unwrap();
            std::fs::rename(file, &aside).unwrap();
            let (_, archived) = answers(site, it).await;
            let named = archived.missing.iter().find(|it| it.file.ends_with(name));
            if let Some(missing) = named {
                assert!(missing.rows > 0 && missing.first_ms <= missing.last_ms);
                assert!(archived.missing_until_ms >= Some(missing.last_ms));
                let mut bytes = std::fs::read(&aside).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                std::fs::write(file, &bytes).unwrap();
                let (_, archived) = answers(site, it).await;
                let said = &archived.missing[0].why;
                assert!(said.contains("SHA-256"), "{said}");
                std::fs::write(file, &bytes[..middle]).unwrap();
                let (_, archived) = answers(site, it).await;
                let said = &archived.missing[0].why;
                assert!(said.contains("bytes"), "{said}");
                std::fs::rename(&aside, file).unwrap();
                self.is_as_before(site).await;
                return;
            }
            std::fs::rename(&aside, file).unwrap();
        }
        panic!("no answer misses any of {} files", all.len());
    }

    /// The first history of whose answer that is so.
    async fn first(&self, site: &dyn Site, is_it: impl Fn(&Archived) -> bool) -> &Played {
        for it in &self.played {
            if is_it(&answers(site, it).await.1) {
                return it;
            }
        }
        panic!("nothing of any history is in the archive");
    }

    async fn says_that_it_has_no_archive(&self, site: &dyn Site) {
        let it = self.first(site, |it| !it.missing.is_empty()).await;
        let (_, archived) = answers(site, it).await;
        let said = &archived.missing[0].why;
        assert!(said.contains("set archive in [retention]"), "{said}");
        assert_eq!(archived.files, BTreeSet::new());
    }
}

async fn answers(site: &dyn Site, it: &Played) -> (Answers, Archived) {
    let (from_ms, to_ms) = (
        it.history.asked.0,
        it.history.now_ms.max(it.history.asked.0 + 1),
    );
    let of = |by| asked(&it.product, by, (from_ms, to_ms));
    let people = site.use_sums(of(UsedBy::Person)).await.unwrap();
    let computers = site.use_sums(of(UsedBy::Computer)).await.unwrap();
    let groups = GroupsAsked {
        sums: of(UsedBy::Person),
        people: Arc::new(people_in_groups(site, |number| vec![number % 2]).await),
        running: Vec::new(),
    };
    let groups = site.group_sums(groups).await.unwrap();
    assert_eq!(groups.archived, people.archived);
    let mut refused = site.refused(of(UsedBy::Person)).await.unwrap();
    refused.archived = Archived::default();
    let answers = Answers {
        figures: it.figures(site).await,
        people: people.rows,
        computers: computers.rows,
        groups: groups.rows,
        refused,
    };
    (answers, people.archived)
}

/// Moves all that was over before that instant, a few at a time; how many rows.
async fn moved(site: &dyn Site, folder: &Path, before_ms: i64) -> usize {
    let archive = archive(folder).unwrap();
    let id = site.site_id().await.unwrap();
    let mut rows = 0;
    loop {
        let overdue = site.overdue(before_ms, AT_ONCE).await.unwrap();
        if overdue.is_empty() {
            return rows;
        }
        let written = archive.write(&id, &overdue).unwrap();
        let twice = archive.write(&id, &overdue).unwrap();
        assert!(written.rows() > 0 && written.rows() <= overdue.len());
        rows += written.rows();
        site.put_away(written).await.unwrap();
        site.put_away(twice).await.unwrap_err();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(sites) = std::fs::read_dir(folder.join("archive")) else {
        return Vec::new();
    };
    let files = sites.flat_map(|it| std::fs::read_dir(it.unwrap().path()).unwrap());
    let mut files: Vec<PathBuf> = files.map(|it| it.unwrap().path()).collect();
    files.sort();
    files
}

async fn leaves_out_what_is_removed_without_an_archive(site: &dyn Site) {
    let product = "archive-left-out";
    let key = |event| usher_site::Made {
        incarnation: 1,
        event,
    };
    let at = |hours: i64| (HOURS + hours) * HOUR_MS;
    let items = [(1, 9_001), (3, 9_002), (5, 9_003)];
    let items = items.map(|(hour, event)| lease(product, key(event), at(hour), at(hour) + 7));
    Server::new("archive-3").tells(site, items.to_vec()).await;
    assert_eq!(
        site.retained().await.unwrap().told(Retained::Sessions),
        None
    );
    assert!(retire(site, Retained::Sessions, at(2)).await > 0);
    let since = site.retained().await.unwrap();
    assert_eq!(
        (since.archived_ms, since.told(Retained::Sessions)),
        (None, Some(at(2)))
    );
    // From there on it is complete again.
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(moved(site, folder.path(), at(4)).await, 1);
    let since = site.retained().await.unwrap();
    assert_eq!(since.told(Retained::Sessions), Some(at(2)));
    assert_eq!(since.of(Retained::Sessions), Some(at(4)));
    forgets_who_it_was_if_the_archive_ends_before_all_is_moved(site).await;
}

/// The instant is raised by the archive, and the rows before it are removed without it.
async fn forgets_who_it_was_if_the_archive_ends_before_all_is_moved(site: &dyn Site) {
    let product = "archive-ends";
    let at = |hours: i64| (HOURS + hours) * HOUR_MS;
    let key = usher_site::Made {
        incarnation: 1,
        event: 9_004,
    };
    let item = lease(product, key, at(100), at(100) + 7);
    Server::new("archive-4").tells(site, vec![item]).await;
    let people = async || {
        let day = Bucket {
            from_ms: at(94),
            to_ms: at(118),
        };
        let found = crate::usage::found(site, crate::usage::asked(product, &[day], at(300))).await;
        found.iter().map(|it| it.users).collect::<Vec<_>>()
    };
    while site.pack_days(at(200), 100).await.unwrap() > 0 {}
    assert_eq!(people().await, [1]);
    assert!(!site.overdue(at(120), AT_ONCE).await.unwrap().is_empty());
    assert!(retire(site, Retained::Sessions, at(120)).await > 0);
    assert_eq!(people().await, [0]);
}
