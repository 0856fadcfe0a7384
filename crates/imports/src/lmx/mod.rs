//! LM-X: what `lmxendutil` tells of a server, as text (`-licstat`) and as XML (`-licstatxml`). Altair's
//! `almutil` prints the same.

mod text;
mod xml;

use crate::asked::{Asked, Pools};
use crate::reading::{Out, Reader};
use crate::xml::{Piece, Pieces};

/// How many seats mean that they are not counted.
const UNCOUNTED: u64 = i32::MAX as u64;

/// Reads either form: from the first line that begins with `<` on it is XML.
#[derive(Debug)]
pub struct Lmx {
    pools: Pools,
    /// The version of the feature that is read, which its holders use.
    version: Option<String>,
    xml: Option<Pieces>,
}

impl Lmx {
    /// A reader of what was asked then.
    pub fn new(asked: Asked) -> Lmx {
        Lmx {
            pools: Pools::new(asked),
            version: None,
            xml: None,
        }
    }
}

impl Reader for Lmx {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        if self.xml.is_none() && line.trim_start().starts_with('<') {
            self.xml = Some(Pieces::default());
        }
        let understood = match &mut self.xml {
            None => self.text_line(line.trim(), out),
            Some(xml) => {
                let mut pieces = Vec::new();
                let mut good = xml.line(line, &mut pieces);
                for piece in &pieces {
                    good &= self.piece(piece, out);
                }
                good
            }
        };
        match understood {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.pools.close(out);
        if self.xml.as_ref().is_some_and(Pieces::is_cut) {
            out.not_understood(crate::xml::CUT);
        }
    }
}

impl Lmx {
    fn piece(&mut self, piece: &Piece, out: &mut Out<'_>) -> bool {
        match piece {
            Piece::Open(element) => self.open(element, out),
            Piece::Close(name) => {
                if name == "FEATURE" {
                    self.pools.close(out);
                }
                true
            }
            // What the program prints around the document.
            Piece::Text(text) => text.starts_with("LM-X") || text.starts_with("Copyright"),
        }
    }
}

/// Seats; none: they are not counted.
fn seats(written: u64) -> Option<u64> {
    (written < UNCOUNTED).then_some(written)
}

#[cfg(test)]
mod tests;
