//! What is said to whom, by whom they asked.

use usher_api::client::ClientError;
use usher_api::{Code, Problem};

use super::*;

fn not_taken() -> Failure {
    let detail = "the token is not known here, or was revoked: make one with `usher token create`";
    ClientError::Problem(Box::new(Problem::new(Code::Unauthorized, detail))).into()
}

#[test]
fn a_token_that_is_not_taken_is_told_with_the_file_that_it_came_from() {
    let file = Path::new("/var/lib/usher/admin.token");
    let asker = Asker {
        shows_token: true,
        token_file: Some(file),
        ..Asker::default()
    };
    insta::assert_snapshot!(not_taken().for_asker(asker), @r"
        usher: the token is not known here, or was revoked
          The token came from /var/lib/usher/admin.token, and may be that of another server or manager: give one of this server with --token or USHER_TOKEN, or name its data directory with --data.
          An administrator makes another with `usher token create`.
        ");
    let given = Asker {
        token_file: None,
        ..asker
    };
    assert!(
        !not_taken()
            .for_asker(given)
            .to_string()
            .contains("admin.token")
    );
    let of_manager = Asker {
        of_manager: true,
        ..asker
    };
    let said = not_taken().for_asker(of_manager).to_string();
    assert!(
        said.contains("admin.token") && said.contains("of this manager"),
        "{said}"
    );
}

#[test]
fn a_command_that_was_not_started_is_said_not_to_be_whatever_the_exit_code_is() {
    let asker = Asker {
        starts: Some("cad"),
        ..Asker::default()
    };
    let codes = [
        exit::FAILED,
        exit::USAGE,
        exit::NO_SERVER,
        exit::WAITED,
        exit::REFUSED,
        exit::CANNOT_START,
        exit::NO_COMMAND,
    ];
    for code in codes {
        let said = Failure::new(code, "so it is").for_asker(asker);
        assert_eq!(said.code(), code);
        assert_eq!(said.to_string(), "usher: so it is; cad was not started");
    }
    let ended = Failure::Quiet(130).for_asker(asker);
    assert_eq!(ended.code(), 130);
    insta::assert_snapshot!(ended, @"usher: told to end before there was a seat; cad was not started");
    let nothing = Failure::failed("so it is").for_asker(Asker::default());
    assert_eq!(nothing.to_string(), "usher: so it is");
    let done = Failure::Quiet(exit::DONE).for_asker(asker);
    assert_eq!((done.code(), done.to_string()), (0, String::new()));
}

#[test]
fn who_reaches_neither_server_nor_agent_is_told_that_nothing_holds_the_start() {
    let silent = || -> Failure {
        let (endpoint, why) = ("http://192.0.2.1:8470".into(), "Connection refused".into());
        ClientError::Unreachable { endpoint, why }.into()
    };
    let asker = Asker {
        starts: Some("cad"),
        misses_agent: true,
        ..Asker::default()
    };
    let said = silent().for_asker(asker).to_string();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].ends_with("; cad was not started"), "{said}");
    assert!(
        lines[1].contains("cad can be started without `usher run`"),
        "{said}"
    );
    assert!(lines[2].contains("Nothing listens on that port"), "{said}");
    for asker in [
        Asker {
            starts: None,
            ..asker
        },
        Asker {
            misses_agent: false,
            ..asker
        },
    ] {
        let said = silent().for_asker(asker).to_string();
        assert!(!said.contains("can be started"), "{said}");
    }
}

#[test]
fn a_line_that_is_wrong_says_that_its_command_was_not_started_and_a_help_text_does_not() {
    let asker = Asker {
        starts: Some("cad"),
        ..Asker::default()
    };
    let wrong = clap::Command::new("run")
        .try_get_matches_from(["run", "--sets"])
        .unwrap_err();
    let said = Failure::from(wrong).for_asker(asker);
    assert_eq!(said.code(), exit::USAGE);
    let text = said.to_string();
    let first = text.lines().next().unwrap_or_default();
    assert_eq!(
        first,
        "usher: unexpected argument '--sets' found; cad was not started"
    );
    let help = clap::Command::new("run")
        .try_get_matches_from(["run", "--help"])
        .unwrap_err();
    let said = Failure::from(help).for_asker(asker);
    assert!(!said.to_string().contains("not started"), "{said}");
}
