//! Certificates: read for a server, judged as clients will, made for a site, and their errors in words.
//!
//! Promises: a certificate that no client will ever take is refused before a server says that it is
//! ready; what time alone mends (not valid yet, ended) is told and served all the same, for the
//! clock may be what is wrong; each error of TLS is told with what cures it.

#![forbid(unsafe_code)]

mod error_text;
mod files;
mod judge;
mod make;

pub use error_text::{Told, is_spoken, told, told_to_who_names_an_authority};
pub use files::{InFile, Refused, ServerFiles, authorities, authority, identity};
pub use judge::{Identity, Notice, leads_here_alone};
pub use make::{Authority, MakeError, Names, Pair, server_pair};
