//! What is said of one person's own, sentence by sentence.

use super::*;

fn product(in_use: u64, queued: u64) -> ProductStatus {
    let at = |is_there: bool| is_there.then(|| "2026-03-01T09:00:00Z".parse().unwrap());
    ProductStatus {
        id: "cad".into(),
        name: "CAD".into(),
        seats: 1,
        in_use,
        unseated: 0,
        queued,
        denied_last_24h: 0,
        held_since: at(in_use > 0),
        waiting_since: at(queued > 0),
        kept: 0,
    }
}

#[test]
fn how_many_hold_and_wait_is_said_with_since_when() {
    assert_eq!(
        in_all(&product(0, 0)),
        "0 of 1 seat of cad in use; nobody waits."
    );
    let said = in_all(&product(1, 2));
    let since = time::local("2026-03-01T09:00:00Z".parse().unwrap());
    assert_eq!(
        said,
        format!(
            "1 of 1 seat of cad in use, the longest since {since}; 2 requests wait, the \
             longest since {since}."
        )
    );
}

#[test]
fn seats_that_are_only_kept_are_told_apart_from_those_in_use() {
    let kept = ProductStatus {
        kept: 1,
        held_since: None,
        ..product(1, 0)
    };
    assert_eq!(
        in_all(&kept),
        "1 of 1 seat of cad in use, 1 of them kept for somebody's next start and not used; \
         nobody waits."
    );
}

#[test]
fn the_places_of_one_person_are_said_in_one_sentence() {
    let entry = |position: u32| -> QueueEntry {
        serde_json::from_value(serde_json::json!({
            "id": "T1", "product": "cad", "position": position, "user": "anna",
            "computer": "pc", "seats": 1, "priority": 0, "queued_at": "2026-03-01T09:00:00Z",
            "expected_wait_seconds": null,
        }))
        .unwrap()
    };
    assert_eq!(places_said(&[]), None);
    let said = |places: &[u32]| {
        let entries: Vec<QueueEntry> = places.iter().map(|place| entry(*place)).collect();
        places_said(&entries).unwrap()
    };
    assert_eq!(said(&[2]), "You wait in place 2.");
    assert_eq!(said(&[1, 2, 4]), "You wait in places 1, 2 and 4.");
}

#[test]
fn who_asks_for_somebody_elses_is_told_that_only_their_own_is_shown() {
    let only = Only {
        realm: Some("usher".into()),
        account: Some("ben".into()),
        computer: None,
    };
    let said = of_another(Some(&only), Some("anna")).unwrap();
    assert!(said.contains("nothing of anna"), "{said}");
    assert_eq!(of_another(Some(&only), Some("Ben")), None);
    assert_eq!(of_another(Some(&only), None), None);
    assert_eq!(of_another(None, Some("anna")), None);
    let two = cut_to_two(&only);
    assert!(two.contains("the account ben on this computer"), "{two}");
}

#[test]
fn whose_a_list_is_is_said() {
    let only = |realm: &str, computer: Option<&str>| {
        cut(&Only {
            realm: Some(realm.into()),
            account: Some("anna".into()),
            computer: computer.map(str::to_owned),
        })
    };
    assert_eq!(
        only("usher", None),
        "This shows only what is yours, as anna, the user of this token."
    );
    assert_eq!(
        only("corp.example", Some("c1")),
        "This shows only what is yours on this computer, as anna."
    );
}
