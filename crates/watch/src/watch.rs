//! A watch, from where it was to where it is ended.

use usher_api::ImportCreate;
use usher_child::Commands;

use crate::delivery::{Delivery, Takes};
use crate::end::{Options, WatchError};
use crate::kept::{Folder, Tell};
use crate::standing::Standing;
use crate::watched::{Origin, Watched};
use crate::{log, reports};

/// Watches until the process ends, nothing is taken any more ([`Takes::is_over`]), or something ends it. What
/// fails and may pass is tried again for as long as it takes. The command of a watch is one of `commands`: if
/// these end, so does the watch.
///
/// # Errors
/// The kind cannot be watched so, the folder cannot be used, another process has the watch, or with
/// [`Options::once`] something was not taken.
pub fn run(
    watched: &Watched,
    folder: &Folder,
    takes: &mut dyn Takes,
    (options, commands): (Options, &Commands),
    tell: Tell,
) -> Result<(), WatchError> {
    if let Some(why) = watched.unfit() {
        return Err(WatchError::Unfit(why));
    }
    let from = match &watched.origin {
        Origin::Log(path) => path.display().to_string(),
        Origin::Command { words, .. } => words.join(" "),
    };
    let standing = Standing::new(&watched.name, watched.kind, &watched.source, from);
    let keys = watched.keys_depend_on();
    let keeper = folder.take_up(standing, keys, options.again, tell)?;
    let create = ImportCreate {
        kind: watched.kind,
        source: watched.source.clone(),
        time_zone: watched
            .zone
            .as_ref()
            .and_then(|zone| zone.iana_name())
            .map(str::to_owned),
        live: true,
    };
    let mut out = Delivery::new(takes, create, keeper, options.once);
    match &watched.origin {
        Origin::Log(path) => log::follow(watched, path, &mut out, options),
        Origin::Command { words, within } => {
            let how = (options, commands);
            reports::ask(watched, (words, *within), folder, &mut out, how)
        }
    }
}
