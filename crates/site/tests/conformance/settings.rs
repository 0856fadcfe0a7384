//! What a manager sets.

use usher_site::{Change, Site};

use crate::common::*;

pub(crate) async fn keeps_what_a_manager_sets_and_answers_new_rules_with_what_is_open(
    site: &dyn Site,
) {
    let set = async || {
        let it = site.resume().await.unwrap();
        [it.rules, it.thresholds, it.tokens]
    };
    assert_eq!(set().await, [None, None, None]);
    let down = Change::EpisodeBegan(
        episode("theta", 1, None),
        said(message(9406, 10, Some("theta"))),
    );
    let down = one(site, down).await.unwrap();
    site.set_rules("[]".to_owned(), Vec::new()).await.unwrap();
    let open = site.set_rules("[1]".to_owned(), Vec::new());
    let open = open.await.unwrap();
    assert!(open.iter().any(|row| row.record_id == down), "{open:?}");
    assert!(open.iter().all(|row| row.recovered_ms.is_none()));
    site.set_thresholds("{}".to_owned()).await.unwrap();
    site.set_tokens("[2]".to_owned()).await.unwrap();
    site.note_alive(7).await.unwrap();
    let all = ["[1]", "{}", "[2]"].map(|text| Some(text.to_owned()));
    assert_eq!(set().await, all);
}

pub(crate) async fn keeps_the_id_that_tells_it_from_other_sites(site: &dyn Site) {
    let id = site.site_id().await.unwrap();
    assert_eq!(id.len(), 16, "{id}");
    assert_eq!(site.site_id().await.unwrap(), id);
    let (_folder, other) = embedded();
    assert_ne!(other.site_id().await.unwrap(), id);
}
