//! What is shown is read again.

use super::*;
use serde_json::json;

#[test]
fn what_is_shown_can_be_given_again() {
    let mut held = json!({
        "concerns": { "disk_mb": 10_240 },
        "summaries": { "site": { "error": [1, 5] }, "since": "00:00", "time_zone": null },
    });
    let mut text = String::new();
    write_flat(&mut text, "", &held);
    insta::assert_snapshot!(text, @r"
        concerns.disk_mb=10240
        summaries.since=00:00
        summaries.site.error=1,5
        summaries.time_zone=
        ");
    let before = held.clone();
    for line in text.lines() {
        apply(&mut held, line).unwrap();
    }
    assert_eq!(held, before);
    apply(&mut held, "summaries.components.agents.error=2,3").unwrap();
    assert_eq!(
        held["summaries"]["components"]["agents"]["error"],
        json!([2, 3])
    );
    assert!(apply(&mut held, "nonsense").is_err());
    for known in ["summaries.since=06:00", "summaries.components.x.error=1,2"] {
        must_be_known(&held, known).unwrap();
    }
    for (wrong, word) in [
        ("concerns.disk_mb=abc", "is a number"),
        ("concerns.disk_mb=", "is a number"),
        ("summaries.site.error=3", "two numbers"),
    ] {
        let why = must_be_like(&held, wrong).unwrap_err().to_string();
        assert!(why.contains(word), "{why}");
        assert!(!why.contains("u32"), "{why}");
    }
    for right in [
        "concerns.disk_mb=7",
        "summaries.site.error=1,2",
        "summaries.since=06:00",
        "summaries.time_zone=Europe/Berlin",
        "summaries.components.x.error=1,2",
    ] {
        must_be_like(&held, right).unwrap();
    }
    let far = must_be_known(&held, "nonsense=3").unwrap_err().to_string();
    assert!(!far.contains("Did you mean"), "{far}");
    let why = must_be_known(&held, "concerns.disk_bm=7").unwrap_err();
    assert!(
        why.to_string().contains("Did you mean concerns.disk_mb?"),
        "{why}"
    );
}
