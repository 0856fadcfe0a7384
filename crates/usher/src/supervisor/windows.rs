//! `usher up` does not exist on Windows yet.

pub(crate) mod control {
    //! The answers of a running `usher up`: there is none.

    use std::path::Path;

    /// The text about the roles that the `usher up` of a data directory has given up.
    pub(crate) async fn given_up(_data: &Path) -> Vec<String> {
        Vec::new()
    }

    /// Where the manager of the `usher up` of a data directory is.
    pub(crate) async fn console(_data: &Path) -> Option<String> {
        None
    }
}
