use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An entry whose header says what it is told to, without any check.
fn entry(kind: EntryType, name: &str, size: u64, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn regular(name: &str, content: &[u8]) -> Vec<u8> {
    entry(EntryType::Regular, name, content.len() as u64, content)
}

fn unpacked(entries: &[Vec<u8>]) -> Result<Files, String> {
    let mut tape = entries.concat();
    tape.extend([0; 1024]);
    unpack(&zip(&tape), &mut Budget::new()).map_err(|error| error.to_string())
}

#[test]
fn the_first_directory_and_byte_order_marks_go() {
    let files = unpacked(&[
        entry(EntryType::Directory, "web/", 0, b""),
        regular("web/Chart.yaml", b"name: web"),
        regular("web/./templates//a.yaml", b"\xef\xbb\xbfa: 1"),
        regular("web\\conf\\b.ini", b"b"),
        regular("web/x/../c", b""),
        regular("web/old-directory/", b""),
    ])
    .unwrap();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["Chart.yaml", "c", "conf/b.ini", "templates/a.yaml"]);
    assert_eq!(&*files["templates/a.yaml"], b"a: 1");
}

#[test]
fn names_that_lead_out_are_refused() {
    let refused = |name: &str| unpacked(&[regular(name, b"x")]).unwrap_err();
    assert!(refused("web/../../etc/passwd").contains("parent directory"));
    assert!(refused("web/..").contains("parent directory"));
    assert!(refused("web/..data").contains("parent directory"));
    assert!(refused("web//etc/passwd").contains("absolute paths"));
    assert!(refused("web/c:/windows").contains("illegally named"));
    assert!(refused("web\\c:\\windows").contains("illegally named"));
    assert!(refused("Chart.yaml").contains("outside the base directory"));
    assert!(refused("web/.").contains("outside the base directory"));
}

#[test]
fn links_and_devices_are_refused() {
    for kind in [EntryType::Symlink, EntryType::Link] {
        assert!(unpacked(&[entry(kind, "web/a", 0, b"")]).unwrap_err().contains("a link"));
    }
    for kind in
        [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::GNUSparse, EntryType::new(b'Q')]
    {
        assert!(unpacked(&[entry(kind, "web/a", 0, b"")]).is_err(), "{kind:?}");
    }
}

#[test]
fn sizes_are_bounded() {
    let huge = unpacked(&[entry(EntryType::Regular, "web/a", FILE_LIMIT + 1, b"")]).unwrap_err();
    assert!(huge.contains("larger than the maximum file size"), "{huge}");
    let short = unpacked(&[entry(EntryType::Regular, "web/a", 4_000, b"few")]).unwrap_err();
    assert!(short.contains("cannot be read"), "{short}");
    let tape = zip(&[regular("web/a", b"123"), regular("web/b", b"456"), regular("web/c", b"")].concat());
    let within =
        |bytes, entries| unpack(&tape, &mut Budget::of(bytes, entries)).map_err(|error| error.to_string());
    assert_eq!(within(6, 3).unwrap().len(), 3);
    assert!(within(6, 2).unwrap_err().contains("files"));
    assert!(within(5, 3).unwrap_err().contains("larger than the maximum size"));
}

#[test]
fn charts_in_a_chart_share_its_budget() {
    let tape = zip(&regular("web/a", b"123"));
    let mut budget = Budget::of(5, 10);
    assert!(unpack(&tape, &mut budget).is_ok());
    assert!(unpack(&tape, &mut budget).is_err());
}

#[test]
fn what_comes_out_of_archives_in_a_chart_is_bounded_together() {
    // what no file is made of: the header of a directory that says that it has content
    let padded = |size: u64| {
        let padding = vec![0; usize::try_from(size).unwrap()];
        zip(&[entry(EntryType::Directory, "web/", size, &padding), regular("web/a", b"1")].concat())
    };
    let mut budget = Budget::of(100_000, 20);
    assert!(unpack(&padded(60_000), &mut budget).is_ok());
    assert!(unpack(&padded(60_000), &mut budget).is_ok());
    let refused = unpack(&padded(60_000), &mut budget).unwrap_err().to_string();
    assert!(refused.contains("larger than the maximum size"), "{refused}");
}

#[test]
fn names_are_not_long() {
    let named = |length: usize| {
        let name = format!("web/{}", "\u{1}".repeat(length - 4));
        let long = entry(EntryType::GNULongName, "././@LongLink", length as u64, name.as_bytes());
        unpacked(&[long, regular("web/a", b"")])
    };
    assert!(named(NAME_LIMIT).is_ok());
    assert_eq!(named(NAME_LIMIT + 1).unwrap_err(), "the name of a file is longer than 4096 bytes");
}

#[test]
fn a_bomb_without_end_is_cut_off() {
    // A long name that never ends: no file of it is ever counted.
    let name = entry(EntryType::GNULongName, "web/a", u64::from(u32::MAX), &vec![b'a'; 1 << 20]);
    let error = unpack(&zip(&name), &mut Budget::of(1_000, 10)).unwrap_err().to_string();
    assert!(error.contains("larger than the maximum size"), "{error}");
}

#[test]
fn what_is_no_archive_is_said_to_be_none() {
    let of = |bytes: &[u8]| unpack(bytes, &mut Budget::new()).unwrap_err().to_string();
    assert!(of(b"").contains("gzipped"));
    assert!(of(b"apiVersion: v2").contains("gzipped"));
    assert!(of(&zip(b"")).contains("no files"));
    assert!(of(&zip(&[7; 2_000])).contains("cannot be read"));
    let sound = zip(&regular("web/a", &[1; 3_000]));
    assert!(of(&sound[..sound.len() / 2]).contains("cannot be read"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = unpack(&bytes, &mut Budget::new());
        let _ = unpack(&zip(&bytes), &mut Budget::new());
    }

    #[test]
    fn broken_headers_never_panic_and_names_stay_inside(
        name in "[a./\\\\:]{1,40}",
        kind in any::<u8>(),
        size in any::<u64>(),
        damage in prop::collection::vec((0_usize..1_536, any::<u8>()), 0..4),
    ) {
        let mut tape = entry(EntryType::new(kind), &name, size % (1 << 33), &[65; 600]);
        tape.extend(regular("web/b", b"b"));
        for (place, byte) in damage {
            tape[place] = byte;
        }
        if let Ok(files) = unpack(&zip(&tape), &mut Budget::new()) {
            for path in files.keys() {
                prop_assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path}");
            }
        }
    }
}
