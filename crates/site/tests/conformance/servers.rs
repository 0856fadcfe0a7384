//! The servers that are watched.

use usher_site::{ServerRow, Site, SiteError, Unwatched};

use crate::common::*;

pub(crate) async fn keeps_servers(site: &dyn Site) {
    site.watch(server("beta")).await.unwrap();
    site.watch(server("alpha")).await.unwrap();
    let taken = site.watch(server("beta")).await.unwrap_err();
    assert!(matches!(taken, SiteError::NameTaken(name) if name == "beta"));
    let servers = async || site.resume().await.unwrap().servers;
    assert_eq!(servers().await, [server("alpha"), server("beta")]);
    let moved = ServerRow {
        url: "https://new:8470".to_owned(),
        token: "other".to_owned(),
        unit: None,
        data: Some("/srv".to_owned()),
        ..server("alpha")
    };
    assert!(site.change_watched(moved.clone()).await.unwrap());
    assert!(!site.change_watched(server("gone")).await.unwrap());
    assert_eq!(site.watched("alpha".to_owned()).await.unwrap(), Some(moved));
    assert_eq!(site.watched("gone".to_owned()).await.unwrap(), None);
    let unwatch = async || site.unwatch("beta".to_owned(), 9).await.unwrap();
    assert!(unwatch().await.was_watched);
    assert_eq!(unwatch().await, Unwatched::default());
    assert!(site.change_watched(server("alpha")).await.unwrap());
    assert_eq!(servers().await, [server("alpha")]);
    assert!(!format!("{:?}", server("alpha")).contains("secret"));
}
