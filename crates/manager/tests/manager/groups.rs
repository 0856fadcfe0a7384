//! Groups of real files and of this computer's name service, as a manager tells them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use usher_manager::GroupOptions;
use usher_platform::name_service::NameService;

use crate::imports::{ask, import, used};
use crate::support::{Manager, send, until};

const EVERY: Duration = Duration::from_secs(1);

fn of_files(files: &[&str], realm: Option<&str>) -> impl Fn(&Path) -> GroupOptions {
    let files: Vec<String> = files.iter().map(|&file| file.to_owned()).collect();
    let realm = realm.map(str::to_owned);
    move |folder| GroupOptions {
        files: files.iter().map(|file| folder.join(file)).collect(),
        realm: realm.clone(),
        every: EVERY,
        ..GroupOptions::default()
    }
}

async fn get(manager: &Manager, path: &str) -> Value {
    let (status, body) = ask(manager, "GET", path, None).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// The groups, once a source is as `is` says.
async fn once(manager: &Manager, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    until(what, async || {
        let page = get(manager, "/v1/groups").await;
        is(&page["sources"][0]).then_some(page)
    })
    .await
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|it| it["name"].as_str().unwrap()).collect()
}

/// `REALM ACCOUNT THROUGH` of each member.
async fn members(manager: &Manager, group: &str) -> Vec<String> {
    let page = get(manager, &format!("/v1/groups/{group}/members")).await;
    let items = page["items"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    items
        .map(|it| {
            let parts = ["realm", "account", "through"].map(|field| text(&it[field]));
            parts.join(" ")
        })
        .collect()
}

const GROUPS: &str = "# who pays\ncfd: ann, lab.example\\bob\nall: @cfd, zoe@lab.example\n";

#[tokio::test]
async fn groups_of_a_file_are_listed_and_a_bad_file_keeps_the_last_good_one() {
    let options = of_files(&["groups"], Some("corp.example"));
    let manager = Manager::start_as(|folder, set| {
        std::fs::write(folder.join("groups"), GROUPS).unwrap();
        set.groups = options(folder);
    });
    let file = manager.folder().join("groups");
    let page = once(&manager, "the file", |it| it["as_of"].is_string()).await;
    assert_eq!(page["sources"][0]["source"], *file.display().to_string());
    assert_eq!(page["sources"][0]["trouble"], Value::Null);
    assert_eq!(names(&page), ["all", "cfd"]);
    let all = &page["items"][0];
    assert_eq!(
        (&all["people"], &all["groups"][0]),
        (&1.into(), &"cfd".into())
    );
    let in_all = [
        "corp.example ann cfd",
        "lab.example bob cfd",
        "lab.example zoe -",
    ];
    assert_eq!(members(&manager, "all").await, in_all);
    let of_bob = get(&manager, "/v1/groups?user=lab.example%5Cbob").await;
    assert_eq!(names(&of_bob), ["all", "cfd"]);
    let of_nobody = get(&manager, "/v1/groups?user=bob@corp.example").await;
    assert_eq!(names(&of_nobody), Vec::<&str>::new());

    std::fs::write(&file, "cfd: ann\nbob\n").unwrap();
    let page = once(&manager, "the trouble", |it| it["trouble"].is_string()).await;
    let trouble = page["sources"][0]["trouble"].as_str().unwrap();
    assert!(trouble.starts_with("line 2: it has no colon"), "{trouble}");
    assert!(page["sources"][0]["trouble_since"].is_string(), "{page}");
    assert_eq!(members(&manager, "all").await, in_all);

    let manager = manager.restart_as(|folder, set| set.groups = options(folder));
    once(&manager, "the same trouble", |it| it["trouble"].is_string()).await;
    assert_eq!(members(&manager, "all").await, in_all);

    std::fs::write(&file, "cfd: cy\n").unwrap();
    let page = once(&manager, "what is mended", |it| it["trouble"].is_null()).await;
    assert_eq!(names(&page), ["cfd"]);
    assert_eq!(members(&manager, "cfd").await, ["corp.example cy -"]);
}

#[tokio::test]
async fn lists_are_paged_and_who_may_not_look_is_refused() {
    let options = of_files(&["table.csv"], None);
    let manager = Manager::start_as(|folder, set| {
        let rows: String = (0..5).map(|n| format!("g{n},p{n}\ng0,q{n}\n")).collect();
        std::fs::write(folder.join("table.csv"), format!("group,user\n{rows}")).unwrap();
        set.groups = options(folder);
    });
    once(&manager, "the file", |it| it["as_of"].is_string()).await;
    for (path, expected) in [("/v1/groups", 5), ("/v1/groups/g0/members", 6)] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = get(&manager, &format!("{path}?limit=2{cursor}")).await;
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 2, "{page}");
            found.extend(items.clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found.len(), expected, "{path}: {found:?}");
    }
    let (status, unknown) = ask(&manager, "GET", "/v1/groups/none/members", None).await;
    assert_eq!((status, &unknown["code"]), (404, &"unknown_group".into()));
    let (status, refused) = send(manager.request("GET", "/v1/groups", "usher_other")).await;
    assert_eq!((status, &refused["code"]), (401, &"unauthorized".into()));
}

#[tokio::test]
async fn groups_of_this_computer_have_those_whose_main_group_they_are() {
    let manager = Manager::start_as(|_, set| {
        set.groups = GroupOptions {
            system: Some(NameService::of_this_computer()),
            every: EVERY,
            ..GroupOptions::default()
        };
    });
    let page = once(&manager, "the answer", |it| it["as_of"].is_string()).await;
    assert_eq!(page["sources"][0]["source"], "system");
    let root = members(&manager, "root").await;
    assert!(root.contains(&"- root -".to_owned()), "{root:?}");
    let of_root = get(&manager, "/v1/groups?user=root").await;
    assert!(names(&of_root).contains(&"root"), "{of_root}");
}

/// A name service that lists nobody, as most directories do, and fails while `away` is there.
const LISTS_NOBODY: &str = "#!/bin/sh\n\
    [ -e \"${0%/*}/away\" ] && exit 1\n\
    [ $# -eq 1 ] && exit 3\n\
    exec getent \"$@\"\n";

#[tokio::test]
async fn people_whom_the_site_knows_are_asked_for_and_stay_while_the_service_is_away() {
    let manager = Manager::start_as(|folder, set| {
        let program = folder.join("getent");
        std::fs::write(&program, LISTS_NOBODY).unwrap();
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, executable).unwrap();
        set.groups = GroupOptions {
            system: Some(NameService::asked_by(program)),
            every: EVERY,
            ..GroupOptions::default()
        };
    });
    let page = once(&manager, "the answer", |it| it["as_of"].is_string()).await;
    assert_eq!(names(&page), Vec::<&str>::new());
    let mut of_root = used("a:0");
    of_root["user"] = "root".into();
    import(&manager, "lic1", &[of_root]).await;
    until("the group of root", async || {
        let page = get(&manager, "/v1/groups?user=root").await;
        names(&page).contains(&"root").then_some(())
    })
    .await;
    std::fs::write(manager.folder().join("away"), "").unwrap();
    let page = once(&manager, "the trouble", |it| it["trouble"].is_string()).await;
    assert!(page["sources"][0]["as_of"].is_string(), "{page}");
    assert_eq!(members(&manager, "root").await, ["- root -"]);
    std::fs::remove_file(manager.folder().join("away")).unwrap();
    once(&manager, "the end of it", |it| it["trouble"].is_null()).await;
}
