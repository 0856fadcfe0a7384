//! Rules and what waits, as sentences.

use super::*;

#[test]
fn what_waits_and_what_was_given_up_is_said_in_sentences() {
    let at = usher_api::Timestamp::UNIX_EPOCH;
    let refused = Delivery {
        destination: "mail to ops@example.org".to_owned(),
        waiting: 0,
        why: Some("the relay answers 550 no such user.".to_owned()),
        failing_since: Some(at),
        next_at: None,
        given_up: 1,
    };
    let since = time::local(at);
    assert_eq!(
        waits(&refused),
        format!(
            "Nothing waits for mail to ops@example.org. Every try since {since} has failed: \
             the relay answers 550 no such user. 1 message was given up."
        )
    );
    let late = Delivery {
        waiting: 2,
        next_at: Some(at),
        given_up: 0,
        ..refused.clone()
    };
    let said = waits(&late);
    assert!(said.starts_with("2 messages wait for mail to"), "{said}");
    assert!(
        said.ends_with(&format!("The next try is at {since}.")),
        "{said}"
    );
    let fresh = Delivery {
        why: None,
        failing_since: None,
        ..late
    };
    assert_eq!(
        waits(&fresh),
        "2 messages wait for mail to ops@example.org."
    );
}
