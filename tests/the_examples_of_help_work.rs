//! Each example of a help text is run, in the order of the help, on a computer that has what it
//! names: an example that nobody can follow is none.

use std::ffi::OsStr;
use std::fmt::Write as _;

use crate::page::Page;
use crate::support::{Ended, Running, stdout, usher};

/// Runs before the examples: what they name.
const THERE: &str = r#"
# Roles listen on ports that are free here.
export USHER_LISTEN=127.0.0.1:0
# Ends with this shell, whatever ends it.
serve() {
  setpriv --pdeathsig TERM "$USHER" "$@" > role.ready &
  running+=($!)
  for _ in $(seq 600); do
    if grep -q ^ready role.ready; then return; fi
    kill -0 "${running[-1]}"
    sleep 0.05
  done
  echo "no ready line: usher $*" >&2; return 1
}
usher() {
  case "$*" in
    up|"up "*|server|"server "*|manager|"manager "*|"agent --server"*)
      (unset USHER_SERVER USHER_MANAGER USHER_TOKEN; export USHER_AGENT_SOCKET="$DIR/other.sock"
      case "$1" in up|manager) export USHER_CONSOLE=127.0.0.1:0;; esac
      # Those that name no data have data of their own.
      case "$*" in *--data*) ;; *) export USHER_DATA="$DIR/other";; esac
      serve "$@"; kill "${running[-1]}"; wait "${running[-1]}" || true) ;;
    *) "$USHER" "$@" ;;
  esac
}
# These steer the service manager of a computer: see the tests of installed servers.
systemctl() { :; }
usher tls make --dir tls > /dev/null
cp tls/server.pem cert.pem; cp tls/server.key key.pem
cp tls/server.pem tls/server.key tls/ca.pem .
usher product add solver --seats 8 > /dev/null
usher product add hpc-pack --seats 8 > /dev/null
printf 'product,seats,to\ncad,25,2026-12-31\n' > owned.csv
printf '[schedule]\n' > Remodbc.ini
mkdir policy
printf 'policy = 1\n[[product]]\nid = "cam"\n' \
  | tee policy.toml products.toml policy/products.toml > /dev/null
printf 'policy = 1\n[[entitlement]]\nname = "cam-1"\nproduct = "cam"\nseats = 1\n' \
  | tee owned.toml policy/owned.toml > /dev/null
printf '#!/bin/sh\nexit 0\n' | tee solve.sh rank > /dev/null
cp /bin/true gimp-2.10; ln -s gimp-2.10 gimp
cp "$DIR/opt/cad/cad" "$DIR/opt/cad/start"
printf '#!/bin/sh\nshift 2\nexec "$@"\n' > mpirun
chmod +x gimp solve.sh rank mpirun
# What another licence server has.
printf 'SERVER lic1 001122334455 27000\nVENDOR MLM\n%s\n' \
  'INCREMENT Simulink MLM 45 01-jan-2027 5 DUP_GROUP=UH SIGN=0123456789AB' > license.dat
printf '%s\n' ' 8:00:00 (lmgrd) TIMESTAMP 11/30/2026' ' 8:00:01 (MLM) OUT: "Simulink" ann@pc1' \
  > debug.log.1
printf '%s\n' ' 9:00:00 (lmgrd) TIMESTAMP 11/30/2026' ' 9:30:00 (MLM) IN: "Simulink" ann@pc1' \
  > debug.log
printf '%s\n' product,user,computer,started_at,ended_at \
  cad,ann,pc1,2026-11-30T08:00:00Z,2026-11-30T09:00:00Z > uses.csv
lmutil() {
  printf '%s\n' 'Flexible License Manager status on Mon 11/30/2026 10:00' \
    'License server status: 27000@lic1' '   lic1: license server UP (MASTER) v11.19.0' \
    'Vendor daemon status (on lic1):' '     MLM: UP v11.19.0' 'Feature usage info:' \
    'Users of Simulink:  (Total of 5 licenses issued;  Total of 1 license in use)' \
    '  "Simulink" v45, vendor: MLM, expiry: 01-jan-2027' '  floating license' \
    '    ann pc1 :0 (v45) (lic1/27000 101), start Mon 11/30 9:45'
}
# What is started without a shell.
{ echo '#!/bin/bash'; declare -f lmutil; echo lmutil; } > lmutil
printf '%s\n' '#!/bin/sh' "echo 'LicenseName=cad'" "echo '    Total=2 Used=1 Free=1 Reserved=0 Remote=no'" \
  > scontrol
