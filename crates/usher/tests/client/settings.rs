//! Values of variables and of the settings file that cannot be: whom the message blames.

use std::net::TcpListener;
use std::process::Output;

use crate::support::{Ended, Folder, stderr, usher};

/// What a role says that is started with that variable.
fn with(folder: &Folder, role: &str, variable: &str, value: &str) -> Output {
    let mut command = usher(folder);
    command.arg(role).env(variable, value);
    command.ended()
}

#[test]
fn a_bad_value_of_a_variable_blames_the_variable_and_says_what_it_can_be() {
    let folder = Folder::new();
    for (role, variable, value, told) in [
        (
            "server",
            "USHER_KEEP_DAYS",
            "abc",
            "usher: USHER_KEEP_DAYS is \"abc\", which is no whole number\n  \
             Give a whole number from 1 to 36500.\n",
        ),
        (
            "server",
            "USHER_KEEP_DAYS",
            "0",
            "usher: USHER_KEEP_DAYS is 0\n  Give a whole number from 1 to 36500.\n",
        ),
        (
            "server",
            "USHER_PLAIN_HTTP",
            "maybe",
            "usher: USHER_PLAIN_HTTP is \"maybe\"\n  Give true or false.\n",
        ),
        (
            "manager",
            "USHER_HEAL",
            "maybe",
            "usher: USHER_HEAL is \"maybe\"\n  It can be on or off.\n",
        ),
        (
            "manager",
            "USHER_POLL",
            "100ms",
            "usher: USHER_POLL: \"100ms\" is not a duration; write it like 90, 30s, 5m, 1h30m or \
             7d; give 1 s or more\n",
        ),
    ] {
        let output = with(&folder, role, variable, value);
        assert_eq!(output.status.code(), Some(2), "{variable}={value}");
        assert_eq!(stderr(&output), told);
    }
}

#[test]
fn what_is_found_wrong_later_is_told_with_where_it_was_given_too() {
    let folder = Folder::new();
    let bad = with(&folder, "manager", "USHER_MAIL_FROM", "somebody");
    assert_eq!(bad.status.code(), Some(2), "{}", stderr(&bad));
    let told = "\n  The value of --mail-from comes from USHER_MAIL_FROM.\n";
    assert!(stderr(&bad).contains(told), "{}", stderr(&bad));
    // What was typed needs no word.
    let mut typed = usher(&folder);
    let typed = typed.args(["manager", "--mail-from", "somebody"]).ended();
    assert_eq!(typed.status.code(), Some(2), "{}", stderr(&typed));
    assert!(!stderr(&typed).contains("comes from"), "{}", stderr(&typed));
}

#[test]
fn a_certificate_of_the_file_without_its_key_is_refused_and_not_left_out() {
    let folder = Folder::new();
    let file = folder.path("usher.toml");
    std::fs::write(&file, "tls-cert = \"server.pem\"\n").unwrap();
    let mut command = usher(&folder);
    command.args(["server", "--listen", "127.0.0.1:0", "--config"]);
    let output = command.arg(&file).ended();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let told = format!(
        "usher: --tls-cert server.pem is given without --tls-key\n  \
         The value of --tls-cert comes from tls-cert in {}.\n",
        file.display()
    );
    assert!(stderr(&output).contains(&told), "{}", stderr(&output));
}

#[test]
fn an_address_that_is_taken_ends_a_role_with_1_and_names_the_setting() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let file = folder.path("usher.toml");
    let settings = format!("[role.server]\nlisten = \"{address}\"\n");
    std::fs::write(&file, settings).unwrap();
    let mut command = usher(&folder);
    let output = command.args(["server", "--config"]).arg(&file).ended();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = stderr(&output);
    assert!(told.contains("another program does"), "{told}");
    let place = format!(
        "The value of --listen comes from role.server.listen in {}.",
        file.display()
    );
    assert!(told.contains(&place), "{told}");
}
