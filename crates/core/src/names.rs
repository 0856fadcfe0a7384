//! How names are compared: in Unicode's composed form (NFC).
//!
//! A letter and its accent are one character or two, as a keyboard, a file system or a directory
//! writes them; nobody sees the difference. Whatever takes a name in composes it, and what is kept
//! is composed.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// The composed form of a text. A name may be longer in it, for few letters.
pub fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => Cow::Borrowed(text),
        false => ComposingNormalizerBorrowed::new_nfc().normalize(text),
    }
}
