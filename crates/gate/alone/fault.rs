//! A fault on demand: at SIGUSR1 the process loops in its own code and never comes back.

#![allow(unsafe_code)]

/// To be called first of all.
pub(crate) fn arm() {
    // SAFETY: the handler takes no lock, no memory and nothing of the process that it interrupts; it
    // does not return.
    unsafe {
        libc::signal(
            libc::SIGUSR1,
            loop_for_ever as *const () as libc::sighandler_t,
        );
    }
}

extern "C" fn loop_for_ever(_signal: libc::c_int) {
    loop {
        std::hint::spin_loop();
    }
}
