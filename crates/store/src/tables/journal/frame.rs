//! How events and kept answers stand in a data file: each with its length and its form.
//!
//! A frame is four bytes of length, two bytes of form (both little-endian; the length counts what
//! follows it) and the value in postcard. A form is a number that grows whenever any event, any
//! answer or anything inside them changes; whoever changes one keeps the types of the form before
//! beside [`super::unframed`], and reads them there. What a frame holds beyond its value is an
//! error: a field that this version does not know must not be passed over in silence.
//!
//! A new kind of event at the end of all changes none of those before it. Then a frame is written
//! in the first form that has its kind, and the version before reads every frame whose kind it
//! knows. Form 2 is form 1 with `EntitlementDescribed`, form 3 is form 2 with `UnseatedProgram`.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The latest form; this version reads all forms up to it.
pub(crate) const FORM: u16 = 3;

const LENGTH_BYTES: usize = 4;
const FORM_BYTES: usize = 2;

/// Appends a frame of that form to `buffer`. After an error the buffer holds what was written until
/// then.
pub(crate) fn put<T: Serialize>(value: &T, form: u16, buffer: &mut Vec<u8>) -> Result<(), String> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; LENGTH_BYTES]);
    buffer.extend_from_slice(&form.to_le_bytes());
    let taken = std::mem::take(buffer);
    *buffer = postcard::to_extend(value, taken).map_err(|error| error.to_string())?;
    let length = buffer.len() - start - LENGTH_BYTES;
    let length = u32::try_from(length).map_err(|_| format!("it has {length} bytes"))?;
    let place = buffer.get_mut(start..start + LENGTH_BYTES);
    place
        .ok_or("the frame is gone")?
        .copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Reads the first frame; answers its value and the bytes after the frame.
pub(crate) fn take<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), String> {
    let short = || "it is cut short".to_owned();
    let (length, rest) = bytes
        .split_first_chunk::<LENGTH_BYTES>()
        .ok_or_else(short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| short())?;
    let (frame, behind) = rest.split_at_checked(length).ok_or_else(short)?;
    let (form, payload) = frame.split_first_chunk::<FORM_BYTES>().ok_or_else(short)?;
    let form = u16::from_le_bytes(*form);
    if !(1..=FORM).contains(&form) {
        return Err(format!(
            "its form is {form}, and this version reads forms up to {FORM}: a later version of \
             Usher wrote it"
        ));
    }
    let (value, left) = postcard::take_from_bytes(payload).map_err(|error| error.to_string())?;
    match left.len() {
        0 => Ok((value, behind)),
        left => Err(format!("{left} bytes are left over")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_back_whole_and_nothing_else_is_read_as_one() {
        let mut bytes = Vec::new();
        put(&(7_u32, "seven"), FORM, &mut bytes).unwrap();
        let end = bytes.len();
        put(&(8_u32, "eight"), FORM, &mut bytes).unwrap();
        let (first, rest): ((u32, String), _) = take(&bytes).unwrap();
        assert_eq!(first, (7, "seven".to_owned()));
        assert_eq!(rest, &bytes[end..]);
        for cut in 0..end {
            assert!(take::<(u32, String)>(&bytes[..cut]).is_err(), "{cut} bytes");
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_refused_and_so_is_a_form_of_later() {
        let mut longer = Vec::new();
        put(&(7_u32, "seven", 1_u8), FORM, &mut longer).unwrap();
        let why = take::<(u32, String)>(&longer).unwrap_err();
        assert_eq!(why, "1 bytes are left over");
        // The same field, missing: it does not read on in the frame behind.
        let mut shorter = Vec::new();
        put(&7_u32, FORM, &mut shorter).unwrap();
        put(&(8_u32, "eight"), FORM, &mut shorter).unwrap();
        assert!(take::<(u32, String)>(&shorter).is_err());
        let mut later = Vec::new();
        put(&7_u32, FORM, &mut later).unwrap();
        later[4] = u8::try_from(FORM + 1).unwrap();
        let why = take::<u32>(&later).unwrap_err();
        assert!(why.contains("a later version of Usher wrote it"), "{why}");
    }
}
