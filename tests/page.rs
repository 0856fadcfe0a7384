//! A page of commands, and a computer to run them on: a folder stands in for the computer's own
//! places, and shell functions for systemd, sudo and Slurm. Usher is the real one.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use usher_testing::{surroundings, undo};

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
pub(crate) struct Page {
    name: String,
    pub(crate) text: String,
    pub(crate) folder: Folder,
}

impl Page {
    /// A page of the guide.
    pub(crate) fn new(name: &str) -> Page {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let file = format!("{name}.md");
        let text = std::fs::read_to_string(path.join(&file)).unwrap();
        Page::of(format!("docs/{file}"), text)
    }

    /// A page with that text.
    pub(crate) fn of(name: String, text: String) -> Page {
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

    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// Blocks of that language, each with the number of its first line.
    pub(crate) fn blocks(&self, language: &str) -> Vec<(usize, String)> {
        let mut blocks = Vec::new();
        let mut open: Option<(usize, &str, String)> = None;
        for (index, line) in self.text.lines().enumerate() {
            let fence = line.trim_start().strip_prefix("```");
            open = match (open, fence) {
                (None, Some(of)) => {
                    assert!(
                        LANGUAGES.contains(&of),
                        "{}:{}: a block of `{of}`: say `sh` of what is to be run",
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
        assert!(open.is_none(), "{}: a block has no end", self.name);
        blocks
    }

    /// The page's commands, on this computer instead of the one that it speaks of.
    pub(crate) fn here(&self, text: &str, api: &str) -> String {
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
    pub(crate) fn run(&self, api: &str, data: &Path, more: &str, after: &str) -> String {
        let blocks = self.blocks("sh");
        assert!(!blocks.is_empty(), "{} has no command", self.name);
        let mut script = format!("{PRELUDE}\n{more}\n");
        for (at, text) in &blocks {
            script += &format!("echo '--- {}:{at}' >&2\n", self.name);
            // Each command shows itself, so that the one that fails is known.
            script += "set -x\n";
            script += &self.here(text, api);
            script += "{ set +x; } 2>/dev/null\n";
        }
        script += &self.here(after, api);
        let file = self.folder.path("page.sh");
        std::fs::write(&file, script).unwrap();
        let mut command = surroundings::command("bash");
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
            .env("USHER_AUTOSTART_DIR", place("units"));
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
    pub(crate) fn up(&self) -> Running {
        self.up_with(&[])
    }

    /// The same with more options.
    pub(crate) fn up_with(&self, options: &[&OsStr]) -> Running {
        let mut command = usher();
        command.args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"]);
        command
            .args(options)
            .arg("--agent-socket")
            .arg(self.folder.path("agent.sock"));
        Running::start(&mut command, &self.folder.path("data"))
    }
}
