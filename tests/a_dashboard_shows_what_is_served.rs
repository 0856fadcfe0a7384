//! The dashboard in docs/grafana shows what a manager serves: a real Prometheus scrapes it, and each
//! query of the dashboard finds something there, with the labels that it names.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use usher_testing::undo::{self, Undo};

use crate::http::{Http, checkout};
use crate::support::{Ended, Folder, Running, reap, said, stdout, wait_for};

/// What `/metrics` of the manager says.
fn scraped(up: &Running) -> String {
    let token = std::fs::read_to_string(up.data.join("admin.token")).unwrap();
    let mut curl = Command::new("curl");
    let shown = format!("Authorization: Bearer {}", token.trim());
    curl.args(["-sf", "-H", &shown, &format!("{}/metrics", console(up))]);
    stdout(&curl.output().unwrap())
}

fn console(up: &Running) -> &str {
    let mut words = up.ready.split(' ');
    words
        .find_map(|word| word.strip_prefix("console="))
        .unwrap()
}

/// A site in which everything happens that the dashboard shows: seats in use, somebody who waits,
/// and another licence server.
fn a_site(folder: &Folder) -> Running {
    let up = Running::up(&folder.path("data"));
    up.ok(&["product", "add", "cad", "--seats", "2"]);
    let token = std::fs::read_to_string(up.data.join("admin.token")).unwrap();
    let mut http = Http::connect(&up.api, token.trim()).unwrap();
    for (user, status) in [("ada", 201), ("bob", 201), ("cid", 403)] {
        let asked = checkout("cad", user);
        let answer = http.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let mut asked = checkout("cad", "dan");
    asked["wait"] = true.into();
    let answer = http.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
    assert_eq!(answer.status, 202, "{answer:?}");
    let now = usher_api::Timestamp::now();
    let report = format!(
        "lmutil - Copyright (c) 1989-2016 Flexera Software LLC. All Rights Reserved.\n\
         Flexible License Manager status on {}\n\n\
         License server status: 27000@lic1\n    License file(s) on lic1: /opt/lic.dat:\n\n\
         lic1: license server UP (MASTER) v11.14\n\nVendor daemon status (on lic1):\n\n  \
         MLM: UP v11.14\n\nFeature usage info:\n\n\
         Users of Simulink:  (Total of 10 licenses issued;  Total of 4 licenses in use)\n\n  \
         \"Simulink\" v40, vendor: MLM\n  floating license\n\n    \
         ann pc1 pc1 (v40) (lic1/27000 101), start {}, 4 licenses\n",
        now.strftime("%a %-m/%-d/%Y %H:%M"),
        now.strftime("%a %-m/%-d %H:%M"),
    );
    let file = folder.path("lmstat.txt");
    std::fs::write(&file, report).unwrap();
    let file = file.to_str().unwrap();
    let import = [
        "import",
        "lmstat",
        file,
        "--source",
        "lic1",
        "--time-zone",
        "UTC",
    ];
    for words in [&import[..], &["servers", "poll", "local"]] {
        let mut command = up.usher(words);
        let output = command.env("USHER_MANAGER", console(&up)).ended();
        assert!(output.status.success(), "{}", said(&output));
    }
    up
}

/// A Prometheus that scrapes a manager each second.
struct Prometheus {
    /// Kills it if this test does not.
    _ended: Undo,
    child: Child,
    url: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        reap(&mut self.child);
    }
}

impl Prometheus {
    fn of(up: &Running, folder: &Folder) -> Prometheus {
        let config = format!(
            "global: {{ scrape_interval: 1s }}\nscrape_configs:\n  - job_name: usher-manager\n    \
             authorization: {{ credentials_file: {} }}\n    static_configs:\n      \
             - targets: [\"{}\"]\n",
            up.data.join("admin.token").display(),
            console(up).trim_start_matches("http://"),
        );
        let file = folder.path("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        // Nobody else takes a port that was just free, as a rule.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path("tsdb").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        Prometheus {
            _ended: undo::end_with_test(&[child.id()]).unwrap(),
            child,
            url: format!("http://{address}"),
        }
    }

