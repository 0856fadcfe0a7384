//! Backups and restores of a site: what comes back, and what is refused.

mod embedded;
mod postgres;

use std::fs::File;
use std::path::Path;

use usher_site::{CopyError, CopyFacts, CopyOutlook, Site, SitePlace, SiteRestored};

use crate::history::{append, batch, lease, made, places, point};

/// Makes a copy on a thread that may wait.
async fn copied(place: &SitePlace, to: &Path) -> Result<(CopyFacts, u64), CopyError> {
    let (place, to) = (place.clone(), to.to_owned());
    let work = move || {
        let file = File::create_new(&to).unwrap();
        usher_site::back_up(&place, (&file, &to), &mut |_| {})
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn restored(place: &SitePlace, copy: &Path) -> Result<SiteRestored, CopyError> {
    restored_if(place, copy, true).await
}

async fn restored_if(
    place: &SitePlace,
    copy: &Path,
    agrees: bool,
) -> Result<SiteRestored, CopyError> {
    let (place, copy) = (place.clone(), copy.to_owned());
    let work = move || {
        let file = File::open(&copy).unwrap();
        let mut agree = |_: &CopyOutlook| agrees;
        usher_site::restore(&place, file, &copy, &mut agree, &mut |_| {})
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Has a history up to event 20 of a server, of which one up to 10 is in a copy: after the restore the site
/// goes on from 10, and takes what came behind it once more.
async fn collects_again_what_came_after_the_copy(site: &dyn Site, is_restored: bool) {
    let at = |event| point(7, event);
    let item = |event| lease(at(event), made(7, event), 5_000);
    let first = batch("s9", None, None, at(10), vec![item(9), item(10)]);
    if !is_restored {
        assert_eq!(append(site, first).await, (2, 0, 0));
        return;
    }
    let known = places(site, "s9").await;
    assert_eq!(known.last().map(|place| place.point), Some(at(10)));
    // What it has already is there once.
    let again = batch(
        "s9",
        Some(at(10)),
        Some(at(10)),
        at(20),
        vec![item(10), item(20)],
    );
    assert_eq!(append(site, again).await, (1, 1, 0));
}
