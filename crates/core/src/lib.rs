//! Everything that decides, pure.
