//! What version resources say, in each shape that linkers give them, and beside another reader.

use std::cell::Cell;

use pelite::PeFile;
use pelite::resources::version_info::Visit;
use proptest::prelude::*;
use usher_pe::{PeFacts, READ_LIMIT_BYTES, facts, facts_of};
use usher_testing::windows::{Program, Version};

fn read(version: &Version) -> PeFacts {
    facts_of(&Program::of(version).bytes()).unwrap_or_default()
}

/// The strings of clang-format.exe, in their order.
fn clang_format() -> Version {
    Version {
        fixed: Some([23, 1, 5, 0]),
        ..Version::english(&[
            ("CompanyName", ""),
            ("FileDescription", ""),
            ("FileVersion", "23.1.5"),
            ("InternalName", "clang-format"),
            ("OriginalFilename", ""),
            ("ProductName", "clang"),
            ("ProductVersion", "23.1.5"),
        ])
    }
}

#[test]
fn an_empty_name_is_none_and_not_the_next_entry() {
    for ends_empty_strings in [false, true] {
        let found = read(&Version {
            ends_empty_strings,
            ..clang_format()
        });
        assert_eq!(found.original_name, None);
        assert_eq!(found.version.as_deref(), Some("23.1.5"));
    }
}

#[test]
fn the_original_name_and_version_are_read_of_programs_of_32_and_64_bits() {
    let version = Version::english(&[
        ("ProductVersion", "3.2.1"),
        ("OriginalFilename", "WinApp.exe"),
    ]);
    for is_64_bit in [true, false] {
        let program = Program {
            is_64_bit,
            ..Program::of(&version)
        };
        let found = facts_of(&program.bytes()).unwrap();
        assert_eq!(found.original_name.as_deref(), Some("WinApp.exe"));
        assert_eq!(found.version.as_deref(), Some("3.2.1"));
    }
}

#[test]
fn resources_are_found_by_the_data_directory_whatever_their_section_is_called() {
    let version = Version::english(&[("OriginalFilename", "app.exe")]);
    let program = Program {
        section: *b"UPX2\0\0\0\0",
        ..Program::of(&version)
    };
    let found = facts_of(&program.bytes()).unwrap();
    assert_eq!(found.original_name.as_deref(), Some("app.exe"));
}

#[test]
fn a_key_that_stands_in_a_value_is_no_key() {
    let found = read(&Version::english(&[
        ("Comments", "OriginalFilename"),
        ("OriginalFilename", "app.exe"),
    ]));
    assert_eq!(found.original_name.as_deref(), Some("app.exe"));
    let found = read(&Version::english(&[
        ("MyOriginalFilename", "other.exe"),
        ("FileVersion", "1.0"),
    ]));
    assert_eq!(found.original_name, None);
}

#[test]
fn of_several_languages_the_first_translation_is_believed_and_others_fill_gaps() {
    let german = (
        "040704B0",
        [("OriginalFilename", "programm.exe")].as_slice(),
    );
    let english = (
        "040904b0",
        [("OriginalFilename", "app.exe"), ("FileVersion", "1.0")].as_slice(),
    );
    let table = |(language, strings): (&str, &[(&str, &str)])| {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        (language.to_owned(), strings.iter().map(owned).collect())
    };
    let mut version = Version {
        tables: vec![table(english), table(german)],
        translations: vec![(0x0407, 0x04b0), (0x0409, 0x04b0)],
        ..Version::default()
    };
    let found = read(&version);
    assert_eq!(found.original_name.as_deref(), Some("programm.exe"));
    assert_eq!(found.version.as_deref(), Some("1.0"));
    version.translations = Vec::new();
    assert_eq!(read(&version).original_name.as_deref(), Some("app.exe"));
}

#[test]
fn of_several_resources_the_english_one_is_believed() {
    let block = |name| Version::english(&[("OriginalFilename", name)]).block();
    let program = Program {
        versions: vec![
            (0x0407, block("programm.exe")),
            (0x0409, block("app.exe")),
            (0x040c, block("appli.exe")),
        ],
        ..Program::of(&Version::default())
    };
    let found = facts_of(&program.bytes()).unwrap();
    assert_eq!(found.original_name.as_deref(), Some("app.exe"));
}

