//! The files of a commit, read out of a bare repository: nothing is checked out, so no link is followed and no filter runs.

use std::collections::BTreeMap;
use std::path::Path;

use super::program::{Git, GitError};

/// What a file may have, in bytes: more than any driver takes, so that the driver's own limits tell which file it is.
const FILE_LIMIT: u64 = 5 << 20;
/// What all of them may have.
const TOTAL_LIMIT: u64 = 12 << 20;
/// How many there may be.
const COUNT_LIMIT: usize = 2_000;

/// A file of a commit.
#[derive(Debug, PartialEq, Eq)]
struct Blob {
    path: String,
    object: String,
    size: u64,
}

/// Reads the files below `directory` (empty: all of them), each by its path from there. Hidden ones are left out, but for
/// `.helmignore`.
///
/// # Errors
/// There is no such directory, something is neither a file nor a directory, or it is too much.
pub(super) async fn files(
    git: &Git,
    repository: &Path,
    commit: &str,
    directory: &str,
) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
    let tree = format!("{commit}:{directory}");
    let listed = git.run(repository, &["ls-tree", "-r", "-z", "-l", "--full-tree", &tree], b"").await?;
    if !listed.success {
        let why = format!("the commit {} has no directory '{directory}'", short(commit));
        let unfit = !directory.is_empty();
        return Err(if unfit { GitError::Unfit(why) } else { GitError::Failed(listed.messages) });
    }
    let blobs = parse(&listed.stdout).map_err(GitError::Unfit)?;
    let input: String = blobs.iter().map(|blob| format!("{}\n", blob.object)).collect();
    let bytes = git.run(repository, &["cat-file", "--batch"], input.as_bytes()).await?.must()?;
    contents(blobs, &bytes)
        .ok_or_else(|| GitError::Failed("git does not give the files of the commit".to_owned()))
}

/// What people call a commit.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// Reads `ls-tree -r -z -l`: `<mode> <type> <object> <size>\t<path>`, each with a zero at its end.
fn parse(listing: &[u8]) -> Result<Vec<Blob>, String> {
    let mut blobs: Vec<Blob> = Vec::new();
    let mut total = 0;
    for entry in listing.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
        let entry = String::from_utf8_lossy(entry);
        let Some((facts, path)) = entry.split_once('\t') else { return Err(format!("git lists '{entry}'")) };
        if is_hidden(path) {
            continue;
        }
        let facts: Vec<&str> = facts.split_whitespace().collect();
        let [mode, kind, object, size] = facts.as_slice() else { return Err(format!("git lists '{entry}'")) };
        match (*mode, *kind) {
            ("100644" | "100755" | "100664", "blob") => {}
            ("120000", _) => {
                return Err(format!(
                    "{path} is a symbolic link; put a copy of what it points at in its place"
                ));
            }
            ("160000", _) => {
                return Err(format!("{path} is a submodule; put its files in its place"));
            }
            _ => return Err(format!("{path} is neither a file nor a directory")),
        }
        if path.contains(char::REPLACEMENT_CHARACTER) {
            return Err(format!("the name of {path} is no UTF-8"));
        }
        let size = size.parse().map_err(|_| format!("git does not know the size of {path}"))?;
        if size > FILE_LIMIT {
            return Err(format!("{path} is larger than {FILE_LIMIT} bytes"));
        }
        total += size;
        if total > TOTAL_LIMIT || blobs.len() == COUNT_LIMIT {
            return Err(format!("the driver is larger than {TOTAL_LIMIT} bytes or {COUNT_LIMIT} files"));
        }
        blobs.push(Blob { path: path.to_owned(), object: (*object).to_owned(), size });
    }
    Ok(blobs)
}

fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.') && part != ".helmignore")
}

/// Reads `cat-file --batch`: `<object> blob <size>`, a line break, the bytes, a line break.
fn contents(blobs: Vec<Blob>, mut bytes: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for blob in blobs {
        let head = format!("{} blob {}\n", blob.object, blob.size);
        let size = usize::try_from(blob.size).ok()?;
        let rest = bytes.strip_prefix(head.as_bytes())?;
        files.insert(blob.path, rest.get(..size)?.to_vec());
        bytes = rest.get(size..)?.strip_prefix(b"\n")?;
    }
    bytes.is_empty().then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(entries: &[&str]) -> Vec<u8> {
        entries.iter().flat_map(|entry| [entry.as_bytes(), b"\0"].concat()).collect()
    }

    #[test]
    fn a_listing_is_read_and_its_traps_are_refused() {
        let sound = listing(&[
            "100644 blob aa       3\ta b.yml",
            "100755 blob bb 0\tx/y",
            "120000 blob cc 3\t.github/x",
        ]);
        let blobs = parse(&sound).unwrap();
        assert_eq!(blobs[0], Blob { path: "a b.yml".to_owned(), object: "aa".to_owned(), size: 3 });
        assert_eq!(blobs.len(), 2);
        for (entry, expected) in [
            ("120000 blob cc 11\tmanifests/a.yaml.j2", "symbolic link"),
            ("160000 commit cc -\tvendor", "submodule"),
            ("040000 tree cc -\td", "neither a file"),
            ("100644 blob cc 99999999\tbig", "larger than"),
            ("100644 blob cc -\ta", "does not know the size"),
            ("100644 blob\ta", "git lists"),
            ("nonsense", "git lists"),
        ] {
            let refused = parse(&listing(&[entry])).unwrap_err();
            assert!(refused.contains(expected), "{entry}: {refused}");
        }
        let many: Vec<String> = (0..=COUNT_LIMIT).map(|n| format!("100644 blob aa 0\tf{n}")).collect();
        assert!(parse(&listing(&many.iter().map(String::as_str).collect::<Vec<_>>())).is_err());
    }

    #[test]
    fn contents_are_told_apart_by_their_sizes() {
        let blobs = || parse(&listing(&["100644 blob aa 4\ta", "100644 blob bb 0\tb"])).unwrap();
        let files = contents(blobs(), b"aa blob 4\n\nbb\n\nbb blob 0\n\n").unwrap();
        assert_eq!((files["a"].as_slice(), files["b"].as_slice()), (b"\nbb\n".as_slice(), b"".as_slice()));
        for wrong in
            [b"aa missing\n".as_slice(), b"aa blob 4\nxx", b"aa blob 4\nxxxx\nbb blob 0\n\nmore", b""]
        {
            assert_eq!(contents(blobs(), wrong), None);
        }
    }
}
