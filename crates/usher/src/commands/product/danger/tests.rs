//! Rules that are refused, and such as are not.

use super::*;

fn product(mode: &str, rules: &[&str]) -> Product {
    let text = serde_json::json!({ "id": "cad", "mode": mode, "programs": rules });
    serde_json::from_value(text).unwrap()
}

#[test]
fn a_dangerous_rule_is_refused_with_what_it_would_hit() {
    let refused = check(None, &product("enforce", &["name=env", "cad"]), false).unwrap_err();
    assert_eq!(refused.code(), 2);
    let text = refused.to_string();
    assert!(
        text.contains("  name=env hits /usr/bin/env, which is an interpreter"),
        "{text}"
    );
    assert!(text.contains("--force"), "{text}");
}

#[test]
fn what_is_tracked_forced_or_enforced_already_is_not_asked_about() {
    let dangerous = product("enforce", &["name=env"]);
    assert!(check(None, &product("track", &["name=env"]), false).is_ok());
    assert!(check(None, &dangerous, true).is_ok());
    assert!(check(Some(&dangerous), &dangerous, false).is_ok());
    let tracked = product("track", &["name=env"]);
    assert!(check(Some(&tracked), &dangerous, false).is_err());
    let more = product("enforce", &["name=env", "name=dash"]);
    let text = check(Some(&dangerous), &more, false)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("name=dash hits") && !text.contains("name=env hits"),
        "{text}"
    );
}

#[test]
fn a_long_list_is_cut() {
    let text = check(None, &product("enforce", &["name=*"]), false)
        .unwrap_err()
        .to_string();
    assert_eq!(text.lines().count(), LISTED + 3, "{text}");
    assert!(text.contains("\n  and "), "{text}");
}
