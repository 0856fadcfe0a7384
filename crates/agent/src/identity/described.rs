//! The names by which people know an unmetered program.

use std::sync::Arc;

/// The package and the desktop name of a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Described {
    /// The package that installed its file.
    pub(crate) package: Option<Arc<str>>,
    /// The name under which desktops show it.
    pub(crate) desktop_name: Option<Arc<str>>,
}

impl Described {
    /// Merges what is known about several files of the same name.
    pub(crate) fn add(&mut self, more: &Described) {
        for (known, more) in [
            (&mut self.package, &more.package),
            (&mut self.desktop_name, &more.desktop_name),
        ] {
            *known = known.take().or_else(|| more.clone());
        }
    }
}
