//! Groups and accounts of the system and its domain. Not written yet.

use std::io;
use std::time::Duration;

use crate::terms::{NameService, SystemAccount, SystemGroup, unsupported};

pub(crate) const PROGRAM: &str = "getent";

pub(crate) async fn groups(
    _: &NameService,
    _: &[String],
    _: Duration,
) -> io::Result<Vec<SystemGroup>> {
    Err(unsupported("asking for groups"))
}

pub(crate) async fn accounts(
    _: &NameService,
    _: &[String],
    _: Duration,
) -> io::Result<Vec<SystemAccount>> {
    Err(unsupported("asking for accounts"))
}

pub(crate) async fn groups_of(
    _: &NameService,
    _: &[String],
    _: Duration,
) -> io::Result<Vec<(String, Vec<u32>)>> {
    Err(unsupported("asking for the groups of accounts"))
}
