use super::*;
use proptest::prelude::*;

/// An entry: its kind, its name, what it links to, its data.
type Entry<'a> = (u8, &'a str, &'a str, &'a [u8]);

/// An archive in GNU's format, as the crate `tar` writes it; names that it refuses are put in by hand.
fn archive(entries: &[Entry<'_>]) -> Bytes {
    let mut builder = tar::Builder::new(Vec::new());
    for (kind, name, link, data) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::new(*kind));
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        let long = name.len() > 100;
        header.as_mut_bytes()[..100].fill(0);
        let short = &name.as_bytes()[..name.len().min(100)];
        header.as_mut_bytes()[..short.len()].copy_from_slice(short);
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        if long {
            let mut extension = tar::Header::new_gnu();
            extension.as_mut_bytes()[..13].copy_from_slice(b"././@LongLink");
            extension.set_entry_type(tar::EntryType::GNULongName);
            extension.set_size(name.len() as u64 + 1);
            extension.set_cksum();
            let content = [name.as_bytes(), b"\0"].concat();
            builder.append(&extension, content.as_slice()).unwrap();
        }
        header.set_cksum();
        builder.append(&header, *data).unwrap();
    }
    builder.into_inner().unwrap().into()
}

fn walk(bytes: &Bytes, size: usize, choice: Choice) -> Result<(Vec<u8>, Walk), String> {
    let mut walk = Walk::new(choice);
    let mut out = Vec::new();
    for start in (0..bytes.len()).step_by(size) {
        walk.take(&bytes.slice(start..bytes.len().min(start + size)), &mut out)?;
    }
    Ok((out.concat(), walk))
}

fn names(bytes: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().unwrap();
    entries.map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned()).collect()
}

fn only(path: &str) -> Choice {
    Choice { path: Some(path.as_bytes().to_vec()), without_root: true }
}

#[test]
fn an_archive_passes_byte_by_byte_however_it_is_cut() {
    let long = "d/".repeat(90) + "file";
    let whole = archive(&[
        (b'5', "./", "", b""),
        (b'0', "./a", "", &[7; 1000]),
        (b'0', &long, "", b"x"),
        (b'2', "./s", "/etc", b""),
        (b'1', "./h", "./a", b""),
        (b'0', "./empty", "", b""),
    ]);
    for size in [1, 7, 511, 512, 513, 4096, whole.len()] {
        let (passed, walk) = walk(&whole, size, Choice::default()).unwrap();
        assert_eq!(passed, whole, "{size}");
        assert!(walk.is_whole());
        assert_eq!((walk.passed, walk.last.as_slice()), (6, b"empty".as_slice()));
    }
    let cut = walk(&whole.slice(..whole.len() - 1024), 100, Choice::default()).unwrap().1;
    assert!(!cut.is_whole(), "an archive without its end");
    assert!(walk(&Bytes::from(vec![b'x'; 600]), 600, Choice::default()).is_err());
}

#[test]
fn a_path_is_picked_with_what_is_below_it() {
    let whole = archive(&[
        (b'5', "./", "", b""),
        (b'0', "./ab", "", b"no"),
        (b'5', "./a/", "", b""),
        (b'0', "./a/one", "", &[1; 700]),
        (b'0', "./b/a", "", b"no"),
        (b'1', "./a/two", "./a/one", b""),
    ]);
    let (passed, walk_of_a) = walk(&whole, 100, only("a")).unwrap();
    assert_eq!(names(&passed), ["./a/", "./a/one", "./a/two"]);
    assert_eq!(walk_of_a.passed, 3);
    let nothing = walk(&whole, 100, only("c")).unwrap().1;
    assert_eq!((nothing.passed, nothing.is_whole()), (0, true));
    let why = walk(&whole, 100, only("a/two")).err().unwrap();
    assert!(why.contains("another name of a/one"), "{why}");
    let (passed, _) = walk(&whole, 100, Choice { path: None, without_root: true }).unwrap();
    assert_eq!(names(&passed).len(), 5);
}

#[test]
fn nothing_gets_out_of_the_volume() {
    let refused = |entries: &[Entry<'_>]| walk(&archive(entries), 512, Choice::default()).err().unwrap();
    assert!(refused(&[(b'0', "../x", "", b"")]).contains("leads out"));
    assert!(refused(&[(b'0', "./a/../../x", "", b"")]).contains("leads out"));
    assert!(refused(&[(b'0', "/etc/passwd", "", b"")]).contains("leads out"));
    assert!(refused(&[(b'1', "./x", "../y", b"")]).contains("outside"));
    assert!(refused(&[(b'2', "./x", "/etc", b""), (b'0', "x/passwd", "", b"")]).contains("symbolic link"));
    assert!(refused(&[(b'2', "x", "/etc", b""), (b'0', "./x//y/z", "", b"")]).contains("symbolic link"));
    // a link to the outside alone is data
    assert!(walk(&archive(&[(b'2', "./x", "/etc", b"")]), 512, Choice::default()).is_ok());
}

#[test]
fn names_of_pax_headers_count() {
    let records = records(b"28 GNU.sparse.name=a/sparse\n14 path=wrong\n20 size=12345678901\n");
    assert_eq!(records[0], (b"GNU.sparse.name".as_slice(), b"a/sparse".as_slice()));
    assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]), Some(1 << 32));
    assert_eq!(number(b"00000000010\0"), Some(8));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3000), size in 1usize..600) {
        drop(walk(&bytes.into(), size, Choice::default()));
    }
}
