//! A program that nobody uses: its user is told, then its seat goes back, and who comes back has one
//! again. Each place where a person can touch a program is a real one here.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Folder, Running, usher, wait_for};

/// How long nobody may touch a program, and the grace that it then has.
const IDLE: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(10);

/// A process that ends with the test, and all that it prints.
struct Part {
    child: Child,
    keyboard: Option<ChildStdin>,
    printed: Arc<Mutex<String>>,
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Part {
    fn start(command: &mut Command) -> Part {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        let printed: Arc<Mutex<String>> = Arc::default();
        let all = printed.clone();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut part) {
                let text = String::from_utf8_lossy(&part[..count]);
                all.lock().unwrap().push_str(&text);
            }
        });
        Part {
            keyboard: child.stdin.take(),
            child,
            printed,
        }
    }

    fn types(&mut self, text: &str) {
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(text.as_bytes()).unwrap();
    }

    fn has_printed(&self, words: &str) -> bool {
        self.printed.lock().unwrap().contains(words)
    }

    fn prints(&self, words: &str) {
        wait_for(&format!("{words:?}"), || {
            self.has_printed(words).then_some(())
        });
    }
}

/// A computer whose agent sees programs, each a product of its own.
struct Computer {
    folder: Folder,
    running: Running,
    socket: PathBuf,
}

impl Computer {
    fn new() -> Computer {
        let folder = Folder::new();
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let socket = folder.path("agent.sock");
        let mut up = usher();
        up.args(["up", "--listen", "127.0.0.1:0", "--agent-socket"])
            .arg(&socket);
        let running = Running::start(&mut up, &folder.path("data"));
        Computer {
            folder,
            running,
            socket,
        }
    }

    /// A program that is a product with one seat, which goes back when nobody uses it.
    fn product(&self, name: &str, program: &str) -> PathBuf {
        let path = self.folder.path(name);
        fs::copy(program, &path).unwrap();
        let rule = format!("path={}", path.display());
        let add = ["product", "add", name, "--seats", "1", "--program", &rule];
        let idle = ["--idle-seconds", "10s", "--grace-seconds", "10s"];
        let then = ["--on-idle", "release", "--agent-socket"];
        let socket = [self.socket.to_str().unwrap()];
        self.running.ok(&[&add[..], &idle, &then, &socket].concat());
        path
    }

    fn in_use(&self, product: &str) -> u64 {
        let product = self.running.json(&["product", "show", product]);
        product["in_use"].as_u64().unwrap()
    }

    fn has_seat(&self, product: &str, has: bool) {
        wait_for(
            &format!("the seat of {product} to be in use: {has}"),
            || (self.in_use(product) == u64::from(has)).then_some(()),
        );
    }

    /// Products whose seat was given back, as the agent says.
    fn released(&self) -> Vec<String> {
        let socket = self.socket.to_str().unwrap();
        let ask = ["agent", "status", "--agent-socket", socket];
        let status = self.running.json(&ask);
        let released = status["released"].as_array().unwrap().iter();
        released
            .map(|session| session["product"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A program of nobody's desktop.
fn plain(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command
}

/// A program that reads from a terminal of its own, whose keyboard and screen are this test.
fn at_terminal(program: &Path) -> Part {
    let mut command = plain("script");
    let program = program.to_str().unwrap();
    Part::start(command.args(["-qefc", program, "/dev/null"]))
}

#[test]
fn who_leaves_a_terminal_alone_gives_the_seat_back_and_has_one_again_by_typing() {
    let computer = Computer::new();
    let left = computer.product("left", "/bin/cat");
    let kept = computer.product("kept", "/bin/cat");
    let silent = computer.product("silent", "/bin/sleep");
    let begun = Instant::now();
    let mut left = at_terminal(&left);
    let mut kept = at_terminal(&kept);
    // It has no terminal and no display: nobody knows whether it is used.
    let _silent = Part::start(plain("setsid").arg(silent).arg("600"));
    for product in ["left", "kept", "silent"] {
        computer.has_seat(product, true);
    }

    left.prints("usher: nobody has used left for 10 seconds: its seat is given back in 10 seconds");
    assert!(begun.elapsed() >= IDLE, "{:?}", begun.elapsed());
    kept.prints("usher: nobody has used kept for 10 seconds");
    let warned = Instant::now();
    kept.types("\n");
    kept.prints("usher: kept is used again: it keeps its seat");

    left.prints("usher: nobody has used left: its seat is given back");
    assert!(
        warned.elapsed() + Duration::from_secs(4) >= GRACE,
        "{:?}",
        warned.elapsed()
    );
    computer.has_seat("left", false);
    assert_eq!(computer.released(), ["left"]);
    left.types("\n");
    left.prints("usher: left has a seat again");
    computer.has_seat("left", true);
    assert_eq!(computer.released(), [""; 0]);

    assert_eq!((computer.in_use("kept"), computer.in_use("silent")), (1, 1));
    assert!(!kept.has_printed("usher: nobody has used kept: its seat"));
    let uses = computer.running.json(&["usage", "--product", "left"]);
    assert_eq!(uses["items"].as_array().unwrap().len(), 1, "{uses}");
}
