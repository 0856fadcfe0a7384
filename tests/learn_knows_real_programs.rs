//! What `usher product learn` proposes for real programs of Debian, and what the agent records of
//! them by that proposal. The table is docs/learn.md's; `cargo xtask learn-table` tries it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Folder, Running, are_installed, finish_within, said, usher, wait_within};

/// The longest that one program may take, with its first start in an empty home.
const LONGEST: Duration = Duration::from_secs(300);

/// One program.
struct Row {
    name: &'static str,
    /// What has to be there, by a program of it.
    needs: &'static str,
    /// For a shell, in an empty folder that is also the home.
    command: &'static str,
    /// The rule for the program itself.
    program: &'static str,
    /// A rule for its helpers, if one matters.
    helpers: Option<&'static str>,
}

const ROWS: &[Row] = &[
    Row {
        name: "LibreOffice",
        needs: "soffice",
        command: "echo 1,2 > in.csv; soffice --headless --convert-to pdf in.csv",
        program: "path=/usr/lib/libreoffice/program/soffice.bin",
        helpers: Some("path=/usr/lib/libreoffice/program/oosplash,role=helper"),
    },
    Row {
        name: "Octave",
        needs: "octave",
        command: "octave --no-gui --eval 'pause(1)'",
        program: "path=/usr/bin/octave-cli",
        helpers: Some("path=/usr/bin/octave,role=helper"),
    },
    Row {
        name: "R",
        needs: "R",
        command: "R --vanilla -e 'Sys.sleep(1)'",
        program: "path=/usr/lib/R/bin/exec/R",
        helpers: None,
    },
    Row {
        name: "Rscript",
        needs: "Rscript",
        command: "Rscript -e 'Sys.sleep(1)'",
        program: "path=/usr/lib/R/bin/exec/R",
        helpers: None,
    },
    Row {
        name: "Scilab",
        needs: "scilab-cli",
        command: "scilab-cli -e 'sleep(1000); quit'",
        program: "path=/usr/bin/scilab-cli-bin",
        helpers: Some("path=/usr/bin/scilab-cli,role=helper"),
    },
    Row {
        name: "Blender",
        needs: "blender",
        command: "blender -b --python-expr 'import time; time.sleep(1)'",
        program: "path=/usr/bin/blender",
        helpers: None,
    },
    Row {
        name: "Chromium",
        needs: "chromium",
        command: "chromium --headless --no-sandbox --disable-gpu --dump-dom about:blank",
        program: "path=/usr/lib/chromium/chromium",
        helpers: None,
    },
    Row {
        name: "GIMP",
        needs: "gimp",
        command: "gimp -i -d -f -b '(gimp-quit 0)'",
        program: "path=/usr/bin/gimp-2.10",
        helpers: Some("path=/usr/lib/gimp/2.0/plug-ins/**,role=helper"),
    },
    Row {
        name: "FreeCAD",
        needs: "freecadcmd",
        command: "freecadcmd -c 'import time; time.sleep(1)'",
        program: "path=/usr/lib/freecad/bin/freecadcmd-python3",
        helpers: None,
    },
    Row {
        name: "An MPI program (Open MPI, 2 ranks)",
        needs: "mpirun",
        command: "mpirun --allow-run-as-root --oversubscribe -n 2 openssl speed -seconds 1 sha256",
        program: "path=/usr/bin/openssl",
        helpers: None,
    },
    Row {
        name: "A Java program",
        needs: "java",
        command: "echo 'class A { public static void main(String[] a) throws Exception { \
                  Thread.sleep(1000); } }' > A.java; java A.java",
        program: "path=/usr/lib/jvm/java-17-openjdk-amd64/bin/java",
        helpers: None,
    },
    Row {
        name: "A program under Wine",
        needs: "wine",
        command: "cp /usr/lib/x86_64-linux-gnu/wine/x86_64-windows/tasklist.exe solver.exe; \
                  wine ./solver.exe",
        program: "original-name=tasklist.exe",
        helpers: None,
    },
    Row {
        name: "Octave in bubblewrap",
        needs: "bwrap",
        command: "bwrap --ro-bind / / --dev /dev --proc /proc octave-cli --eval 'pause(1)'",
        program: "path=/usr/bin/octave-cli",
        helpers: None,
    },
];

/// As docs/learn.md has it.
fn documented(row: &Row) -> String {
    let helpers = row
        .helpers
        .map_or(String::new(), |rule| format!("`{rule}`"));
    format!("| {} | `{}` | {helpers} |", row.name, row.program)
}

#[test]
fn the_table_in_the_guide_is_the_one_that_is_tried() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/learn.md");
    let page = fs::read_to_string(page).unwrap();
    for row in ROWS {
        let line = documented(row);
        assert!(page.lines().any(|known| known == line), "missing: {line}");
    }
}

#[test]
#[ignore = "needs a gigabyte of programs: `cargo xtask learn-table` installs them and runs it"]
fn learn_proposes_what_the_table_says_and_the_agent_records_it() {
    let folder = Folder::new();
    let mut up = usher();
    up.args(["up", "--listen", "127.0.0.1:0", "--agent-socket"])
        .arg(folder.path("agent.sock"));
    let running = Running::start(&mut up, &folder.path("data"));
    let mut wrong = Vec::new();
    for (index, row) in ROWS.iter().enumerate() {
        let outcome = match are_installed(&[row.needs]) {
            true => tried(&running, &folder, index, row),
            false => Err(format!("{} is not installed", row.needs)),
        };
        match outcome {
            Ok(sessions) => println!("{}: as the table says; {sessions} recorded", row.name),
            Err(why) => {
                println!("{}: {why}", row.name);
                wrong.push(format!("{}: {why}", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Learns a program, adds what is proposed, runs it again; answers how many uses are recorded.
fn tried(running: &Running, folder: &Folder, index: usize, row: &Row) -> Result<usize, String> {
    let home = folder.path(&format!("home{index}"));
    fs::create_dir(&home).map_err(|error| error.to_string())?;
    let at_home = |command: &mut Command| {
        command
            .current_dir(&home)
            .env("HOME", &home)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("DISPLAY")
            .env("WINEDEBUG", "-all")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let id = format!("program-{index}");
    let learn = ["product", "learn", &id, "--json", "--add", "--", "sh", "-c"];
    let mut learn = running.usher(&learn);
    let output = finish_within(at_home(learn.arg(row.command)), LONGEST);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // The program's own lines come before the list.
    let list = text.find("\n{\n").map_or(0, |at| at + 1);
    let answer: Value = serde_json::from_str(&text[list..])
        .map_err(|error| format!("{error}: {}", said(&output)))?;
    let rules = answer["rules"].as_array().ok_or("there are no rules")?;
    if rules.first().and_then(Value::as_str) != Some(row.program) {
        return Err(format!("{rules:?}"));
    }
    let is_there = |helper: &str| rules.iter().any(|rule| rule == helper);
    if row.helpers.is_some_and(|helper| !is_there(helper)) {
        return Err(format!("{rules:?}"));
    }
    let mut again = Command::new("sh");
    finish_within(at_home(again.arg("-c").arg(row.command)), LONGEST);
    let recorded = wait_within(LONGEST, "a recorded use", || {
        let answer = running.json(&["usage", "--product", &id]);
        let ended = |session: &&Value| !session["ended_at"].is_null();
        let ended = answer["items"].as_array()?.iter().filter(ended).count();
        (ended > 0).then_some(ended)
    });
    // Another row may be for the same program.
    running.ok(&["product", "remove", &id]);
    Ok(recorded)
}
