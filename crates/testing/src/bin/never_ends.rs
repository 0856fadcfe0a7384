//! Does one thing to its computer, says so, and never ends: `freeze FOLDER`, `stop PID`, `start`,
//! `change FILE`, `mount FOLDER`, `fill FOLDER` or `group FOLDER`. With `panic` at the end it unwinds instead.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use usher_testing::undo::{
    end_later, freeze, remove_group_later, restore_later, stop, unmount_later,
};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (what, panics) = match words.split_last() {
        Some((&"panic", what)) => (what, true),
        _ => (&words[..], false),
    };
    let _undo = match what {
        ["freeze", folder] => freeze(Path::new(folder))?,
        ["stop", pid] => stop(pid.parse()?)?,
        ["start"] => {
            let mut sleeper = Command::new("sleep");
            let sleeper = sleeper.arg("600").stdout(Stdio::null()).spawn()?;
            print!("{} ", sleeper.id());
            end_later(&[sleeper.id()])?
        }
        ["mount", folder] => {
            let undo = unmount_later(Path::new(folder))?;
            Command::new("mount")
                .args(["-t", "tmpfs", "tmpfs", folder])
                .status()?;
            undo
        }
        ["fill", folder] => {
            let undo = unmount_later(Path::new(folder))?;
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder])
                .status()?;
            let file = Path::new(folder).join("much");
            while std::fs::File::options()
                .create(true)
                .append(true)
                .open(&file)
                .and_then(|mut file| file.write_all(&[0; 4_096]))
                .is_ok()
            {}
            undo
        }
        ["change", file] => {
            let undo = restore_later(Path::new(file))?;
            std::fs::write(file, "changed")?;
            undo
        }
        ["group", folder] => {
            let undo = remove_group_later(Path::new(folder))?;
            std::fs::create_dir(folder)?;
            let mut sleeper = Command::new("sleep");
            let sleeper = sleeper.arg("600").stdout(Stdio::null()).spawn()?;
            let group = Path::new(folder);
            std::fs::write(group.join("cgroup.procs"), sleeper.id().to_string())?;
            std::fs::write(group.join("cgroup.freeze"), "1")?;
            undo
        }
        _ => {
            return Err(
                "freeze FOLDER, stop PID, start, change FILE, mount FOLDER, fill FOLDER or group FOLDER"
                    .into(),
            );
        }
    };
    println!("done");
    assert!(!panics, "on purpose");
    loop {
        std::thread::park();
    }
}
