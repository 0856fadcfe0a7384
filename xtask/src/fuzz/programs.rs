//! The first inputs of the reader of version resources: small programs of Windows, each with another
//! shape of its resource. Texts of tests would never reach it, for it looks at headers first.

use usher_testing::windows::{Program, Version};

/// The files, in an order that stays.
pub(super) fn made() -> Vec<Vec<u8>> {
    let strings = [
        ("CompanyName", "Example"),
        ("FileVersion", "3.2.0"),
        ("OriginalFilename", "app.exe"),
        ("ProductVersion", "3.2.1"),
    ];
    let usual = Version::english(&strings);
    let empty = Version {
        ends_empty_strings: true,
        ..Version::english(&[("OriginalFilename", ""), ("ProductVersion", "1.0")])
    };
    let fixed = Version {
        fixed: Some([4, 1, 0, 7]),
        ..Version::english(&[("ProductVersion", "")])
    };
    let mut two_languages = Version::english(&strings);
    two_languages.tables.push((
        "040704B0".to_owned(),
        vec![("OriginalFilename".to_owned(), "programm.exe".to_owned())],
    ));
    two_languages.translations.push((0x0407, 0x04b0));
    let several = Program {
        versions: vec![(0x0407, usual.block()), (0x0409, fixed.block())],
        ..Program::of(&usual)
    };
    let of_32_bits = Program {
        is_64_bit: false,
        ..Program::of(&usual)
    };
    let packed = Program {
        section: *b"UPX2\0\0\0\0",
        ..Program::of(&usual)
    };
    let each = [&usual, &empty, &fixed, &two_languages].map(Program::of);
    each.iter()
        .chain([&several, &of_32_bits, &packed])
        .map(Program::bytes)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::INPUT_LIMIT_BYTES;

    #[test]
    fn each_program_differs_and_is_short_enough_to_be_changed() {
        let mut programs = made();
        let count = programs.len();
        programs.sort();
        programs.dedup();
        assert_eq!(programs.len(), count);
        for program in &programs {
            assert!(program.starts_with(b"MZ"));
            assert!(program.len() <= INPUT_LIMIT_BYTES as usize);
        }
    }
}
