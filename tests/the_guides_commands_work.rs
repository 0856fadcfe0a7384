//! Each command of the guide's pages for what people do is run, in the page's order, in a folder
//! that stands in for the computer's own places. systemd, sudo, Slurm, containers, Ansible and mail
//! are stood in for; Usher is the real one.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use usher_testing::undo;

use crate::support::{Folder, Running, finish_within, program, said, stdout, usher};

/// What blocks of these pages may be: all but the first are for other programs to read.
const LANGUAGES: [&str; 7] = ["sh", "toml", "yaml", "ini", "json", "text", "dockerfile"];

/// Runs before each page: what stands in for the rest of a computer.
const PRELUDE: &str = r#"
set -eu -o pipefail
# What the page starts and leaves running ends with it.
running=()
finish() { for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; wait "$pid" || true; done; }
trap finish EXIT
# A role runs until it is ready, and then ends: the page goes on.
serve() {
  "$USHER" "$@" --supervisor $$ > role.ready &
  running+=($!)
  for _ in $(seq 600); do
    if grep -q ^ready role.ready; then return; fi
    kill -0 "${running[-1]}"
    sleep 0.05
  done
  echo "no ready line: usher $*" >&2; return 1
}
sudo() { while [ "${1:-}" = -u ]; do shift 2; done; "$@"; }
systemctl() { :; }
usher() {
  case "${1:-}" in
    server|manager|up) serve "$@"; kill "${running[-1]}"; wait "${running[-1]}" || true; unset 'running[-1]' ;;
    service)
      "$USHER" "$@"
      # systemd would start it now.
      if [ "$2 $3" = "install server" ]; then
        shift 3
        serve server --data "$DIR/server" "$@"
        sed -E 's/.*api=https?:..[^:]+:([0-9]+).*/https:\/\/localhost:\1/' role.ready > "$DIR/url"
        export USHER_TOKEN=$(cat "$DIR/server/admin.token")
        export USHER_SERVER=$(cat "$DIR/url") USHER_CA_FILE="$DIR/etc/usher/tls/ca.pem"
      fi ;;
    *) "$USHER" "$@" ;;
  esac
}
sbatch() {
  while [[ "$1" == -* ]]; do shift; done
  SLURM_JOB_ID=1 bash -eu "$1" > slurm-1.out 2>&1 || { cat slurm-1.out >&2; return 1; }
  echo "Submitted batch job 1"
}
"#;

/// A page, and a computer to run it on.
struct Page {
    name: &'static str,
    text: String,
    folder: Folder,
}

impl Page {
    fn new(name: &'static str) -> Page {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let text = std::fs::read_to_string(path.join(format!("{name}.md"))).unwrap();
        let folder = Folder::new();
        for place in ["work", "etc/usher", "opt/cad", "units", "bin"] {
            std::fs::create_dir_all(folder.path(place)).unwrap();
        }
        let page = Page { name, text, folder };
        // A launcher that stays while its solver works, as in the README.
        page.script("opt/cad/solver", "sleep 0.1");
        let solver = page.folder.path("opt/cad/solver");
        page.script("opt/cad/cad", &format!("{}\nexit $?", solver.display()));
        page.script(
            "bin/srun",
            "while case $1 in -*) ;; *) false; esac; do shift; done; exec \"$@\"",
        );
        std::os::unix::fs::symlink(program(), page.folder.path("bin/usher")).unwrap();
        page
    }

    fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// Blocks of that language, each with the number of its first line.
    fn blocks(&self, language: &str) -> Vec<(usize, String)> {
        let mut blocks = Vec::new();
        let mut open: Option<(usize, &str, String)> = None;
        for (index, line) in self.text.lines().enumerate() {
            let fence = line.trim_start().strip_prefix("```");
            open = match (open, fence) {
                (None, Some(of)) => {
                    assert!(
                        LANGUAGES.contains(&of),
                        "docs/{}.md:{}: a block of `{of}`: say `sh` of what is to be run",
                        self.name,
                        index + 1
                    );
                    Some((index + 2, of, String::new()))
                }
                (Some((at, of, text)), Some(_)) => {
                    if of == language {
                        blocks.push((at, text));
                    }
                    None
                }
                (Some((at, of, text)), None) => Some((at, of, text + line + "\n")),
                (None, None) => None,
            };
        }
        assert!(open.is_none(), "docs/{}.md: a block has no end", self.name);
        blocks
    }

    /// The page's commands, on this computer instead of the one that it speaks of.
    fn here(&self, text: &str, api: &str) -> String {
        let place = |name: &str| self.folder.path(name).display().to_string();
        text.replace("/etc/usher", &place("etc/usher"))
            .replace("/etc/prometheus", &place("etc"))
            .replace("/opt/cad", &place("opt/cad"))
            .replace("/var/lib/usher-agent", &place("agent"))
            .replace("/run/usher/agent.sock", &place("agent.sock"))
            .replace("0.0.0.0:8470", "127.0.0.1:0")
            .replace("0.0.0.0:8480", "127.0.0.1:0")
            .replace("https://licences.example.org:8470", api)
    }

