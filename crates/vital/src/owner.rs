//! Whose work a thread does: in whose name a panic there ends the process.

use std::cell::Cell;

pub(crate) type Name = std::sync::Arc<str>;

thread_local! {
    /// Whose work this thread does, if a panic there is to end the process at once.
    static ENDS: Cell<Option<Name>> = const { Cell::new(None) };
}

/// Does work, a panic of which ends the process at once in the name of `ends`; none: somebody
/// catches it.
pub(crate) fn with<T>(ends: Option<Name>, work: impl FnOnce() -> T) -> T {
    struct Before(Option<Name>);
    impl Drop for Before {
        fn drop(&mut self) {
            let _ = ENDS.try_with(|now| now.set(self.0.take()));
        }
    }
    let _before = Before(ENDS.try_with(|now| now.replace(ends)).unwrap_or_default());
    work()
}

/// Whose work it is; nobody's from now on.
pub(crate) fn take() -> Option<Name> {
    ENDS.try_with(Cell::take).ok().flatten()
}