chmod +x lmutil scontrol
PATH="$PWD:$PATH"
cp "$DIR/data/admin.token" alpha.token
cp "$DIR/data/admin.token" token
TOKEN=$(cat token)
"#;

/// What an example needs to find, or leaves to be set right: its beginning, and what is done before
/// or after it.
const BEFORE: &[(&str, &str)] = &[
    (
        "usher product add gimp --name",
        "usher product remove gimp --yes",
    ),
    (
        "usher product learn cad --add",
        "usher product remove cad --yes",
    ),
    (
        "printf 'product",
        "usher entitlement list --product cad --json | jq -r '.items[].id' | \
         xargs -n 1 usher entitlement remove --yes",
    ),
    (
        "usher servers poll alpha",
        "usher servers remove here || true; \
         usher servers add alpha --url \"$USHER_SERVER\" --token-file token",
    ),
    (
        "usher servers edit alpha --token-file",
        "usher servers remove here || true; \
         usher servers add alpha --url \"$USHER_SERVER\" --token-file token || true",
    ),
    (
        "usher servers edit here",
        "usher servers remove alpha || true; \
         usher servers add here --url \"$USHER_SERVER\" --token-file token",
    ),
    (
        "usher servers add",
        // The server beside the manager is the one that is added.
        "usher servers remove local || true; usher servers remove alpha || true; \
         usher servers remove here || true",
    ),
    ("usher why D", "usher checkout hpc-pack --seats 99 || true"),
    (
        "usher denials --json",
        "usher checkout hpc-pack --seats 99 || true",
    ),
    ("usher completions", "mkdir -p \"$DIR\""),
    ("usher backup /backup", "mkdir -p \"$DIR/backup\""),
    // What differs is told by the exit code.
    (
        "usher policy diff policy.toml",
        "usher policy apply policy.toml --yes",
    ),
    (
        "usher policy diff policy/ --prune",
        "rm policy/*; usher policy export > policy/all.toml",
    ),
];
const AFTER: &[(&str, &str)] = &[
    (
        "usher product edit gimp --disable",
        "usher product edit gimp --enable",
    ),
    // The page has an end of its own to see to.
    (
        "trap ",
        "eval \"$(trap -p EXIT | cut -d\\' -f2)\"; trap finish EXIT",
    ),
];

/// Examples that go on until they are ended.
const ENDLESS: &[&str] = &[
    "usher messages --severity warning --follow",
    "usher notify",
    "usher watch flexnet-log lic1-log --log debug.log",
    "usher watch lmstat lic1 --licence 27000@lic1",
    "usher watch lmstat lic1 --command 'lmutil lmstat -a -c 27000@lic1' --every 1m",
    "usher watch slurm cluster -- scontrol show licenses",
];

/// Examples that are run by tests of their own, as they take a service manager or change what all
/// others stand on; each with the test that runs it.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "usher service start",
        "a_service_says_what_it_does, on a real systemd",
    ),
    (
        "usher service pause",
        "a_service_says_what_it_does, on a real systemd",
    ),
    (
        "usher service query",
        "a_service_says_what_it_does, on a real systemd",
    ),
    (
        "usher messages rules test",
        "an_administrator_is_helped, with a relay",
    ),
    (
        "usher policy apply policy.toml",
        "a_policy_is_kept_in_files, where somebody is asked",
    ),
    (
        "usher manager --database",
        "a_site_is_kept_on_postgresql, on a real one",
    ),
    (
        "usher backup --site",
        "a_history_is_collected_once and a_site_is_kept_on_postgresql",
    ),
    ("usher upgrade", "an_upgrade_is_rehearsed"),
    ("usher restore", "a_restore_is_made_good"),
];

/// The examples of each help page, a block each.
fn pages(words: &[&str], into: &mut String) {
    let mut help = usher();
    let help = stdout(&help.args(words).arg("--help").env("COLUMNS", "100").ended());
    let examples: Vec<&str> = help
        .lines()
        .skip_while(|line| !["Example:", "Examples:", "Begin here:"].contains(line))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .collect();
    if !examples.is_empty() {
        // A comment stands behind two blanks.
        writeln!(
            into,
            "# usher {}\n\n```sh\n{}\n```\n",
            words.join(" "),
            examples.join("\n")
        )
        .unwrap();
    }
    let commands = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "));
    for line in commands {
        let name = line.split(' ').nth(2).unwrap_or_default();
        if !name.is_empty() && name != "help" {
            pages(&[words, &[name]].concat(), into);
        }
    }
}

