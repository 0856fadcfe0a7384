//! Who restarts a server that is stuck, or stopped although nobody asked for that.

use usher_api::Healing;
use usher_core::health::ServiceManagerWord;
use usher_site::ServerRow;

/// Who restarts a server, from what its service manager says now. `is_own`: it is the one beside
/// the manager; `heals`: the manager's healing is on.
pub(crate) fn of(
    server: &ServerRow,
    is_own: bool,
    heals: bool,
    word: &ServiceManagerWord,
) -> Healing {
    let by = |by: &str, how: String| Healing {
        by: Some(by.to_owned()),
        how,
    };
    let nobody = |how: String| Healing { by: None, how };
    if is_own {
        return by("others", "`usher up` starts it again".to_owned());
    }
    let Some(unit) = &server.unit else {
        let seen = match server.data {
            Some(_) => "its data directory tells whether it runs, but ",
            None => "",
        };
        return nobody(format!(
            "{seen}no unit of it is named, so nothing here can start it: `usher servers edit {} \
             --unit UNIT` names one of this computer",
            server.name
        ));
    };
    match word {
        ServiceManagerWord::Says(word) if word.restarts_itself => by(
            "others",
            format!("systemd starts it again, for its unit {unit} has a Restart="),
        ),
        ServiceManagerWord::Says(_) if heals => by(
            "manager",
            format!("the manager stops and starts its unit {unit}"),
        ),
        ServiceManagerWord::Says(_) => {
            nobody("the manager is told to heal nobody (--heal off)".to_owned())
        }
        ServiceManagerWord::NoAnswer(why) => {
            nobody(format!("its unit {unit} cannot be steered: {why}"))
        }
        ServiceManagerWord::NotAsked => nobody(format!("its unit {unit} was not asked")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use usher_core::health::ServiceWord;
    use usher_core::lifecycle::ServiceState;

    fn server(unit: Option<&str>, data: Option<&str>) -> ServerRow {
        ServerRow {
            name: "alpha".to_owned(),
            url: "http://127.0.0.1:8470".to_owned(),
            token: "usher_t".to_owned(),
            unit: unit.map(str::to_owned),
            data: data.map(str::to_owned),
            added_ms: 0,
        }
    }

    fn says(restarts_itself: bool) -> ServiceManagerWord {
        ServiceManagerWord::Says(ServiceWord {
            state: ServiceState::Running,
            age: Duration::ZERO,
            checkpoint: 0,
            wait_hint: Duration::ZERO,
            error: None,
            on_purpose: false,
            has_process: true,
            restarts_itself,
            text: String::new(),
        })
    }

    #[test]
    fn who_starts_a_server_again_is_said_with_what_to_do_if_nobody_does() {
        let unit = server(Some("usher-server.service"), None);
        let data = server(None, Some("/srv/usher"));
        let gone = ServiceManagerWord::NoAnswer("there is no unit".to_owned());
        // The lock of a data directory says that whoever started it sees to it.
        let cases = [
            (
                of(&data, true, true, &says(true)),
                Some("others"),
                "usher up",
            ),
            (of(&data, false, true, &says(true)), None, "--unit UNIT"),
            (
                of(&unit, false, true, &says(true)),
                Some("others"),
                "Restart=",
            ),
            (
                of(&unit, false, true, &says(false)),
                Some("manager"),
                "usher-server",
            ),
            (of(&unit, false, false, &says(false)), None, "--heal off"),
            (of(&unit, false, true, &gone), None, "there is no unit"),
        ];
        for (healing, by, word) in cases {
            assert_eq!(healing.by.as_deref(), by, "{healing:?}");
            assert!(healing.how.contains(word), "{healing:?}");
        }
    }
}
