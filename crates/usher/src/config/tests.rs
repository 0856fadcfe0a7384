//! Settings from files: what counts before what, and what is refused.

use std::collections::BTreeSet;
use std::path::Path;

use super::file::{named, own_options};
use super::*;
use crate::failure::Failure;
use crate::{cli, context};

fn file(text: &str) -> Result<File, Failure> {
    let file = File::from_text(Path::new("usher.toml"), text)?;
    file.check_keys(&cli::command())?;
    Ok(file)
}

fn server(file: &File, line: &[&str]) -> String {
    let matches = layered(cli::command(), file, &[])
        .try_get_matches_from(line)
        .unwrap();
    matches.get_one::<String>("server").unwrap().clone()
}

#[test]
fn a_flag_counts_before_the_file_and_the_file_before_the_default() {
    let file = file("server = \"http://file:1\"").unwrap();
    assert_eq!(server(&file, &["usher", "status"]), "http://file:1");
    assert_eq!(
        server(&file, &["usher", "status", "--server", "http://flag:1"]),
        "http://flag:1"
    );
    assert_eq!(
        server(&File::default(), &["usher", "status"]),
        context::DEFAULT_SERVER
    );
}

#[test]
fn a_key_that_is_no_option_is_refused_and_the_nearest_named() {
    let failure = file("sever = \"http://file:1\"").unwrap_err();
    insta::assert_snapshot!(failure, @r"
    usher: usher.toml: there is no setting sever
      Did you mean server?
    ");
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    let failure = file("server = { url = \"x\" }").unwrap_err();
    insta::assert_snapshot!(failure, @"usher: usher.toml: server must be a text, a whole number, true, false or a list of these");
}

#[test]
fn a_table_of_the_file_sets_the_options_that_begin_with_its_name() {
    let text = "[people]\nlocal_accounts = \"by_name\"\n\
                realms = { sss = \"corp.example\", CORP = \"corp.example\" }";
    let file = file(text).unwrap();
    let line = ["usher", "agent"];
    let matches = layered(cli::command(), &file, &[])
        .try_get_matches_from(line)
        .unwrap();
    let (_, agent) = matches.subcommand().unwrap();
    let realms: Vec<&String> = agent.get_many("people_realms").unwrap().collect();
    assert_eq!(realms, ["CORP=corp.example", "sss=corp.example"]);
    let accounts = file.setting("people-local-accounts").unwrap();
    assert_eq!(accounts.words, ["by_name"]);
}

#[test]
fn a_table_of_the_file_takes_no_key_that_is_no_option() {
    let failure = file("[people]\nrealm = { sss = \"x\" }").unwrap_err();
    insta::assert_snapshot!(failure, @r"
    usher: usher.toml: there is no setting people-realm
      Did you mean people-realms?
    ");
    let failure = file("[people]\nrealms = { sss = 1.5 }").unwrap_err();
    insta::assert_snapshot!(failure, @"usher: usher.toml: people.realms must be a text, a whole number, true, false or a list of these");
}

/// What a role is given of its options.
fn given(text: &str, role: &str, option: &str) -> Option<String> {
    let file = file(text).unwrap().narrowed(role);
    let command = layered(cli::command(), &file, &[]);
    let matches = command.try_get_matches_from(["usher", role]).unwrap();
    let (_, of_role) = matches.subcommand().unwrap();
    of_role.get_raw(option).map(|mut words| {
        let word = words.next().unwrap();
        word.to_str().unwrap().to_owned()
    })
}

#[test]
fn the_table_of_groups_is_the_managers() {
    let text = "[groups]\nsystem = true\nfiles = [\"a\", \"b\"]\nevery = \"5m\"";
    for (option, value) in [
        ("groups_system", "true"),
        ("groups_files", "a"),
        ("groups_every", "5m"),
    ] {
        assert_eq!(given(text, "manager", option).as_deref(), Some(value));
    }
    let unset = given("", "manager", "groups_system");
    assert_eq!(unset.as_deref(), Some("false"));
    let failure = file("[groups]\nfile = \"a\"").unwrap_err();
    assert!(failure.to_string().contains("groups-files"), "{failure}");
}

#[test]
fn the_certificate_of_a_file_for_all_roles_is_the_servers_and_not_the_managers() {
    let text = "tls-cert = \"server.pem\"\ntls-key = \"server.key\"\nlisten = \"0.0.0.0:1\"";
    for role in ["server", "up"] {
        assert_eq!(given(text, role, "tls_cert").unwrap(), "server.pem");
    }
    assert_eq!(given(text, "manager", "tls_cert"), None);
    let file = file(text).unwrap().narrowed("service");
    let installed = layered(cli::command(), &file, &[])
        .try_get_matches_from(["usher", "service", "install", "manager"])
        .unwrap();
    let (_, service) = installed.subcommand().unwrap();
    let (_, install) = service.subcommand().unwrap();
    assert!(install.get_raw("tls_cert").is_none());
    let text =
        format!("{text}\n[role.manager]\ntls-cert = \"console.pem\"\ntls_key = \"console.key\"");
    assert_eq!(given(&text, "manager", "tls_cert").unwrap(), "console.pem");
    assert_eq!(given(&text, "server", "tls_cert").unwrap(), "server.pem");
}

#[test]
fn a_setting_of_a_role_counts_before_the_same_of_the_whole_file() {
    let text = "data = \"/all\"\n[role.server]\ndata = \"/server\"\nkeep-days = 9\n\
                [role.up]\nkeep-days = 7\n[role.agent]\nserver = \"https://a:1\"";
    assert_eq!(given(text, "server", "data").unwrap(), "/server");
    assert_eq!(given(text, "server", "keep_days").unwrap(), "9");
    assert_eq!(given(text, "up", "keep_days").unwrap(), "7");
    assert_eq!(given(text, "up", "data").unwrap(), "/server");
    assert_eq!(given(text, "manager", "data").unwrap(), "/all");
    assert_eq!(given(text, "agent", "server").unwrap(), "https://a:1");
    assert_eq!(
        given(text, "manager", "server").unwrap(),
        context::DEFAULT_SERVER
    );
}

#[test]
fn a_role_that_is_none_and_a_setting_that_is_another_roles_are_refused() {
    let failure = file("[role.console]\ntls-cert = \"a\"").unwrap_err();
    insta::assert_snapshot!(failure, @r"
    usher: usher.toml: there is no role console
      The roles are server, manager, agent, up.
    ");
    let failure = file("[role.manager]\nlisten = \"a\"").unwrap_err();
    insta::assert_snapshot!(failure, @r"
    usher: usher.toml: there is no setting role.manager.listen
      It is a setting of [role.server] and [role.up].
    ");
    let failure = file("[role.server]\nconsole = \"a\"").unwrap_err();
    insta::assert_snapshot!(failure, @r"
    usher: usher.toml: there is no setting role.server.console
      It is a setting of [role.manager] and [role.up].
    ");
    let failure = file("nonsense = 3").unwrap_err();
    insta::assert_snapshot!(failure, @"usher: usher.toml: there is no setting nonsense");
    let failure = file("[role]\nmanager = 1").unwrap_err();
    insta::assert_snapshot!(failure, @"usher: usher.toml: role.manager must be a table");
}

#[test]
fn an_error_in_a_value_of_the_file_names_the_file() {
    let file = file("listen = \"nowhere\"").unwrap();
    let error = layered(cli::command(), &file, &[])
        .try_get_matches_from(["usher", "up"])
        .unwrap_err();
    let args = ["usher", "up"].map(OsString::from);
    let origins = Origins::new(&args, &[], file);
    insta::assert_snapshot!(explain(error, &args, &cli::command(), &origins), @r#"usher: listen in usher.toml: "nowhere" is no address to listen on; write an IP address and a port, such as 127.0.0.1:8470, 0.0.0.0:8470 or [::1]:8470"#);
}

/// What is said of a role whose file says that.
fn refused(role: &str, text: &str) -> String {
    let file = match file(text) {
        Ok(file) => file.narrowed(role),
        Err(failure) => return failure.to_string(),
    };
    let args = ["usher", role].map(OsString::from);
    let error = layered(cli::command(), &file, &[])
        .try_get_matches_from(&args)
        .expect_err(text);
    let origins = Origins::new(&args, &[], file);
    let failure = explain(error, &args, &cli::command(), &origins);
    assert_eq!(failure.code(), 2, "{text}");
    failure.to_string()
}

#[test]
fn a_bad_value_of_the_file_is_told_with_its_key_and_what_it_can_be() {
    let mut all = String::new();
    for (role, text) in [
        ("server", "keep-days = 0"),
        ("server", "[role.server]\nkeep_days = \"abc\""),
        ("server", "keep-snapshots = 5000"),
        ("server", "plain-http = \"maybe\""),
        ("server", "[people]\nlocal_accounts = \"by_car\""),
        ("server", "keep-days = [1, 2]"),
        ("server", "listen = []"),
        ("manager", "poll = \"100ms\""),
        ("manager", "[role.manager]\npoll = 0"),
        ("manager", "memory-limit = \"2G\""),
        ("manager", "memory-wait = \"soon\""),
        ("manager", "heal = \"maybe\""),
        ("manager", "smtp-tls = \"\""),
        ("manager", "beat-url = \"ops.example.org\""),
        ("agent", "watching = \"films\""),
    ] {
        all += &format!("{text}\n{}\n", refused(role, text));
    }
    insta::assert_snapshot!(all, @r#"
    keep-days = 0
    usher: keep-days in usher.toml is 0
      Give a whole number from 1 to 36500.
    [role.server]
    keep_days = "abc"
    usher: role.server.keep_days in usher.toml is "abc", which is no whole number
      Give a whole number from 1 to 36500.
    keep-snapshots = 5000
    usher: keep-snapshots in usher.toml is 5000
      Give a whole number from 0 to 1000.
    plain-http = "maybe"
    usher: plain-http in usher.toml is "maybe"
      Give true or false.
    [people]
    local_accounts = "by_car"
    usher: people.local_accounts in usher.toml is "by_car"
      It can be by_computer or by_name.
    keep-days = [1, 2]
    usher: usher.toml: keep-days is a list of 2, and takes one value
      Write one value without [ ], or leave the line out.
    listen = []
    usher: usher.toml: listen is a list of 0, and takes one value
      Write one value without [ ], or leave the line out.
    poll = "100ms"
    usher: poll in usher.toml: "100ms" is not a duration; write it like 90, 30s, 5m, 1h30m or 7d; give 1 s or more
    [role.manager]
    poll = 0
    usher: role.manager.poll in usher.toml is "0": give 1 s or more
    memory-limit = "2G"
    usher: memory-limit in usher.toml is "2G", which is no whole number
      Give a whole number from 1 to 1000000000.
    memory-wait = "soon"
    usher: memory-wait in usher.toml: "soon" is not a duration; write it like 90, 30s, 5m, 1h30m or 7d
    heal = "maybe"
    usher: heal in usher.toml is "maybe"
      It can be on or off.
    smtp-tls = ""
    usher: smtp-tls in usher.toml is ""
      It can be tls, starttls or none.
    beat-url = "ops.example.org"
    usher: beat-url in usher.toml: "ops.example.org" is no URL; write it like https://ops.example.org/beat
    watching = "films"
    usher: watching in usher.toml is "films"
      It can be ebpf, kernel-events or polling.
    "#);
}

/// Each setting that can be refused at all is, whatever it is of.
#[test]
fn no_setting_of_a_role_is_refused_without_the_file_and_the_key() {
    let bad = "\u{1}";
    let mut refused_of = BTreeSet::new();
    for role in ["server", "manager", "agent", "up"] {
        let command = cli::command();
        let role_of = command.find_subcommand(role).unwrap();
        let mut known = Vec::new();
        own_options(role_of, &mut known);
        for option in known {
            let text = format!("[role.{role}]\n{option} = {bad:?}");
            let text = text.replace("\\u{1}", "\\u0001");
            let file = file(&text).unwrap().narrowed(role);
            let args = ["usher", role].map(OsString::from);
            let matches = layered(cli::command(), &file, &[]).try_get_matches_from(&args);
            let Err(error) = matches else {
                continue;
            };
            let origins = Origins::new(&args, &[], file);
            let told = explain(error, &args, &cli::command(), &origins).to_string();
            let place = format!("role.{role}.{option} in usher.toml");
            assert!(told.contains(&place), "{told}");
            refused_of.insert(option);
        }
    }
    for option in ["listen", "console", "keep-days", "poll", "heal", "watching"] {
        assert!(refused_of.contains(option), "{option}: {refused_of:?}");
    }
}

#[test]
fn a_flag_can_be_switched_on_in_the_file() {
    let file = file("json = true").unwrap();
    let matches = layered(cli::command(), &file, &[])
        .try_get_matches_from(["usher", "status"])
        .unwrap();
    assert!(matches.get_flag("json"));
}

#[test]
fn the_options_of_the_command_that_is_run_are_not_read() {
    let args = ["usher", "run", "--", "tool", "--config", "/nowhere"].map(OsString::from);
    assert_eq!(named(&args), None);
}

#[test]
fn the_guide_lists_each_setting_of_a_role_and_none_that_does_not_exist() {
    let page = include_str!("../../../../docs/settings.md");
    let listed = |title: &str| -> BTreeSet<String> {
        let (_, rest) = page.split_once(&format!("\n## {title}\n")).unwrap();
        let rows = rest.lines().take_while(|line| !line.starts_with("## "));
        let rows = rows.filter(|line| line.starts_with("| `"));
        let keys = rows.filter_map(|line| line.split('|').nth(1));
        keys.flat_map(|keys| keys.split('`').skip(1).step_by(2))
            .map(str::to_owned)
            .collect()
    };
    let all = cli::command();
    let options = |command: &Command| {
        let mut known = Vec::new();
        own_options(command, &mut known);
        known.into_iter().collect::<BTreeSet<String>>()
    };
    let of_role = |role: &str| options(all.find_subcommand(role).unwrap());
    let mut everywhere = options(&all);
    assert!(everywhere.remove("config"));
    assert_eq!(listed("All commands"), everywhere);
    assert_eq!(listed("The server"), of_role("server"));
    assert_eq!(listed("The manager"), of_role("manager"));
    assert_eq!(listed("The agent"), of_role("agent"));
    let others = &of_role("server") | &of_role("agent");
    assert_eq!(listed("usher up"), &of_role("up") - &others);
    let (_, example) = page.split_once("```toml\n").unwrap();
    file(example.split("```").next().unwrap()).unwrap();
}
