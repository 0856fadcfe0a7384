//! Who starts a program from his desktop is told there why it was not started, waits for a seat by
//! a button, and is told when it is his: a real bus, a real notification service, a real screen.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use nix::sys::signal::Signal;

use crate::gated::{ANNA, Computer, end};
use crate::support::{DEADLINE, Ended, Folder, are_installed, runs, said, signal, usher, wait_for};

/// An account that every computer has by name: a bus is for none else.
const NOBODY: u32 = 65_534;
/// What a desktop is made of.
const PARTS: [&str; 3] = ["Xvfb", "dbus-daemon", "dunst"];
/// How the service shows notices: legible, and as they are.
const DUNSTRC: &str = "[global]
font = DejaVu Sans 11
width = 380
height = 200
origin = top-right
offset = 20x20
padding = 14
horizontal_padding = 16
frame_width = 1
separator_height = 6
gap_size = 6
icon_position = off
markup = full
format = \"<b>%s</b>\\n%b\\n\"
show_indicators = true
idle_threshold = 0
";

/// A process that ends with the test.
struct Part(Child);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The desktop of an account.
struct Desktop {
    uid: u32,
    display: String,
    bus: String,
    home: PathBuf,
    /// What the notification service shows, line by line.
    shown: Receiver<String>,
    parts: Vec<Part>,
    _folder: Folder,
}

impl Desktop {
    /// None, with a line that says so, if its parts are not installed.
    fn of(uid: u32) -> Option<Desktop> {
        if !are_installed(&PARTS) {
            return None;
        }
        let folder = Folder::new();
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let home = folder.path("home");
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(folder.path("dunstrc"), DUNSTRC).unwrap();
        chown(&home, Some(uid), Some(uid)).unwrap();
        let mut desktop = Desktop {
            uid,
            display: String::new(),
            bus: format!("unix:path={}", home.join("bus").display()),
            home,
            shown: channel().1,
            parts: Vec::new(),
            _folder: folder,
        };
        let mut screen = Command::new("Xvfb");
        screen.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "440x130x24",
            "-nolisten",
            "tcp",
            "-ac",
        ]);
        let number = desktop.begin(&mut screen).recv_timeout(DEADLINE).unwrap();
        desktop.display = format!(":{number}");
        let mut bus = desktop.command("dbus-daemon");
        bus.args([
            "--session",
            "--nofork",
            "--print-address",
            "--address",
            &desktop.bus,
        ]);
        desktop.begin(&mut bus).recv_timeout(DEADLINE).unwrap();
        let mut service = desktop.command("dunst");
        service
            .arg("-print")
            .arg("-config")
            .arg(desktop._folder.path("dunstrc"));
        desktop.shown = desktop.begin(&mut service);
        Some(desktop)
    }

    /// A program of this desktop's session.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        self.in_session(&mut command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn in_session<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("HOME", &self.home)
            .env("XDG_RUNTIME_DIR", &self.home)
            .uid(self.uid)
            .gid(self.uid)
    }

    /// Starts a part; what it prints, line by line.
    fn begin(&mut self, command: &mut Command) -> Receiver<String> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.parts.push(Part(child));
        let (tell, told) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // The rest is read, too: it must not fill the pipe.
                let _ = tell.send(line);
            }
        });
        told
    }

    /// `usher notify`, as its autostart entry begins it; the process.
    fn notify(&mut self, socket: &Path) -> u32 {
        let mut notify = usher();
        notify.args(["notify", "--agent-socket"]).arg(socket);
        self.in_session(&mut notify);
        self.begin(&mut notify);
        self.parts.last().unwrap().0.id()
    }

    /// Waits until the service shows a line that has these words.
    fn shows(&self, words: &str) {
        let until = Instant::now() + DEADLINE;
        let mut all = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.shown.recv_timeout(left) {
                Ok(line) if line.contains(words) => return,
                Ok(line) => all.push(line),
                Err(_) => panic!("{words:?} was not shown, but {all:#?}"),
            }
        }
    }

    /// Presses the button of what is shown on top.
    fn press(&self) {
        let pressed = self
            .command("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.Notifications",
            ])
            .args([
                "/org/freedesktop/Notifications",
                "org.dunstproject.cmd0.NotificationAction",
            ])
            .arg("uint32:0")
            .ended();
        assert!(pressed.status.success(), "{}", said(&pressed));
    }

    /// Takes a picture of the screen, if the environment names a folder for it.
    fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("USHER_TEST_PICTURES") else {
            return;
        };
        // tidy: sleep, what is drawn is on the screen a little after it was printed
        std::thread::sleep(std::time::Duration::from_millis(300));
        let taken = Command::new("import")
            .args([
                "-display",
                &self.display,
                "-window",
                "root",
                "-colors",
                "64",
            ])
            .arg(Path::new(&folder).join(name))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .ended();
        assert!(taken.status.success(), "{}", said(&taken));
    }
}

#[test]
fn who_is_refused_on_a_desktop_waits_by_a_button_and_is_told_there_when_the_seat_is_his() {
    let Some(computer) = Computer::with_seats("1", &["--name", "Beams & Bolts"]) else {
        return;
    };
    let Some(mut desktop) = Desktop::of(NOBODY) else {
        return;
    };
    let helper = desktop.notify(&computer.socket);
    let first = computer.start(ANNA, "60").unwrap();
    computer.start(NOBODY, "0").unwrap_err();
    desktop.shows("Beams & Bolts was not started");
    desktop.shows("The only seat is in use.");
    desktop.picture("refused.png");
    desktop.press();
    desktop.shows("You wait for a seat of");
    assert_eq!(computer.status()["queued"], 1);

    let ended = Instant::now();
    end(first);
    desktop.shows("A seat of Beams & Bolts is free");
    println!(
        "the desktop showed it {:?} after the end of who had the seat",
        ended.elapsed()
    );
    desktop.picture("free.png");
    let second = computer.start(NOBODY, "60").unwrap();
    let status = computer.status();
    assert_eq!(
        (&status["in_use"], &status["denied_last_24h"]),
        (&1.into(), &1.into())
    );
    end(second);

    // One for a session: a second one leaves it to the first.
    let mut another = usher();
    another
        .args(["notify", "--agent-socket"])
        .arg(&computer.socket);
    assert!(desktop.in_session(&mut another).ended().status.success());
    // It outlives the agent, and ends with the session.
    computer.loses_its_agent();
    let third = computer.start(ANNA, "60").unwrap();
    computer.start(NOBODY, "0").unwrap_err();
    desktop.shows("was not started");
    end(third);
    let bus = desktop.parts[1].0.id();
    signal(bus, Signal::SIGTERM);
    wait_for("the end of the helper", || (!runs(helper)).then_some(()));
}
