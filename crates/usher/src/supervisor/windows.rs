//! `usher up` is not there on Windows yet.

pub(crate) mod control {
    //! What a running `usher up` tells: there is none.

    use std::path::Path;

    /// What is to be said of the roles that the `usher up` of a data directory has given up.
    pub(crate) async fn given_up(_data: &Path) -> Vec<String> {
        Vec::new()
    }

    /// Where the manager of the `usher up` of a data directory is.
    pub(crate) async fn console(_data: &Path) -> Option<String> {
        None
    }
}
