//! What only Linux has: FIFOs, devices, links that anybody makes, permissions.

use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::mknodat;

use crate::files::{
    Readers, create_new, make_folders, open_folder_or_regular, open_private, open_private_itself,
    open_regular, read_own_text,
};

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        path
    }
}

fn why(opened: io::Result<File>) -> String {
    opened.unwrap_err().to_string()
}

#[test]
fn a_fifo_a_device_a_socket_and_a_folder_are_refused_without_being_waited_for() {
    let folder = Folder::new();
    let fifo = folder.fifo("fifo");
    let socket = folder.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = folder.path("link");
    symlink("/dev/zero", &link).unwrap();
    assert_eq!(why(open_regular(&fifo)), "it is a FIFO");
    assert_eq!(why(open_regular(&socket)), "it is a socket");
    assert_eq!(why(open_regular(&link)), "it is a device");
    assert_eq!(why(open_regular("/dev/tty")), "it is a device");
    assert_eq!(why(open_regular(folder.0.path())), "it is a folder");
    assert_eq!(why(open_folder_or_regular(&fifo)), "it is a FIFO");
    assert!(open_folder_or_regular(folder.0.path()).is_ok());
}

#[test]
fn a_file_that_takes_turns_with_a_fifo_never_holds_who_opens_it() {
    let folder = Folder::new();
    let (file, fifo, name) = (folder.path("file"), folder.fifo("fifo"), folder.path("it"));
    std::fs::write(&file, "whole").unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for from in [&file, &fifo] {
                    let next = folder.path("next");
                    std::fs::hard_link(from, &next).unwrap();
                    std::fs::rename(&next, &name).unwrap();
                    let _ = std::fs::remove_file(&next);
                }
            }
        });
        for _ in 0..5_000 {
            if let Ok(mut opened) = open_regular(&name) {
                let mut text = String::new();
                opened.read_to_string(&mut text).unwrap();
                assert_eq!(text, "whole");
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_link_leads_to_no_small_file_and_to_no_private_one_that_is_to_be_itself() {
    let folder = Folder::new();
    let (file, link) = (folder.path("file"), folder.path("link"));
    std::fs::write(&file, "secret\n").unwrap();
    symlink(&file, &link).unwrap();
    let linked = read_own_text(&link, 100).unwrap_err().to_string();
    assert_eq!(linked, "it is a symbolic link");
    assert!(open_private(&link).is_ok());
    assert!(open_private_itself(&link).is_err());
}

#[test]
fn what_is_private_is_for_its_owner_alone() {
    let folder = Folder::new();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (file, new, shown) = (
        folder.path("file"),
        folder.path("new"),
        folder.path("shown"),
    );
    open_private(&file).unwrap();
    create_new(&new, Readers::Nobody).unwrap();
    assert_eq!((mode(&file), mode(&new)), (0o600, 0o600));
    create_new(&shown, Readers::Everybody).unwrap();
    assert_eq!(mode(&shown) & 0o600, 0o600);
    let own = folder.path("a/b");
    make_folders(&own, Readers::Nobody).unwrap();
    assert_eq!((mode(&own), mode(&folder.path("a"))), (0o700, 0o700));
}

#[test]
fn a_path_is_its_bytes() {
    let bytes = b"/srv/\xff/it";
    assert_eq!(path_of(bytes).as_os_str().as_encoded_bytes(), bytes);
}
