//! The document at `/LicenseStatusXML`: `license` elements with `name`, `versionRange`, `licenser`,
//! `floatCount`, `floatsLocked`, `floatsLockedBy` and a `module` with its own `name`.

use super::Olicense;
use crate::fact::Feature;
use crate::reading::Out;
use crate::xml::Piece;

/// Elements within each other that are told apart.
const DEPTH_LIMIT: usize = 32;

/// What was read of the licence.
#[derive(Debug, Default)]
pub(super) struct Licence {
    /// The elements that are open.
    path: Vec<String>,
    /// Elements beyond the limit.
    deeper: usize,
    application: Option<String>,
    module: Option<String>,
    count: Option<u64>,
    locked: Option<u64>,
    locked_by: String,
}

/// Elements whose text says nothing of seats.
const OTHER: [&str; 8] = [
    "serverVersion",
    "licenser",
    "licensee",
    "licenseId",
    "licenseType",
    "versionRange",
    "expiration",
    "serverTime",
];

impl Olicense {
    pub(super) fn xml_line(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let Some((pieces, _)) = &mut self.xml else {
            return false;
        };
        let mut all = Vec::new();
        let mut good = pieces.line(line, &mut all);
        for piece in all {
            good &= match piece {
                Piece::Open(element) => self.enter(element.name),
                Piece::Close(name) => self.leave(&name, out),
                Piece::Text(text) => self.text(&text),
            };
        }
        good
    }

    fn enter(&mut self, name: String) -> bool {
        let Some((_, licence)) = &mut self.xml else {
            return false;
        };
        match name.as_str() {
            "license" => {
                let path = std::mem::take(&mut licence.path);
                *licence = Licence {
                    path,
                    ..Licence::default()
                };
            }
            "module" => {
                licence.module = None;
                licence.locked_by.clear();
            }
            _ => {}
        }
        if licence.path.len() >= DEPTH_LIMIT {
            licence.deeper = licence.deeper.saturating_add(1);
            return false;
        }
        licence.path.push(name);
        true
    }

    fn leave(&mut self, name: &str, out: &mut Out<'_>) -> bool {
        let Some((_, licence)) = &mut self.xml else {
            return false;
        };
        if licence.deeper > 0 {
            licence.deeper -= 1;
            return false;
        }
        let good = licence.path.pop().is_some_and(|open| open == name);
        match name {
            "license" | "module" => good & self.say(out),
            _ => good,
        }
    }

    /// Says the pool, once its seats are known; they stand in the module or beside it.
    fn say(&mut self, out: &mut Out<'_>) -> bool {
        let Some((_, licence)) = &mut self.xml else {
            return false;
        };
        let Some(issued) = licence.count.take() else {
            return true;
        };
        let in_use = licence.locked.take();
        let locked_by = std::mem::take(&mut licence.locked_by);
        let (application, module) = (licence.application.clone(), licence.module.clone());
        let (daemon, name) = match (application, module) {
            (application, Some(module)) => (application, module),
            (Some(application), None) => (None, application),
            (None, None) => return false,
        };
        let pool = self.pools.begin(Feature { daemon, name }, out);
        pool.issued = Some(issued);
        pool.in_use = in_use;
        let mut good = true;
        for holder in locked_by
            .split(',')
            .filter(|holder| !holder.trim().is_empty())
        {
            good &= self.holder(holder.trim());
        }
        good
    }

    fn text(&mut self, text: &str) -> bool {
        let Some((_, licence)) = &mut self.xml else {
            return false;
        };
        let Some((name, above)) = licence.path.split_last() else {
            return false;
        };
        let is_of_module = above.iter().any(|open| open == "module");
        match name.as_str() {
            "name" if is_of_module => licence.module = Some(text.to_owned()),
            "name" | "application" => licence.application = Some(text.to_owned()),
            "floatCount" => {
                licence.count = text.parse().ok();
                return licence.count.is_some();
            }
            "floatsLocked" => {
                licence.locked = text.parse().ok();
                return licence.locked.is_some();
            }
            "floatsLockedBy" => text.clone_into(&mut licence.locked_by),
            name => return OTHER.contains(&name),
        }
        true
    }
}
