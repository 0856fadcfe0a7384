//! The document of `lmxendutil -licstatxml`: `LICENSE_PATH`, in it `FEATURE`, in it `USER`.

use super::{Lmx, seats};
use crate::asked;
use crate::fact::{Feature, Held};
use crate::instant;
use crate::reading::Out;
use crate::xml::Element;

impl Lmx {
    pub(super) fn open(&mut self, element: &Element, out: &mut Out<'_>) -> bool {
        match element.name.as_str() {
            "LM-X" => true,
            "LICENSE_PATH" => {
                self.pools
                    .of_server(element.get("HOST").unwrap_or_default(), out);
                match element.get("STATUS") {
                    None | Some("SUCCESS") => {}
                    Some(status) => self.pools.silent(status, out),
                }
                true
            }
            "FEATURE" => self.open_feature(element, out),
            "USER" => self.open_user(element),
            _ => false,
        }
    }

    fn open_feature(&mut self, element: &Element, out: &mut Out<'_>) -> bool {
        let Some(name) = element.get("NAME") else {
            return false;
        };
        self.version = element.get("VERSION").map(str::to_owned);
        let feature = Feature {
            daemon: element.get("VENDOR").map(str::to_owned),
            name: name.to_owned(),
        };
        let pool = self.pools.begin(feature, out);
        pool.in_use = element.number("USED_LICENSES");
        pool.issued = element.number("TOTAL_LICENSES").and_then(seats);
        pool.in_use.is_some()
    }

    fn open_user(&mut self, element: &Element) -> bool {
        let (Some(user), Some(host)) = (element.get("NAME"), element.get("HOST")) else {
            return false;
        };
        let Some(seats) = element.number("USED_LICENSES") else {
            return false;
        };
        let time = |name| {
            let written = element.get(name).and_then(instant::year_first);
            self.pools.instant(written)
        };
        let held = Held {
            since: time("CHECKOUT_TIME").or(time("LOGIN_TIME")),
            borrowed_until: time("BORROW_EXPIRE_TIME"),
            ..asked::held(user, host, seats, self.version.as_deref())
        };
        self.pools.hold(held)
    }
}
