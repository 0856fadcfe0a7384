//! As which people the users of this computer are counted.

use usher_api::PeopleStatus;

use super::finding::Finding;

/// Name services whose accounts are a computer's own.
const OWN: [&str; 5] = ["altfiles", "db", "extrausers", "mymachines", "systemd"];

/// A finding on the directories that this computer's accounts belong to.
pub(super) fn finding(people: &PeopleStatus) -> Finding {
    let realm_of = |service: &String| {
        let mut realms = people.realms.iter();
        realms.find(|known| known.name == *service)
    };
    let unknown: Vec<&str> = people
        .services
        .iter()
        .filter(|service| realm_of(service).is_none() && !OWN.contains(&service.as_str()))
        .map(String::as_str)
        .collect();
    if let Some(first) = unknown.first() {
        return Finding::warn(
            "people",
            format!(
                "no realm is known of {}: its accounts count as this computer's own, so somebody \
                 at two computers is two people, and takes two seats of a product that counts \
                 users",
                unknown.join(", ")
            ),
            format!(
                "Say which directory it is in the agent's usher.toml ([people], realms = {{ {first} \
                 = \"corp.example\" }}) on each computer, and restart the agent."
            ),
        );
    }
    let realms: Vec<String> = people
        .realms
        .iter()
        .map(|known| format!("those of {} are of {}", known.name, known.realm))
        .collect();
    Finding::ok(
        "people",
        match realms.is_empty() {
            true => "all accounts are this computer's own: on another computer they are other \
                     people, unless the server counts them by name (people.local_accounts)"
                .to_owned(),
            false => format!(
                "{}; other accounts are this computer's own",
                realms.join(", ")
            ),
        },
    )
}

#[cfg(test)]
mod tests {
    use usher_api::ServiceRealm;

    use super::*;

    fn described(services: &[&str], realms: &[(&str, &str)]) -> String {
        let realms = realms.iter().map(|(name, realm)| ServiceRealm {
            name: (*name).to_owned(),
            realm: (*realm).to_owned(),
        });
        let people = PeopleStatus {
            services: services.iter().map(|name| (*name).to_owned()).collect(),
            realms: realms.collect(),
        };
        finding(&people).describe()
    }

    #[test]
    fn a_directory_without_a_realm_is_told_with_what_it_costs() {
        let text = described(&["systemd", "sss"], &[("CORP", "corp.example")]);
        insta::assert_snapshot!(text, @r#"
        warn  people      no realm is known of sss: its accounts count as this computer's own, so somebody at two computers is two people, and takes two seats of a product that counts users
                          Say which directory it is in the agent's usher.toml ([people], realms = { sss = "corp.example" }) on each computer, and restart the agent.
        "#);
    }

    #[test]
    fn who_is_one_person_on_two_computers_is_told() {
        let cases = [
            described(&["systemd"], &[]),
            described(&["sss"], &[("sss", "corp.example"), ("LAB", "lab.example")]),
        ];
        insta::assert_snapshot!(cases.join("\n"), @"
        ok    people      all accounts are this computer's own: on another computer they are other people, unless the server counts them by name (people.local_accounts)
        ok    people      those of sss are of corp.example, those of LAB are of lab.example; other accounts are this computer's own
        ");
    }
}
