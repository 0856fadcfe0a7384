//! FlexNet Publisher (FlexLM): licence files, options files, debug logs and the status that lmstat prints.

mod day;
pub mod licence;
pub mod lmstat;
pub mod log;
pub mod options;
mod text;
