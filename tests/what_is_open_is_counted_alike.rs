//! How many messages are open is said alike by `usher messages --open`, by `usher messages summary`
//! and by `usher check`, whatever becomes of the servers that they are about.

use serde_json::Value;

use crate::support::{Ended, Folder, Running, said, stdout, usher, wait_for};

/// A manager, started again on the same data if need be.
struct Manager {
    running: Running,
    console: String,
}

impl Manager {
    fn start(folder: &Folder) -> Manager {
        let mut command = usher();
        command.args(["manager", "--console", "127.0.0.1:0", "--heal", "off"]);
        let running = Running::start(&mut command, &folder.path("manager"));
        let mut ready = running.ready.split(' ');
        let console = ready.find_map(|word| word.strip_prefix("console="));
        let console = console.unwrap().to_owned();
        Manager { running, console }
    }

    fn ok(&self, words: &[&str]) -> String {
        self.running
            .ok(&[words, &["--manager", &self.console]].concat())
    }

    fn json(&self, words: &[&str]) -> Vec<Value> {
        let text = self.ok(&[words, &["--json"]].concat());
        let page: Value = serde_json::from_str(&text).unwrap();
        page["items"].as_array().unwrap().clone()
    }

    fn add(&self, name: &str, url: &str, data: &std::path::Path) {
        let token = data.join("admin.token");
        let (token, data) = (token.to_str().unwrap(), data.to_str().unwrap());
        let words = ["servers", "add", name, "--url", url, "--token-file", token];
        self.ok(&[&words[..], &["--server-data", data]].concat());
    }

    /// What is said to be open: in all, of errors and of warnings.
    fn views(&self) -> [[u64; 3]; 3] {
        let open = self.json(&["messages", "--open", "--limit", "1000"]);
        let of = |severity: &str| {
            let is_it = |it: &&Value| it["severity"] == severity;
            open.iter().filter(is_it).count() as u64
        };
        let listed = [open.len() as u64, of("error"), of("warning")];

        let summary = self.json(&["messages", "summary"]);
        let count = |line: &Value| line["open"].as_u64().unwrap();
        let site = summary.iter().find(|it| it["component"] == "site").unwrap();
        for line in summary.iter().filter(|it| it["component"] != "site") {
            let of_it = open
                .iter()
                .filter(|it| it["component"] == line["component"]);
            assert_eq!(count(line), of_it.count() as u64, "{line:#}");
        }
        let is_well = site["status"] == "ok";
        assert_eq!(is_well, site["why"].is_null(), "{site:#}");
        let summed = [count(site), listed[1], listed[2]];

        let mut check = self.running.usher(&["check", "--manager", &self.console]);
        let check = check.ended();
        let line = stdout(&check);
        let figure = |name: &str| -> u64 {
            let mut words = line.split([' ', '|', ';']);
            let word = words.find_map(|word| word.strip_prefix(name));
            let word = word.unwrap_or_else(|| panic!("no {name} in {}", said(&check)));
            word.trim().parse().unwrap()
        };
        let (errors, warnings) = (figure("errors="), figure("warnings="));
        if errors > 0 {
            assert_eq!(site["status"], "critical", "{site:#}");
        }
        let others = listed[0] - listed[1] - listed[2];
        [
            listed,
            summed,
            [errors + warnings + others, errors, warnings],
        ]
    }

    /// All say the same of what is open; how much that is.
    fn agree(&self, when: &str) -> [u64; 3] {
        wait_for(&format!("the views to agree {when}"), || {
            let views = self.views();
            eprintln!("{when}: {views:?}");
            (views[0] == views[1] && views[1] == views[2]).then_some(views[0])
        })
    }
}

#[test]
fn what_is_open_is_counted_alike_whatever_becomes_of_the_servers() {
    let folder = Folder::new();
    let server = |name: &str| {
        let mut command = usher();
        Running::start(
            command.args(["server", "--listen", "127.0.0.1:0"]),
            &folder.path(name),
        )
    };
    let (alpha, beta) = (server("alpha"), server("beta"));
    let manager = Manager::start(&folder);
    manager.add("alpha", &alpha.api, &alpha.data);
    manager.add("beta", &beta.api, &beta.data);
    let [_, errors, _] = manager.agree("if all is well");
    assert_eq!(errors, 0);

    let beta_data = beta.data.clone();
    drop(beta);
    manager.ok(&["servers", "poll", "beta"]);
    let [_, errors, _] = manager.agree("after a server was killed");
    assert_eq!(errors, 1, "9406");

    // Nobody listens there, and nobody can be asked.
    let token = alpha.data.join("admin.token");
    let words = ["servers", "add", "bad", "--url", "http://127.0.0.1:1"];
    manager.ok(&[&words[..], &["--token-file", token.to_str().unwrap()]].concat());
    let [_, errors, warnings] = manager.agree("with one that cannot be reached");
    assert_eq!((errors, warnings), (1, 1), "9406 and 9412");

    manager.ok(&["servers", "remove", "bad"]);
    let [_, errors, warnings] = manager.agree("after its removal");
    assert_eq!((errors, warnings), (1, 0));

    manager.ok(&["servers", "remove", "beta"]);
    let [_, errors, warnings] = manager.agree("after both removals");
    assert_eq!((errors, warnings), (0, 0));
    let about = manager.json(&["messages", "--about", "beta"]);
    let of = |id: u64| about.iter().find(|it| it["id"] == id).unwrap();
    assert!(of(9406)["recovered_at"].is_string(), "{about:#?}");
    let removal = of(9441)["text"].as_str().unwrap();
    assert!(
        removal.contains("message 9406 about it is closed"),
        "{removal}"
    );
    // What came is counted, and what is over is no reason to call the site anything but well.
    let summary = manager.json(&["messages", "summary"]);
    let site = summary.iter().find(|it| it["component"] == "site").unwrap();
    assert_eq!(
        (&site["status"], &site["errors"]),
        (&"ok".into(), &1.into()),
        "{site:#}"
    );
    let mut open = manager.running.usher(&["messages", "--open"]);
    let open = open.args(["--manager", &manager.console]).ended();
    assert!(
        said(&open).contains("No message is open."),
        "{}",
        said(&open)
    );

    drop(manager);
    let manager = Manager::start(&folder);
    let [_, errors, warnings] = manager.agree("after a restart of the manager");
    assert_eq!((errors, warnings), (0, 0));
    // The same name again is another watch.
    manager.add("beta", "http://127.0.0.1:1", &beta_data);
    let [_, errors, _] = manager.agree("with the same name again");
    assert_eq!(errors, 1);
}
