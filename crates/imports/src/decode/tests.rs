//! Bytes in every encoding, cut anywhere.

use super::*;
use proptest::prelude::*;

fn lines(chunks: &[&[u8]]) -> Vec<(String, bool)> {
    let (mut decoder, mut all) = (Decoder::default(), Vec::new());
    let mut each = |line: Line<'_>| all.push((line.text.to_owned(), line.is_cut));
    for chunk in chunks {
        decoder.take(chunk, &mut each);
    }
    decoder.finish(&mut each);
    all
}

fn texts(bytes: &[u8]) -> Vec<String> {
    lines(&[bytes]).into_iter().map(|(text, _)| text).collect()
}

fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units
        .flat_map(|unit| match big_endian {
            true => unit.to_be_bytes(),
            false => unit.to_le_bytes(),
        })
        .collect()
}

#[test]
fn each_encoding_is_known_by_its_mark_or_line_by_line() {
    let expected = ["Jürgen", "", "😀"];
    let text = "Jürgen\r\n\n😀";
    assert_eq!(texts(text.as_bytes()), expected);
    assert_eq!(texts(format!("\u{feff}{text}").as_bytes()), expected);
    assert_eq!(texts(&utf16(text, true)), expected);
    assert_eq!(texts(&utf16(text, false)), expected);
    assert_eq!(texts(b"J\xFCrgen\nJ\xC3\xBCrgen"), ["Jürgen", "Jürgen"]);
}

#[test]
fn an_empty_file_has_no_line_and_an_end_of_a_line_begins_none() {
    assert!(texts(b"").is_empty());
    assert_eq!(texts(b"a\n"), ["a"]);
    assert_eq!(texts(b"\n"), [""]);
    assert_eq!(texts(b"\xEF\xBB\xBF"), Vec::<String>::new());
    assert_eq!(texts(b"\xFF\xFE"), Vec::<String>::new());
}

#[test]
fn nul_is_left_out_and_a_lone_half_of_a_letter_is_replaced() {
    assert_eq!(texts(b"a\0\0b\n"), ["ab"]);
    assert_eq!(texts(b"\xFF\xFEa\0\x00\xD8b\0"), ["a\u{fffd}b"]);
    assert_eq!(texts(b"\xFF\xFEa\0b"), ["a\u{fffd}"]);
}

#[test]
fn a_line_of_the_limit_is_whole_and_a_longer_one_is_cut() {
    let limit = "x".repeat(LINE_LIMIT_BYTES);
    let file = format!("{limit}\r\n{limit}y\nshort");
    let all = lines(&[file.as_bytes()]);
    let seen: Vec<(usize, bool)> = all.iter().map(|(text, cut)| (text.len(), *cut)).collect();
    assert_eq!(
        seen,
        [
            (LINE_LIMIT_BYTES, false),
            (LINE_LIMIT_BYTES, true),
            (5, false)
        ]
    );
    let wide = "ü".repeat(LINE_LIMIT_BYTES);
    let all = lines(&[wide.as_bytes()]);
    assert!(all[0].1 && all[0].0.chars().all(|letter| letter == 'ü'));
}

#[test]
fn a_line_that_is_cut_is_not_understood_and_the_next_is_read() {
    struct Shouts;
    impl Reader for Shouts {
        fn line(&mut self, line: &str, out: &mut Out<'_>) {
            match line {
                "yes" => out.understood(),
                _ => out.not_understood(line),
            }
        }
        fn end(&mut self, _: &mut Out<'_>) {}
    }
    let file = format!("{}\nyes\n", "x".repeat(LINE_LIMIT_BYTES * 3));
    let counts = read(&mut file.as_bytes(), &mut Shouts, &mut |_| {}).unwrap();
    assert_eq!((counts.lines, counts.understood), (2, 1));
    assert_eq!(counts.not_understood()[0].count, 1);
}

proptest! {
    #[test]
    fn how_bytes_are_cut_makes_no_difference(
        mark in prop_oneof![
            Just(&b""[..]), Just(&b"\xEF\xBB\xBF"[..]), Just(&b"\xFF\xFE"[..]), Just(&b"\xFE\xFF"[..])
        ],
        bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r'), Just(0), Just(0xD8), Just(0xDC)], 0..200
        ),
        cuts in proptest::collection::vec(0_usize..200, 0..6)
    ) {
        let whole: Vec<u8> = [mark, &bytes[..]].concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (*cut).min(whole.len())).collect();
        cuts.sort_unstable();
        let (mut chunks, mut from) = (Vec::new(), 0);
        for cut in cuts {
            chunks.push(&whole[from..cut]);
            from = cut;
        }
        chunks.push(&whole[from..]);
        prop_assert_eq!(lines(&chunks), lines(&[&whole[..]]));
    }

    #[test]
    fn text_comes_out_as_it_went_in(text in "[^\0\u{feff}]{0,60}") {
        // No mark is left out within, and the last line's end begins no line.
        let expected: Vec<String> = text.split('\n').map(|line| {
            line.strip_suffix('\r').unwrap_or(line).to_owned()
        }).collect();
        let expected = match text.is_empty() || text.ends_with('\n') {
            true => &expected[..expected.len() - 1],
            false => &expected[..],
        };
        prop_assert_eq!(texts(text.as_bytes()), expected);
        prop_assert_eq!(texts(&utf16(&text, false)), expected);
    }
}
