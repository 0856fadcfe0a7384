//! `cargo xtask picture`: the README's picture, a terminal in which the built `usher` has run.
//!
//! Each line of [`SCENES`] is run on a terminal of its own (script(1)) against a server in a
//! temporary folder, and what it wrote, colours and all, becomes docs/pictures/first-minute.svg.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anstyle_svg::Term;
use usher_testing::undo::{self, Undo};

use crate::process::Runner;
use crate::soak::built;

/// Where it goes, from the repository's root.
const PICTURE: &str = "docs/pictures/first-minute.svg";
/// How wide the terminal is.
const COLUMNS: u32 = 100;
/// A line that takes longer has a fault.
const LINE_WITHIN: Duration = Duration::from_secs(30);

/// Who types what. `{decision}` is the refusal that was shown last.
const SCENES: &[(&str, &str)] = &[
    ("", "usher product add cad --name 'CAD 3D' --seats 1"),
    ("anna", "usher run --product cad -- sleep 3 &"),
    ("ben", "usher run --product cad -- sleep 3"),
    ("ben", "usher why {decision}"),
    ("ben", "usher run --product cad --wait -- sleep 1"),
    ("", "usher usage by-product"),
];

/// Builds `usher`, runs the lines and writes the picture.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let runner = Runner::new()?;
    let (_, target) = built(&runner, root)?;
    let stage = Stage::up(&target.join("debug"))?;
    let mut shown = String::new();
    let mut decision = String::new();
    let mut aside = Vec::new();
    for (who, line) in SCENES {
        let line = line.replace("{decision}", &decision);
        shown += &format!("\x1b[1m{who}$\x1b[0m {line}\r\n");
        match line.strip_suffix(" &") {
            Some(line) => {
                aside.push(stage.begin(who, line)?);
                stage.is_taken()?;
            }
            None => {
                let said = stage.end(stage.begin(who, &line)?, &line)?;
                if let Some(id) = decision_in(&said) {
                    decision = id;
                }
                shown += said.trim_end();
                shown += "\r\n\r\n";
            }
        }
    }
    for mut child in aside {
        ended(&mut child)?;
    }
    let picture = root.join(PICTURE);
    let folder = picture.parent().unwrap_or(root);
    // Lines end as in files, and not as on terminals.
    let text = shown.trim_end().replace('\r', "");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&picture, Term::new().render_svg(&text)))
        .map_err(|error| format!("cannot write {}: {error}", picture.display()))?;
    println!("{} lines are in {PICTURE}", text.lines().count());
    Ok(())
}

/// The decision that `usher why` is advised for.
fn decision_in(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("usher why ")?;
    let id = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    id.into_iter().next().map(str::to_owned)
}

/// A server of its own, which ends with this.
struct Stage {
    up: Child,
    _ended: Undo,
    path: String,
    url: String,
    data: String,
}

impl Stage {
    fn up(programs: &Path) -> Result<Stage, String> {
        let folder = std::env::temp_dir().join(format!("usher-picture-{}", std::process::id()));
        let cannot = |error: std::io::Error| format!("cannot start usher up: {error}");
        let mut up = Command::new(programs.join("usher"))
            .args(["up", "--no-agent", "--listen", "127.0.0.1:0"])
            .args(["--console", "127.0.0.1:0", "--data"])
            .arg(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(cannot)?;
        let ended = undo::end_with_test(&[up.id()]).map_err(cannot)?;
        let (tell, told) = mpsc::channel();
        let out = up.stdout.take();
        std::thread::spawn(move || {
            let mut line = String::new();
            drop(out.map(|out| BufReader::new(out).read_line(&mut line)));
            drop(tell.send(line));
        });
        let line = told.recv_timeout(LINE_WITHIN).unwrap_or_default();
        let mut stage = Stage {
            up,
            _ended: ended,
            path: format!("{}:/usr/bin:/bin", programs.display()),
            url: String::new(),
            data: folder.display().to_string(),
        };
        let mut words = line.split_whitespace();
        let url = words.find_map(|word| word.strip_prefix("api="));
        stage.url = url
            .ok_or("usher up did not say that it is ready")?
            .to_owned();
        Ok(stage)
    }

    /// Runs a line on a terminal, as somebody.
    fn begin(&self, who: &str, line: &str) -> Result<Child, String> {
        let as_whom = match who {
            "" => String::new(),
            who => format!(" --user {who}"),
        };
        let line = match line.split_once(" run ") {
            Some((usher, rest)) => format!("{usher} run{as_whom} {rest}"),
            None => line.to_owned(),
        };
        Command::new("script")
            .args(["--quiet", "--return", "--command"])
            .arg(format!("stty cols {COLUMNS}; exec {line}"))
            .arg("/dev/null")
            .env_clear()
            .env("PATH", &self.path)
            .env("TERM", "xterm")
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .env("HOME", &self.data)
            .env("USHER_SERVER", &self.url)
            .env("USHER_DATA", &self.data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start script (util-linux): {error}"))
    }

    /// What a line wrote until it ended.
    fn end(&self, mut child: Child, line: &str) -> Result<String, String> {
        let out = child.stdout.take();
        let read = std::thread::spawn(move || out.map(std::io::read_to_string));
        ended(&mut child)?;
        match read.join() {
            Ok(Some(Ok(said))) => Ok(said),
            _ => Err(format!("cannot read what `{line}` wrote")),
        }
    }

    /// Waits until a seat is in use.
    fn is_taken(&self) -> Result<(), String> {
        let until = Instant::now() + LINE_WITHIN;
        while Instant::now() < until {
            let leases = self.begin("", "usher leases --json")?;
            if self.end(leases, "usher leases")?.contains("\"granted_at\"") {
                return Ok(());
            }
        }
        Err("the first run took no seat".to_owned())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let pid = i32::try_from(self.up.id()).ok();
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        drop(ended(&mut self.up));
        drop(fs::remove_dir_all(&self.data));
    }
}

/// Waits for the end of a program, which is killed if it does not come.
fn ended(child: &mut Child) -> Result<(), String> {
    let status = usher_child::ended_within(child, LINE_WITHIN);
    let late = || "a line did not end in time".to_owned();
    status.map(drop).ok_or_else(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decision_of_a_refusal_is_found_in_its_words() {
        let said = "usher: the only seat is in use\r\n  `usher why D5dc2d1db-13` tells who\r\n";
        assert_eq!(decision_in(said).as_deref(), Some("D5dc2d1db-13"));
        assert_eq!(decision_in("Product cad is added."), None);
    }
}
