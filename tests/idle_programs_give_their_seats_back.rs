//! A program that nobody uses: its user is told, then its seat goes back, and who comes back has one
//! again. Each place where a person can touch a program is a real one here.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::gated;
use crate::support::{Ended, Folder, Running, are_installed, said, usher, wait_for};

/// How long nobody may touch a program, and the grace that it then has.
const IDLE: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(10);

/// The account that sits at displays, if this test may choose.
const NOBODY: u32 = 65_534;

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
fn at_terminal(words: &str) -> Part {
    let mut command = plain("script");
    Part::start(command.args(["-qefc", words, "/dev/null"]))
}

#[test]
fn who_leaves_a_terminal_alone_gives_the_seat_back_and_has_one_again_by_typing() {
    let computer = Computer::new();
    let left = computer.product("left", "/bin/cat");
    let kept = computer.product("kept", "/bin/cat");
    let wrapped = computer.product("wrapped", "/bin/cat");
    let silent = computer.product("silent", "/bin/sleep");
    let begun = Instant::now();
    let mut left = at_terminal(left.to_str().unwrap());
    let mut kept = at_terminal(kept.to_str().unwrap());
    let (helper, socket) = (crate::support::program(), computer.socket.display());
    let run = format!("{} run --agent-socket {socket} -- ", helper.display());
    let wrapped = at_terminal(&(run + wrapped.to_str().unwrap()));
    // It has no terminal and no display: nobody knows whether it is used.
    let _silent = Part::start(plain("setsid").arg(silent).arg("600"));
    for product in ["left", "kept", "wrapped", "silent"] {
        computer.has_seat(product, true);
    }

    left.prints("usher: nobody has used left for 10 seconds: its seat is given back in 10 seconds");
    assert!(begun.elapsed() >= IDLE, "{:?}", begun.elapsed());
    kept.prints("usher: nobody has used kept for 10 seconds");
    kept.types("\n");
    kept.prints("usher: kept is used again: it keeps its seat");

    left.prints("usher: nobody has used left: its seat is given back");
    assert!(begun.elapsed() >= IDLE + GRACE, "{:?}", begun.elapsed());
    computer.has_seat("left", false);
    assert_eq!(computer.released(), ["left"]);
    let status = computer.running.json(&["status"]);
    assert_eq!(status["computers"][0]["released"], 1, "{status}");
    let printed = left.printed.lock().unwrap().clone();
    let lease = printed
        .split("usher why ")
        .nth(1)
        .unwrap()
        .split(')')
        .next();
    let why = computer.running.ok(&["why", lease.unwrap()]);
    assert!(
        why.contains("nobody used the program, which runs on"),
        "{why}"
    );
    left.types("\n");
    left.prints("usher: left has a seat again");
    computer.has_seat("left", true);
    assert_eq!(computer.released(), [""; 0]);

    for product in ["kept", "wrapped", "silent"] {
        assert_eq!(computer.in_use(product), 1, "{product}");
    }
    // Its seat is that of `usher run`, and nobody else's to give.
    assert!(
        wrapped.has_printed("nobody has used wrapped for 10 seconds: others may need its seat")
    );
    assert!(!kept.has_printed("usher: nobody has used kept: its seat"));
    let uses = computer.running.json(&["usage", "--product", "left"]);
    assert_eq!(uses["items"].as_array().unwrap().len(), 1, "{uses}");
}

#[test]
fn who_leaves_alone_what_is_ended_then_is_asked_before() {
    let idle = ["--idle-seconds", "10s", "--grace-seconds", "10s"];
    let ends = [&idle[..], &["--on-idle", "end"]].concat();
    let Some(computer) = gated::Computer::with_seats("1", &ends) else {
        return;
    };
    let solver = format!("{} 600", computer.program("solver").display());
    let mut solver = at_terminal(&solver);
    solver
        .prints("nobody has used solver for 10 seconds: save your work: it is ended in 10 seconds");
    let asked = Instant::now();
    solver.prints("usher: nobody has used solver: it is ended");
    wait_for("the end of the program", || {
        solver.child.try_wait().unwrap()
    });
    let grace = asked.elapsed();
    assert!(grace + Duration::from_secs(1) >= GRACE, "{grace:?}");
    wait_for("its seat to be free", || {
        (computer.status()["in_use"] == 0).then_some(())
    });
}

/// A graphical session of an account.
struct Session {
    variables: Vec<(&'static str, String)>,
    /// What presses a key in it.
    presses: &'static [&'static str],
    _display: Part,
    _home: Folder,
}

