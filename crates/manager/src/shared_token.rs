//! The administrator's token of a site that managers share: one for all of them, in the site database, and
//! in the file of each manager, where commands find it.
//!
//! The database decides. Whoever exchanges the token in the file of one manager exchanges it for all.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use usher_site::{PostgresSite, SiteError};

use crate::secrets::Admin;

/// Has the token of the site in the file of this manager; if the site has none yet, that of the file becomes
/// it. Answers the token.
pub(crate) async fn settle(
    admin: &Arc<Admin>,
    shared: &PostgresSite,
) -> Result<String, SharedTokenError> {
    let own = admin.token()?;
    let token = shared.have_admin_token(own.clone()).await?;
    if token != own {
        put(admin, token.clone()).await?;
    }
    Ok(token)
}

/// Why this manager cannot have the token of the site.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SharedTokenError {
    /// Its file cannot be read or written.
    #[error("cannot have the site's token in its file: {0}")]
    File(#[from] io::Error),
    /// The site database failed.
    #[error(transparent)]
    Site(#[from] SiteError),
}

/// Looks again and again whether the file or the site has another token than `known`. What cannot be read or
/// asked is looked at again.
pub(crate) async fn attend(
    admin: Arc<Admin>,
    shared: PostgresSite,
    every: Duration,
    mut known: String,
) {
    loop {
        tokio::time::sleep(every).await;
        // While it cannot be read, what it has is no exchange.
        let Some(own) = own(&admin).await else {
            continue;
        };
        let there = match own == known {
            true => of_site(&shared, &known).await,
            false => {
                let (from, to) = (known.clone(), own.clone());
                shared.change_admin_token(from, to).await
            }
        };
        let Ok(there) = there else {
            continue;
        };
        if there != own
            && let Err(error) = put(&admin, there.clone()).await
        {
            let file = admin.file().display();
            tracing::error!(%file, %error, "the site's token cannot be put into the file");
            continue;
        }
        known = there;
    }
}

async fn of_site(shared: &PostgresSite, known: &str) -> Result<String, SiteError> {
    match shared.admin_token().await? {
        Some(token) => Ok(token),
        // As after a restore from before managers shared the site.
        None => shared.have_admin_token(known.to_owned()).await,
    }
}

/// The token in the file; none: it cannot be read.
async fn own(admin: &Arc<Admin>) -> Option<String> {
    let admin = admin.clone();
    let read = tokio::task::spawn_blocking(move || admin.token()).await;
    read.ok()?.ok()
}

/// Replaces the token in the file, on a thread that may wait for its disk, and says so.
async fn put(admin: &Arc<Admin>, token: String) -> io::Result<()> {
    let writer = admin.clone();
    let put = tokio::task::spawn_blocking(move || writer.put(&token)).await;
    put.map_err(io::Error::other)??;
    let file = admin.file().display();
    tracing::warn!(
        %file,
        "the file had another administrator's token than the site, which managers share: it has the \
         site's now"
    );
    Ok(())
}
