//! What people know a program of no product by.

use std::sync::Arc;

/// What people know a program by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Described {
    /// The package that its file came with.
    pub(crate) package: Option<Arc<str>>,
    /// What desktops show it as.
    pub(crate) desktop_name: Option<Arc<str>>,
}

impl Described {
    /// Of several files of one name, each may say something.
    pub(crate) fn add(&mut self, more: &Described) {
        for (known, more) in [
            (&mut self.package, &more.package),
            (&mut self.desktop_name, &more.desktop_name),
        ] {
            *known = known.take().or_else(|| more.clone());
        }
    }
}