    /// Runs all `sh` blocks, with `more` known to the shell, and then `after`; what they print.
    fn run(&self, api: &str, data: &Path, more: &str, after: &str) -> String {
        let blocks = self.blocks("sh");
        assert!(!blocks.is_empty(), "docs/{}.md has no command", self.name);
        let mut script = format!("{PRELUDE}\n{more}\n");
        for (at, text) in &blocks {
            script += &format!("echo '--- docs/{}.md:{at}' >&2\n", self.name);
            // Each command shows itself, so that the one that fails is known.
            script += "set -x\n";
            script += &self.here(text, api);
            script += "{ set +x; } 2>/dev/null\n";
        }
        script += &self.here(after, api);
        let file = self.folder.path("page.sh");
        std::fs::write(&file, script).unwrap();
        let mut command = Command::new("bash");
        // The environment of the tests' own programs.
        for (name, value) in usher().get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let place = |name: &str| self.folder.path(name);
        let path = std::env::var("PATH").unwrap();
        command
            .arg(&file)
            .env("PATH", format!("{}:{path}", place("bin").display()))
            .current_dir(place("work"))
            .env("DIR", place(""))
            .env("USHER", program())
            .env("USHER_DATA", data)
            .env("USHER_AGENT_SOCKET", place("agent.sock"))
            .env("USHER_DIR", place("etc/usher/tls"))
            .env("USHER_UNIT_DIR", place("units"))
            .env("USHER_POLKIT_DIR", place("units"))
            .env("USHER_AUTOSTART_DIR", place("units"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if api.starts_with("http://") {
            command.env("USHER_SERVER", api);
        }
        let child = command.spawn().unwrap();
        let _ended = undo::end_with_test(&[child.id()]).unwrap();
        let output = finish_within(child, std::time::Duration::from_secs(120));
        assert!(output.status.success(), "{}", said(&output));
        stdout(&output)
    }

    /// A server and an agent on this computer.
    fn up(&self) -> Running {
        let mut command = usher();
        command.args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"]);
        command
            .arg("--agent-socket")
            .arg(self.folder.path("agent.sock"));
        Running::start(&mut command, &self.folder.path("data"))
    }
}

#[test]
fn the_page_of_tls() {
    let page = Page::new("tls");
    let url = format!("$(cat {})", page.folder.path("url").display());
    page.run(&url, &page.folder.path("server"), "", "");
}

/// A page whose commands are given to a server and an agent on this computer, with a product there.
fn on_one_computer(name: &'static str, more: &str) -> (Page, Running, String) {
    let page = Page::new(name);
    let up = page.up();
    let rule = format!("path={}", page.folder.path("opt/cad/solver").display());
    if name != "limit" {
        let add = ["product", "add", "cad", "--seats", "2", "--program", &rule];
        up.ok(&add);
    }
    let printed = page.run(&up.api, &up.data, more, "");
    (page, up, printed)
}

#[test]
fn the_page_of_limiting_a_program() {
    let (_page, up, printed) = on_one_computer("limit", "");
    assert!(printed.contains("path="), "learn proposes rules: {printed}");
    assert_eq!(up.json(&["product", "show", "cad"])["mode"], "track");
}

#[test]
fn the_page_of_waiting_for_a_seat() {
    let (_page, up, _) = on_one_computer("wait", "");
    // The one that `notify --when-free` keeps is the only one that is left.
    let leases = up.json(&["leases", "--product", "cad"]);
    assert!(leases["items"].as_array().unwrap().len() <= 1, "{leases}");
}

#[test]
fn the_page_of_slurm() {
    let (page, _up, printed) = on_one_computer("slurm", "");
    assert!(printed.contains("Submitted batch job"), "{printed}");
    let out = page.folder.path("work/slurm-1.out");
    let out = std::fs::read_to_string(out).unwrap();
    assert!(!out.contains("usher: "), "{out}");
}

#[test]
fn the_page_of_nagios() {
    let (page, up, printed) = on_one_computer("nagios", "");
    let lines: Vec<&str> = printed.lines().filter(|line| line.contains("OK")).collect();
    assert_eq!(lines.len(), 2, "{printed}");
    // What Nagios itself is to run does the same.
    let (_, config) = page.blocks("ini").remove(0);
    let line = config
        .lines()
        .find_map(|line| line.trim().strip_prefix("command_line"));
    let words = page.here(line.unwrap(), &up.api).replace("$ARG1$", "5");
    let words = words.replace("$ARG2$", "50");
    let words: Vec<&str> = words.split_whitespace().skip(1).collect();
    let config = page.folder.path("etc/usher/nagios.toml");
    std::fs::copy(page.folder.path("work/nagios.toml"), config).unwrap();
    let checked = finish_within(
        usher().args(words).spawn().unwrap(),
        std::time::Duration::from_secs(60),
    );
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
}

#[test]
fn no_page_writes_a_token_to_a_file_that_others_may_read_for_a_while() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut seen = 0;
    for entry in std::fs::read_dir(docs).unwrap() {
        let page = entry.unwrap().path();
        if page.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&page).unwrap();
        let mut is_code = false;
        for line in text.lines() {
            is_code ^= line.trim_start().starts_with("```");
            if is_code && line.contains("token") && line.contains(" > ") {
                // In a shell of its own: what is written later is read by others.
                let is_shut = line.starts_with("(umask 077; ");
                assert!(is_shut, "{}: (umask 077; {line})", page.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 4, "{seen}: what is looked for is written otherwise");
}

#[test]
fn the_page_of_prometheus() {
    let (page, up, printed) = on_one_computer("prometheus", "");
    assert!(
        printed.contains("usher_seats{product=\"cad\"} 2"),
        "{printed}"
    );
    let blocks = page.blocks("yaml");
    let [(_, config), (_, alerts)] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    let place = page.folder.path("etc");
    std::fs::create_dir_all(place.join("usher/tls")).unwrap();
    std::fs::write(place.join("usher/tls/ca.pem"), "").unwrap();
    std::fs::write(place.join("usher-alerts.yml"), alerts).unwrap();
    let config = page.here(config, "");
    std::fs::write(place.join("prometheus.yml"), config).unwrap();
    for words in [
        ["check", "rules", "usher-alerts.yml"],
        ["check", "config", "prometheus.yml"],
    ] {
        let mut promtool = Command::new("promtool");
        let output = promtool.args(words).current_dir(&place).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    // Each metric that the page or a rule names is one that the server gives.
    let token = std::fs::read_to_string(place.join("usher.token")).unwrap();
    let mut curl = Command::new("curl");
    curl.args([
        "-sf",
        "-H",
        &format!("Authorization: Bearer {}", token.trim()),
    ]);
    let all = stdout(&curl.arg(format!("{}/metrics", up.api)).output().unwrap());
    for name in page
        .text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("usher_"))
    {
        let is_there = all.contains(&format!("# TYPE {name} "));
        // No pack has ended yet, and this server has no certificate.
        let is_later = ["usher_pack_last", "usher_certificate"];
        let is_later = is_later.iter().any(|later| name.starts_with(later));
        assert!(is_there || is_later, "{name}");
    }
}

#[test]
fn the_page_of_mail() {
    let page = Page::new("mail");
    let up = page.up();
    let console = up
        .ready
        .split(' ')
        .find_map(|word| word.strip_prefix("console="));
    let console = console.unwrap();
    let manager = format!("export USHER_MANAGER={console}");
    let printed = page.run(&up.api, &up.data, &manager, "");
    assert!(printed.contains("mail licences@example.org"), "{printed}");
    assert!(
        printed.contains("everything"),
        "the rules of before stay: {printed}"
    );
}

#[test]
fn the_page_of_containers() {
    // Only the command inside the container is Usher's: it is run as if there were no container.
    let engine = r#"
podman() {
  case "$1" in
    run)
      for word in "$@"; do shift; [ "$word" = image ] && break; done
      [ $# = 0 ] || "$@" ;;
    exec) echo token ;;
    build) test "$3" = usher ;;
  esac
}
apptainer() { shift 4; "$@"; }
"#;
    let (page, _up, _) = on_one_computer("containers", engine);
    assert!(page.folder.path("work/tls/server.key").exists());
}

#[test]
fn the_page_of_ansible() {
    let page = Page::new("ansible");
    let url = format!("$(cat {})", page.folder.path("url").display());
    let (_, playbook) = page.blocks("yaml").remove(0);
    // The playbook's own commands, in their order, with what Ansible would put in.
    let mut after = String::new();
    for line in playbook.lines() {
        if let Some(command) = line.trim().strip_prefix("cmd: ") {
            let command = command
                .replace("{{ computer.stdout }}", "$computer")
                .replace("{{ inventory_hostname }}", "ws1")
                .replace("{{ server }}", &url);
            after += &match command.contains("--print-computer-id") {
                true => format!("computer=$({command})\n"),
                false => format!("{command} > last\n"),
            };
            if command.contains("token create") {
                after += "cp last /etc/usher/agent.token\n";
            }
        }
    }
    assert_eq!(after.matches("usher").count(), 7, "{after}");
    // The settings that it writes are settings.
    let (_, settings) = playbook.split_once("content: |\n").unwrap();
    let settings: Vec<&str> = settings
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("          "))
        .map(str::trim)
        .collect();
    let settings = settings
        .join("\n")
        .replace("{{ server }}", "https://localhost:1");
    after += &format!("cat > usher.toml <<'END'\n{settings}\nEND\n");
    after += "cp /etc/usher/tls/ca.pem /etc/usher/ca.pem\n\
              usher agent --config usher.toml --data /var/lib/usher-agent --print-computer-id\n\
              usher token list\n";
    let printed = page.run(&url, &page.folder.path("server"), "", &after);
    assert!(printed.contains("ws1"), "{printed}");
}
