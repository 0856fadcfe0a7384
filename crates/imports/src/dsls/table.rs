//! The table of `getLicenseUsage -csv`: a row for each use, which repeats what is said of its feature.

use super::Dsls;
use super::usage::host_of;
use crate::asked;
use crate::fact::{Feature, Held};
use crate::instant;
use crate::reading::Out;
use crate::record;

/// What makes rows those of one pool.
const POOL: [&str; 7] = [
    "Editor",
    "Feature",
    "Model",
    "Commercial Type",
    "Max Release Date",
    "Expiration Date",
    "Customer ID",
];

/// The columns of the table, and the pool of its last row.
#[derive(Debug)]
pub(super) struct Columns {
    names: Vec<String>,
    pool: Vec<String>,
}

impl Dsls {
    /// False: the line is none of the table.
    pub(super) fn table_line(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        if line.starts_with("Editor,EditorId,") {
            self.pools.close(out);
            self.columns = record::cells(line, ',').map(|names| Columns {
                names,
                pool: Vec::new(),
            });
            return self.columns.is_some();
        }
        let Some(columns) = &mut self.columns else {
            return false;
        };
        let Some(cells) = record::cells(line, ',') else {
            return false;
        };
        let get = |name: &str| {
            let place = columns.names.iter().position(|column| column == name)?;
            let cell = cells.get(place)?.trim();
            (!cell.is_empty()).then(|| cell.to_owned())
        };
        let (Some(name), Some(issued), Some(in_use)) = (get("Feature"), get("Count"), get("Inuse"))
        else {
            return false;
        };
        let (Ok(issued), Ok(in_use)) = (issued.parse::<u64>(), in_use.parse::<u64>()) else {
            return false;
        };
        let use_of = Use {
            user: get("User"),
            host: get("Host"),
            seats: get("Tokens"),
            since: get("Granted Since").or(get("Granted At")),
            queue: get("Queue Position"),
        };
        let daemon = get("Editor");
        let key: Vec<String> = POOL
            .iter()
            .map(|name| get(name).unwrap_or_default())
            .collect();
        if columns.pool != key {
            columns.pool = key;
            let pool = self.pools.begin(Feature { daemon, name }, out);
            pool.issued = Some(issued);
            pool.in_use = Some(in_use);
        }
        self.take_use(&use_of)
    }

    fn take_use(&mut self, told: &Use) -> bool {
        let (Some(user), Some(host)) = (&told.user, &told.host) else {
            // Nobody uses the feature.
            return told.user.is_none();
        };
        let host = host_of(host);
        let seats = match told.seats.as_deref().map(str::parse::<u32>) {
            None => 1,
            Some(Ok(seats)) => seats,
            Some(Err(_)) => return false,
        };
        if told.queue.is_some() {
            return self.pools.wait(asked::holder(user, host), seats);
        }
        let since = told.since.as_deref().and_then(instant::any_form);
        let since = self.pools.instant(since);
        self.pools.hold(Held {
            since,
            ..asked::held(user, host, seats, None)
        })
    }
}

/// What a row says of a use.
struct Use {
    user: Option<String>,
    host: Option<String>,
    seats: Option<String>,
    since: Option<String>,
    queue: Option<String>,
}
