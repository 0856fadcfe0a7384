//! Settings from files: what counts before what, and what is refused.

use std::collections::BTreeSet;

use super::*;
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
    insta::assert_snapshot!(failure, @"usher: usher.toml: server must be a text, a number, true, false or a list of these");
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
    assert_eq!(
        file.values.get("people-local-accounts"),
        Some(&vec!["by_name".to_owned()])
    );
}

#[test]
fn a_table_of_the_file_takes_no_key_that_is_no_option() {
    let failure = file("[people]\nrealm = { sss = \"x\" }").unwrap_err();
    insta::assert_snapshot!(failure, @r"
    usher: usher.toml: there is no setting people-realm
      Did you mean people-realms?
    ");
    let failure = file("[people]\nrealms = { sss = 1.5 }").unwrap_err();
    insta::assert_snapshot!(failure, @"usher: usher.toml: people.realms must be a text, a number, true, false or a list of these");
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
    insta::assert_snapshot!(file.explain(error, &[], &cli::command()), @r"
    usher: invalid value 'nowhere' for '--listen <ADDR>': invalid socket address syntax
      The value comes from usher.toml.
    ");
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