impl Session {
    /// With this home; none, with a line that says so, if a part of it is not installed.
    fn begin(
        needs: &[&str],
        presses: &'static [&'static str],
        display: impl FnOnce(&Path) -> (Part, Vec<(&'static str, String)>),
    ) -> Option<Session> {
        if !are_installed(needs) {
            return None;
        }
        let folder = Folder::new();
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let home = folder.path("home");
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        if nix::unistd::geteuid().is_root() {
            chown(&home, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let (display, variables) = display(&home);
        Some(Session {
            variables,
            presses,
            _display: display,
            _home: folder,
        })
    }

    fn x11() -> Option<Session> {
        Session::begin(&["Xvfb", "xdotool"], &["xdotool", "key", "a"], |_| {
            let mut screen = theirs("Xvfb");
            screen.args(["-displayfd", "1", "-screen", "0", "320x200x24"]);
            let display = Part::start(screen.args(["-nolisten", "tcp", "-ac"]));
            let number = wait_for("the number of the display", || {
                let printed = display.printed.lock().unwrap();
                printed.strip_suffix('\n').map(str::to_owned)
            });
            (display, vec![("DISPLAY", format!(":{number}"))])
        })
    }

    fn wayland() -> Option<Session> {
        Session::begin(&["sway", "wtype"], &["wtype", "a"], |home| {
            let config = home.join("config");
            fs::write(&config, "xwayland disable\n").unwrap();
            let mut compositor = theirs("sway");
            compositor
                .arg("-c")
                .arg(&config)
                .env("XDG_RUNTIME_DIR", home)
                .env("HOME", home)
                .env("WLR_BACKENDS", "headless")
                .env("WLR_LIBINPUT_NO_DEVICES", "1")
                .env("WLR_RENDERER", "pixman");
            let display = Part::start(&mut compositor);
            let name = wait_for("the socket of the display", || {
                let files = fs::read_dir(home).unwrap().flatten();
                let mut names = files.filter_map(|file| file.file_name().into_string().ok());
                names.find(|name| name.starts_with("wayland-") && !name.ends_with(".lock"))
            });
            let home = home.to_str().unwrap().to_owned();
            (
                display,
                vec![("WAYLAND_DISPLAY", name), ("XDG_RUNTIME_DIR", home)],
            )
        })
    }

    /// A program of this session, which has no terminal.
    fn command(&self, program: &Path) -> Command {
        let mut command = theirs("setsid");
        command.arg(program);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    fn press(&self) {
        let (program, keys) = self.presses.split_first().unwrap();
        let mut press = self.command(Path::new(program));
        let pressed = press
            .args(keys)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let pressed = pressed.ended();
        assert!(pressed.status.success(), "{}", said(&pressed));
    }
}

/// A program of who sits there.
fn theirs(program: &str) -> Command {
    let mut command = plain(program);
    command
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .env_remove("XDG_RUNTIME_DIR");
    if nix::unistd::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// What holds of every display.
fn who_leaves_it_alone_gives_the_seat_back(session: &Session) {
    let computer = Computer::new();
    let left = computer.product("left", "/bin/sleep");
    let lent = computer.product("lent", "/bin/sleep");
    let elsewhere = computer.product("elsewhere", "/bin/sleep");
    let helper = crate::support::program();
    let mut notify = session.command(&helper);
    notify.arg("notify").arg("--agent-socket");
    let notify = Part::start(notify.arg(&computer.socket));
    let _left = Part::start(session.command(&left).arg("600"));
    let _lent = Part::start(session.command(&lent).arg("600"));
    // Nobody reports of its display.
    let mut unknown = session.command(&elsewhere);
    let unknown = unknown
        .env("DISPLAY", ":4711")
        .env_remove("WAYLAND_DISPLAY");
    let _elsewhere = Part::start(unknown.arg("600"));
    for product in ["left", "lent", "elsewhere"] {
        computer.has_seat(product, true);
    }

    notify.prints("You have not used left for 10 seconds. Its seat is given back in 10 seconds");
    session.press();
    notify.prints("You use left again. It keeps its seat.");
    assert_eq!(computer.released(), [""; 0]);

    for product in ["left", "lent"] {
        notify.prints(&format!(
            "The seat of {product} is given back. Nobody has used it."
        ));
        computer.has_seat(product, false);
    }
    assert_eq!(computer.in_use("elsewhere"), 1);
    let taken = ["checkout", "lent", "--user", "ben", "--ttl", "600"];
    computer.running.ok(&taken);
    session.press();
    notify.prints("left has a seat again. You may go on.");
    notify.prints("lent has no seat. All are in use by now. It runs on without one");
    computer.has_seat("left", true);
    let lent = computer.running.json(&["status"]);
    let products = lent["products"].as_array().unwrap();
    let lent = products.iter().find(|product| product["id"] == "lent");
    assert_eq!(lent.unwrap()["unseated"], 1, "{products:?}");
}

#[test]
fn who_leaves_an_x11_display_alone_gives_the_seat_back_and_has_one_again_by_a_key() {
    if let Some(session) = Session::x11() {
        who_leaves_it_alone_gives_the_seat_back(&session);
    }
}

#[test]
fn who_leaves_a_wayland_display_alone_gives_the_seat_back_and_has_one_again_by_a_key() {
    if let Some(session) = Session::wayland() {
        who_leaves_it_alone_gives_the_seat_back(&session);
    }
}