/// A line of a page without the words that explain it, which stand behind two blanks.
fn command_of(line: &str) -> &str {
    let line = line.trim();
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') if line[at..].starts_with("  ") => return &line[..at],
            _ => {}
        }
    }
    line
}

/// The text as it is to be run here.
fn here(text: &str, up: &Running) -> String {
    let word = |name: &str| {
        let mut words = up.ready.split(' ');
        words
            .find_map(|word| word.strip_prefix(name))
            .unwrap()
            .to_owned()
    };
    let id = |list: &str| format!("$(usher {list} --json | jq -r '.items[0]");
    text.replace("https://licences.example.org:8470", &up.api)
        .replace("http://10.0.0.5:8470", &up.api)
        .replace("--url http://127.0.0.1:8470", &format!("--url {}", up.api))
        .replace("https://usher.example.org:8480", &word("console="))
        .replace(
            "--at-manager",
            &format!("--at-manager={}", word("console=")),
        )
        .replace("D1f2e3d4c-42", &format!("{}.decision_id')", id("denials")))
        .replace("L1f2e3d4c-37", "$(usher checkout gimp --user anna)")
        .replace("Kc1b2d3d662d4", &format!("{}.id')", id("token list")))
        .replace(
            " E1 ",
            &format!(" {}.id') ", id("entitlement list --product gimp")),
        )
        .replace(
            "import remove i-0eb292ce4887503d",
            &format!("import remove {}.id')", id("import list")),
        )
        .replace("/var/lib/usher-manager", "$DIR/data")
        .replace("/var/lib/usher", "$DIR/other")
        .replace("/srv/", "$DIR/srv/")
        .replace(" /backup", " $DIR/backup")
        .replace("/usr/local/share/man", "$DIR/man")
        .replace("/etc/bash_completion.d", "$DIR")
        .replace("~/.zfunc", "$DIR")
        .replace("~/.config/fish/completions", "$DIR")
        // As long as a person who tries it would not wait.
        .replace("--for 30s", "--for 1s")
        .replace("--seeds 1000", "--seeds 3")
}

#[test]
fn each_example_of_the_help_runs() {
    let mut text = String::new();
    pages(&[], &mut text);
    let mut script = String::new();
    let mut tried = 0;
    for line in text.replace("\\\n", " ").lines() {
        if !line.starts_with("  ") {
            writeln!(script, "{line}").unwrap();
            continue;
        }
        let command = command_of(line);
        let of = |table: &'static [(&'static str, &'static str)]| {
            let mut found = table
                .iter()
                .filter(|(begins, _)| command.starts_with(begins));
            found.next().map(|(_, what)| *what)
        };
        if of(ELSEWHERE).is_some() || command.contains("...") {
            continue;
        }
        let command = match command {
            _ if ENDLESS.contains(&command) => {
                format!("timeout -s INT 2 {command} || test $? = 124")
            }
            // What was done before is worth a warning, of seats that end.
            _ if command.starts_with("usher check") => format!("{command} || test $? = 1"),
            // Too little was recorded to decide by.
            _ if command.starts_with("usher whatif") => format!("{command} || test $? = 1"),
            _ => command.to_owned(),
        };
        for part in [of(BEFORE), Some(&command), of(AFTER)]
            .into_iter()
            .flatten()
        {
            writeln!(script, "{part}").unwrap();
        }
        tried += 1;
    }
    for (begins, _) in [BEFORE, AFTER, ELSEWHERE].concat() {
        let is_there = text
            .lines()
            .any(|line| command_of(line).starts_with(begins));
        assert!(is_there, "no example begins with {begins}");
    }
    assert!(tried > 100, "only {tried} examples were found:\n{text}");
    let mut page = Page::of("usher help".to_owned(), String::new());
    let settings = page.folder.path("usher.toml");
    let groups = page.folder.path("groups");
    std::fs::write(&groups, "cfd: ann\n").unwrap();
    // Nothing listens there: nobody is to be told of these.
    let webhook = "message-webhook = [\"chat=http://127.0.0.1:9/ {}\"]";
    let groups = format!("[groups]\nfiles = [{groups:?}]");
    std::fs::write(&settings, format!("{webhook}\n{groups}\n")).unwrap();
    let up = page.up_with(&[OsStr::new("--config"), settings.as_os_str()]);
    page.text = here(&script, &up);
    let console = up
        .ready
        .split(' ')
        .find_map(|word| word.strip_prefix("console="));
    let there = format!("export USHER_MANAGER={}\n{THERE}", console.unwrap());
    page.run(&up.api, &up.data, &there, "");
}