#[test]
fn the_version_is_the_fixed_one_if_no_string_says_it() {
    let version = Version {
        fixed: Some([4, 1, 0, 7]),
        ..Version::english(&[("FileVersion", ""), ("ProductVersion", "  ")])
    };
    assert_eq!(read(&version).version.as_deref(), Some("4.1.0.7"));
}

#[test]
fn what_cannot_be_shown_is_no_value() {
    let long = "x".repeat(261);
    for name in ["a\nb.exe", long.as_str(), "\u{1b}[2J"] {
        let found = read(&Version::english(&[("OriginalFilename", name)]));
        assert_eq!(found.original_name, None, "{name:?}");
    }
}

#[test]
fn what_is_no_pe_file_or_has_no_resources_is_none() {
    assert_eq!(facts_of(b"\x7fELF"), None);
    assert_eq!(facts_of(b""), None);
    assert_eq!(facts_of(b"MZ"), None);
    let mut file = Program::of(&clang_format()).bytes();
    let directories = 0x98 + 108;
    file[directories..directories + 4].copy_from_slice(&2_u32.to_le_bytes());
    assert_eq!(facts_of(&file), None);
}

/// A file that is as large as its offsets say, and whose directories lead back to themselves.
#[test]
fn no_more_is_read_than_is_stated() {
    let mut file = Program::of(&clang_format()).bytes();
    file[0x400..0x440].iter_mut().for_each(|byte| *byte |= 0x90);
    for fill in [0xff_u8, 0x90, 0x10, 0x80] {
        let asked = Cell::new(0);
        facts(|buffer, offset| {
            asked.set(asked.get() + buffer.len());
            buffer.fill(fill);
            if let Some(rest) = usize::try_from(offset).ok().and_then(|at| file.get(at..)) {
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
            }
            buffer.len()
        });
        assert!(asked.get() <= READ_LIMIT_BYTES, "{}", asked.get());
    }
}

/// The strings that the crate pelite reads, in its order.
#[derive(Default)]
struct Strings(Vec<(String, String)>);

impl<'a> Visit<'a> for Strings {
    fn string(&mut self, key: &'a [u16], value: &'a [u16]) {
        let text = |units: &[u16]| String::from_utf16(units).unwrap_or_default();
        self.0.push((text(key), text(value)));
    }
}

fn by_pelite(file: &[u8]) -> Option<Strings> {
    // It takes aligned bytes alone.
    let mut space = vec![0; file.len() + 8];
    let at = space.as_ptr().align_offset(8);
    let bytes = &mut space[at..at + file.len()];
    bytes.copy_from_slice(file);
    let mut strings = Strings::default();
    let resources = PeFile::from_bytes(&*bytes).ok()?.resources().ok()?;
    resources.version_info().ok()?.visit(&mut strings);
    Some(strings)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-zA-Z0-9. äß漢-]{0,40}"]
}

fn version() -> impl Strategy<Value = Version> {
    let key = prop_oneof![
        Just("OriginalFilename".to_owned()),
        Just("ProductVersion".to_owned()),
        Just("FileVersion".to_owned()),
        "[A-Za-z ]{1,20}",
    ];
    let strings = prop::collection::vec((key, text()), 0..12);
    (strings, any::<bool>()).prop_map(|(strings, ends_empty_strings)| Version {
        tables: vec![("040904B0".into(), strings)],
        ends_empty_strings,
        ..Version::default()
    })
}

proptest! {
    #[test]
    fn it_reads_what_another_reader_reads(version in version()) {
        let file = Program::of(&version).bytes();
        let found = facts_of(&file).unwrap();
        let theirs = by_pelite(&file).unwrap();
        let value = |key: &str| {
            let (_, value) = theirs.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
            let value = value.trim_end_matches('\0').trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        prop_assert_eq!(&found.original_name, &value("OriginalFilename"));
        let version = value("ProductVersion").or_else(|| value("FileVersion"));
        prop_assert_eq!(&found.version, &version);
    }

    #[test]
    fn any_bytes_are_answered(
        version in version(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        length in any::<prop::sample::Index>(),
    ) {
        let mut file = Program::of(&version).bytes();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        facts_of(&file);
        facts_of(&file[..length.index(file.len())]);
    }
}
