//! OLicense: the text that `olixtool -sv` prints, and the document that the server gives at
//! `/LicenseStatusXML`.
//!
//! A feature is a module, its daemon the application that it belongs to. Each licence of a module is a
//! pool of its own.

mod text;
mod xml;

use crate::asked::{self, Asked, Pools};
use crate::reading::{Out, Reader};
use crate::xml::Pieces;

/// Reads either form: from the first line that begins with `<` on it is XML.
#[derive(Debug)]
pub struct Olicense {
    pools: Pools,
    application: Option<String>,
    versions: Option<String>,
    xml: Option<(Pieces, xml::Licence)>,
}

impl Olicense {
    /// A reader of what was asked then.
    pub fn new(asked: Asked) -> Olicense {
        Olicense {
            pools: Pools::new(asked),
            application: None,
            versions: None,
            xml: None,
        }
    }

    /// `ann@pc1 #2`; the person may be missing.
    fn holder(&mut self, text: &str) -> bool {
        let Some((who, seats)) = text.rsplit_once('#') else {
            return false;
        };
        let (Some((user, host)), Ok(seats)) = (asked::user_at_host(who), seats.trim().parse())
        else {
            return false;
        };
        // The versions are those that the licence is for, not the one in use.
        self.pools.hold(asked::held(user, host, seats, None))
    }
}

impl Reader for Olicense {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        if self.xml.is_none() && line.trim_start().starts_with('<') {
            self.xml = Some((Pieces::default(), xml::Licence::default()));
        }
        let understood = match self.xml.is_some() {
            true => self.xml_line(line, out),
            false => self.text_line(line.trim(), out),
        };
        match understood {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.pools.close(out);
        if self.xml.as_ref().is_some_and(|(xml, _)| xml.is_cut()) {
            out.not_understood(crate::xml::CUT);
        }
    }
}

#[cfg(test)]
mod tests;