    /// What it answers; none: nothing yet.
    fn asked(&self, path: &str, parameter: &str) -> Option<Value> {
        let url = format!("{}{path}", self.url);
        let mut curl = Command::new("curl");
        curl.args(["-s", "-G", "--data-urlencode", parameter, &url]);
        serde_json::from_str(&stdout(&curl.output().unwrap())).ok()
    }

    /// The series that a query finds, as soon as it finds any.
    fn found(&self, query: &str) -> Vec<Value> {
        wait_for(query, || {
            let answer = self.asked("/api/v1/query", &format!("query={query}"))?;
            assert_eq!(answer["status"], "success", "{query}: {answer}");
            let found = answer["data"]["result"].as_array().unwrap().clone();
            (!found.is_empty()).then_some(found)
        })
    }
}

/// A text of the dashboard, as it is with all chosen.
fn with_all(text: &str) -> String {
    text.replace("$counted", "here|elsewhere")
        .replace("$server", ".*")
        .replace("$product", ".*")
}

/// The names in `{{name}}`.
fn named(legend: &str) -> Vec<&str> {
    let pieces = legend.split("{{").skip(1);
    pieces
        .map(|piece| piece.split("}}").next().unwrap())
        .collect()
}

#[test]
fn each_query_of_the_dashboard_finds_what_a_manager_serves() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/grafana/usher.json");
    let dashboard: Value = serde_json::from_slice(&std::fs::read(docs).unwrap()).unwrap();
    let folder = Folder::new();
    let up = a_site(&folder);
    let prometheus = Prometheus::of(&up, &folder);
    // Each quantity of a product is a series of its own, here and elsewhere.
    let quantities = [
        ("usher_seats", 2, Some(10)),
        ("usher_seats_in_use", 2, Some(4)),
        ("usher_seats_reserved", 0, Some(0)),
        ("usher_waiting", 1, Some(0)),
        ("usher_unseated", 0, None),
    ];
    for (metric, here, elsewhere) in quantities {
        let value = |product: &str| {
            let query = format!("{metric}{{product=\"{product}\",counted!=\"\"}}");
            let found = prometheus.found(&query);
            found[0]["value"][1].as_str().unwrap().to_owned()
        };
        assert_eq!(value("cad"), here.to_string(), "{metric}");
        if let Some(elsewhere) = elsewhere {
            assert_eq!(value("MLM:Simulink"), elsewhere.to_string(), "{metric}");
        }
    }
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|it| it["targets"].as_array().unwrap());
    let mut shown = String::new();
    for target in targets {
        let expression = target["expr"].as_str().unwrap();
        shown.push_str(expression);
        let found = prometheus.found(&with_all(expression));
        for label in named(target["legendFormat"].as_str().unwrap()) {
            assert!(
                found[0]["metric"][label].is_string(),
                "{expression} has no {label}: {found:?}"
            );
        }
    }
    // What the choices at the top offer.
    for choice in dashboard["templating"]["list"].as_array().unwrap() {
        let Some(query) = choice["query"]["query"].as_str() else {
            continue;
        };
        let inner = query.strip_prefix("label_values(").unwrap();
        let (series, label) = inner.trim_end_matches(')').rsplit_once(", ").unwrap();
        let found = prometheus.found(series);
        assert!(found[0]["metric"][label].is_string(), "{query}: {found:?}");
    }
    for metric in quantities
        .map(|it| it.0)
        .into_iter()
        .chain(["usher_denials_total"])
    {
        assert!(shown.contains(&format!("{metric}{{")), "{metric}");
    }
}

#[test]
fn metrics_are_as_prometheus_wants_them() {
    let folder = Folder::new();
    let up = a_site(&folder);
    wait_for("both licence servers", || {
        let text = scraped(&up);
        let is_there = |counted: &str| {
            let label = format!("counted=\"{counted}\"");
            text.lines()
                .any(|line| line.starts_with("usher_seats{") && line.contains(&label))
        };
        (is_there("here") && is_there("elsewhere")).then_some(())
    });
    let text = scraped(&up);
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = promtool.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    // A series is there once.
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = samples
        .filter_map(|it| Some(it.rsplit_once(' ')?.0))
        .collect();
    let once: BTreeSet<&&str> = names.iter().collect();
    assert_eq!(once.len(), names.len(), "{text}");
}
