//! What is written is read, and nothing else.

use proptest::prelude::*;

use super::*;

fn header(tables: usize) -> Header {
    Header {
        usher: "0.0.0".to_owned(),
        schema: vec!["CREATE TABLE a".to_owned()],
        site_id: Some("5f1d".to_owned()),
        taken_ms: 7,
        epoch: 3,
        tables: (0..tables)
            .map(|number| TableHeader {
                name: format!("t{number}"),
                columns: vec!["one".to_owned()],
            })
            .collect(),
        sequences: Vec::new(),
    }
}

fn written(tables: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header(tables.len())).unwrap();
    for parts in tables {
        for part in parts {
            writer.add(part).unwrap();
        }
        writer.end_table().unwrap();
    }
    let (bytes, length) = writer.finish().unwrap();
    assert_eq!(bytes.len() as u64, length);
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, FrameError> {
    let (header, mut reader) = Reader::open(bytes)?;
    let mut tables = Vec::new();
    for table in &header.tables {
        let mut all = Vec::new();
        loop {
            match reader.next(&table.name)? {
                Next::Piece(piece) => all.extend_from_slice(piece),
                Next::End(end) => {
                    assert_eq!(end.bytes, all.len() as u64);
                    break;
                }
            }
        }
        tables.push(all);
    }
    reader.finish()?;
    Ok(tables)
}

fn any_tables() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    let part = prop::collection::vec(any::<u8>(), 0..200);
    prop::collection::vec(prop::collection::vec(part, 0..4), 0..4)
}

proptest! {
    #[test]
    fn what_was_written_is_read(tables in any_tables()) {
        let joined: Vec<Vec<u8>> = tables.iter().map(|parts| parts.concat()).collect();
        prop_assert_eq!(read(&written(&tables)).unwrap(), joined);
    }

    #[test]
    fn a_copy_that_is_cut_anywhere_is_refused(tables in any_tables(), at in any::<prop::sample::Index>()) {
        let bytes = written(&tables);
        let cut = &bytes[..at.index(bytes.len())];
        prop_assert!(read(cut).is_err());
    }

    #[test]
    fn a_copy_with_another_bit_anywhere_is_refused(
        tables in any_tables(),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let mut bytes = written(&tables);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read(&bytes).is_err());
        let mut behind_magic = written(&[])[..24].to_vec();
        behind_magic.extend(bytes);
        prop_assert!(read(&behind_magic).is_err());
    }
}

#[test]
fn a_table_longer_than_a_piece_comes_back_and_more_behind_the_end_is_refused() {
    let long = vec![b'x'; PIECE_LIMIT_BYTES * 2 + 5];
    let mut bytes = written(&[vec![long.clone()], vec![b"1\n2\n".to_vec()]]);
    assert_eq!(read(&bytes).unwrap(), [long, b"1\n2\n".to_vec()]);
    bytes.push(0);
    let why = read(&bytes).unwrap_err().to_string();
    assert_eq!(why, "what is behind its end cannot be read");
}
