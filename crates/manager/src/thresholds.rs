//! The site's thresholds for concerns and for the status of components.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use usher_core::concerns;
use usher_core::messages::SummaryOptions;
use usher_site::{Site, SiteError};

/// All thresholds, in the form of `/v1/thresholds`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Thresholds {
    /// The thresholds for concerns.
    pub(crate) concerns: concerns::Thresholds,
    /// The thresholds for summaries.
    pub(crate) summaries: SummaryOptions,
}

impl Thresholds {
    /// Checks the thresholds; the error is the end of a sentence.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.concerns.check().map_err(|error| error.to_string())?;
        self.summaries.check()?;
        self.zone().map(drop)
    }

    /// The time zone of the summaries.
    pub(crate) fn zone(&self) -> Result<TimeZone, String> {
        match &self.summaries.time_zone {
            None => Ok(TimeZone::system()),
            Some(name) => TimeZone::get(name).map_err(|_| {
                let shown: String = name.chars().take(40).collect();
                format!("`time_zone` is {shown:?}: write one such as Europe/Berlin")
            }),
        }
    }
}

/// The present thresholds.
pub(crate) struct Held {
    site: Arc<dyn Site>,
    now: RwLock<Arc<Thresholds>>,
}

impl Held {
    /// Reads the thresholds that the site database has.
    pub(crate) fn open(site: Arc<dyn Site>, kept: Option<&str>) -> Held {
        Held {
            site,
            now: RwLock::new(Arc::new(read(kept))),
        }
    }

    /// Holds those that another manager has put.
    pub(crate) fn reread(&self, kept: Option<&str>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read(kept));
    }

    /// Those that hold.
    pub(crate) fn get(&self) -> Arc<Thresholds> {
        self.now
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces them; they must be valid.
    pub(crate) async fn put(&self, thresholds: Thresholds) -> Result<(), SiteError> {
        let text = serde_json::to_string(&thresholds).unwrap_or_default();
        self.site.set_thresholds(text).await?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(thresholds);
        Ok(())
    }
}

fn read(kept: Option<&str>) -> Thresholds {
    kept.map_or_else(Thresholds::default, |text| {
        serde_json::from_str(text).unwrap_or_else(|error| {
            tracing::error!(%error, "the site's thresholds cannot be read: the default ones hold");
            Thresholds::default()
        })
    })
}
