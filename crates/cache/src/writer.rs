//! The one writer.
use crate::engine::*;
use crate::error::CacheError;
use usher_core::ledger::*;
pub(crate) struct Shared;
pub(crate) fn open(_options: EngineOptions) -> Result<(Engine, Opened), CacheError> {
    unimplemented!()
}
impl Shared {
    pub(crate) fn submit(&self, _requests: &mut Vec<Request>) {
        unimplemented!()
    }
    pub(crate) fn execute(&self, _command: Command) -> Result<Answer, Failure> {
        unimplemented!()
    }
    pub(crate) fn read<T: Send + 'static>(
        &self,
        _look: impl FnOnce(&Ledger, Now) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        unimplemented!()
    }
    pub(crate) fn settle(&self) -> Result<(), Failure> {
        unimplemented!()
    }
    pub(crate) fn health(&self) -> Health {
        unimplemented!()
    }
    pub(crate) fn waiting(&self) -> usize {
        unimplemented!()
    }
    pub(crate) fn commits(&self) -> (u64, u64) {
        unimplemented!()
    }
    pub(crate) fn close(&self) {
        unimplemented!()
    }
    pub(crate) fn with_connection<T: Send + 'static>(
        &self,
        _f: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        unimplemented!()
    }
    pub(crate) fn with_reader<T>(
        &self,
        _f: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        unimplemented!()
    }
}
