//! Volumes, and files: a tar archive through the `tar` of the container.
//!
//! Kept are modes, owners by number, times, links of both kinds, long and odd names; by GNU tar also holes, attributes and access lists. A
//! volume is restored as it was: what is not in the archive goes, except `lost+found`.

use std::io;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use super::archive::{Choice, Walk, inside};
use super::flow::exact;
use super::tool::{Feed, Heard, Tool, ask, pull, push, warning};
use super::watch::{End, Said};
use super::{Dumped, Incoming, Restored, Sink, StrategyError, Work};
use crate::domain::Problem;

/// What the `tar` of the container can, and who we are there: words.
const PROBE: &str = r#"command -v tar >/dev/null || { echo 'tar is not there' >&2; exit 127; }
if tar --version 2>/dev/null | grep -q 'GNU tar'; then echo gnu; fi
help=$(tar --help 2>&1)
for word in xattrs acls sort exclude numeric-owner; do case $help in *--$word*) echo $word ;; esac; done
if [ "$(id -u)" = 0 ]; then echo root; fi
if [ -O "$1" ]; then echo owner; fi
"#;

/// Files that the driver names: as they stand below the root. The sandbox puts that elsewhere, and says where.
const FILES: &str = r#"cd "${STYRMIN_ROOT:-/}" || exit 1
count=$1; shift
while [ "$count" -gt 0 ]; do
  file=$1; shift
  if [ -d "$file" ]; then file=$file/; fi
  set -- "$@" "$file"
  count=$((count - 1))
done
exec tar "$@"
"#;

/// Empties the directory (`$1`), then extracts. What `tar` leaves of its input is read all the same.
const REPLACE: &str = r#"directory=$1; shift
for entry in "$directory"/* "$directory"/.[!.]* "$directory"/..?*; do
  if [ "$entry" != "$directory/lost+found" ] && { [ -e "$entry" ] || [ -L "$entry" ]; }; then rm -rf -- "$entry" || exit 1; fi
done
tar "$@"; code=$?
cat >/dev/null
exit $code
"#;

/// Extracts over what is there, unless the way to the path (`$2`) goes through a symbolic link.
const INTO: &str = r#"way=$1 rest=$2; shift 2
while :; do
  case $rest in
    */*) way=$way/${rest%%/*}; rest=${rest#*/} ;;
    *) way=$way/$rest; rest= ;;
  esac
  if [ -L "$way" ] && [ -n "$rest" ]; then echo "$way is a symbolic link: what is behind it is left alone" >&2; exit 1; fi
  if [ -z "$rest" ]; then break; fi
done
tar "$@"; code=$?
cat >/dev/null
exit $code
"#;

/// Extracts the files that the driver names.
const BELOW_ROOT: &str = r#"cd "${STYRMIN_ROOT:-/}" || exit 1
tar "$@"; code=$?
cat >/dev/null
exit $code
"#;

/// What GNU tar says of files that changed while it read them, by its exit code.
const CHANGED: &[i32] = &[1];

/// What the `tar` of a container can.
struct Tar(Vec<String>);

impl Tar {
    async fn of(work: Work<'_>, directory: &str) -> Result<Self, StrategyError> {
        let words = ask(work, &Tool::script("tar", PROBE, &[directory])).await?;
        Ok(Self(words.split_whitespace().map(str::to_owned).collect()))
    }

    fn can(&self, word: &str) -> bool {
        self.0.iter().any(|known| known == word)
    }

    /// How it writes an archive: the same files give the same bytes.
    fn create(&self) -> Vec<&'static str> {
        let mut flags = vec!["--create", "--file=-"];
        if !self.can("gnu") {
            flags = vec!["-c", "-f", "-"];
        }
        if self.can("numeric-owner") {
            flags.push("--numeric-owner");
        }
        if self.can("gnu") {
            flags.extend(["--format=posix", "--sparse"]);
            flags.push("--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f");
            for (word, flag) in [("xattrs", "--xattrs"), ("acls", "--acls"), ("sort", "--sort=name")] {
                if self.can(word) {
                    flags.push(flag);
                }
            }
        }
        flags
    }

    /// How it extracts one.
    fn extract(&self) -> Vec<&'static str> {
        let mut flags = vec!["-x", "-p", "-f", "-"];
        if self.can("numeric-owner") {
            flags.push("--numeric-owner");
        }
        if self.can("gnu") {
            flags.push("--delay-directory-restore");
            if self.can("xattrs") {
                flags.extend(["--xattrs", "--xattrs-include=user.*", "--xattrs-include=security.capability"]);
            }
            if self.can("acls") {
                flags.push("--acls");
            }
        }
        flags
    }

    /// What it cannot keep.
    fn limits(&self, work: Work<'_>) -> Option<Problem> {
        (!self.can("gnu")).then(|| {
            Problem::new(
                format!("the tar of {} is not GNU's", work.place.name),
                "it keeps neither holes in files nor attributes and access lists, and it does not tell when a file changes while it is read",
                "where that matters, name a container or an image with GNU tar",
            )
        })
    }
}

fn sort(line: &str) -> Said {
    // it says that a leading / is removed, and nobody needs to know
    if line.contains("Removing leading `") { Said::Noise } else { Said::Complaint }
}

async fn write(work: Work<'_>, tar: &Tar, tool: Tool, sink: &mut impl Sink) -> Result<Dumped, StrategyError> {
    let forgiven = if work.place.component.backup_target.changing { CHANGED } else { &[] };
    let tool = Tool { end: End::Archive, sort, forgiven, ..tool };
    let heard = pull(work, &tool, sink).await?;
    let warnings = tar.limits(work).into_iter().chain(warning(&tool, work.place, heard.complaints)).collect();
    Ok(Dumped { bytes: heard.bytes, server: String::new(), items: heard.items, warnings })
}

/// Where the volume is.
fn directory(work: Work<'_>) -> Result<&str, StrategyError> {
    let missing = || {
        StrategyError::lasting(
            format!("no volume of {} is named", work.place.name),
            "the strategy disk works on one volume at a time",
            "name its volumes in the driver: backup: { kind: disk, volumes: [NAME] }",
        )
    };
    work.place.volume.as_ref().map(|(_, path)| path.as_str()).ok_or_else(missing)
}

pub(super) async fn dump(work: Work<'_>, sink: &mut impl Sink) -> Result<Dumped, StrategyError> {
    let directory = directory(work)?;
    let tar = Tar::of(work, directory).await?;
    let mut argv = vec!["tar"];
    argv.extend(tar.create());
    argv.extend(["-C", directory]);
    if tar.can("exclude") {
        argv.push("--exclude=./lost+found");
    }
    argv.push(".");
    let tool = Tool::program("tar", argv.into_iter().map(str::to_owned).collect());
    write(work, &tar, tool, sink).await
}

pub(super) async fn dump_files(work: Work<'_>, sink: &mut impl Sink) -> Result<Dumped, StrategyError> {
    let tar = Tar::of(work, "/").await?;
    let files = &work.place.component.backup_target.files;
    let count = files.len().to_string();
    let mut arguments = vec![count.as_str()];
    arguments.extend(files.iter().map(|file| file.trim_matches('/')));
    arguments.extend(tar.create());
    arguments.push("--");
    write(work, &tar, Tool::script("tar", FILES, &arguments), sink).await
}

/// Chooses what passes.
fn chosen<S>(choice: Choice, stream: S) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let path = choice.path.clone();
    let state = Some((Walk::new(choice), stream));
    let parts = stream::unfold(state, move |state| {
        let path = path.clone();
        async move {
            let (mut walk, mut stream) = state?;
            let fail = |why: String| Some((Err(io::Error::new(io::ErrorKind::InvalidData, why)), None));
            match stream.next().await {
                Some(Ok(bytes)) => {
                    let mut out = Vec::new();
                    match walk.take(&bytes, &mut out) {
                        Ok(()) => Some((Ok(out), Some((walk, stream)))),
                        Err(why) => fail(why),
                    }
                }
                Some(Err(error)) => Some((Err(error), None)),
                None if !walk.is_whole() => fail("the archive stops before its end".to_owned()),
                None if walk.passed == 0 && path.is_some() => {
                    let path = super::archive::shown(&path.unwrap_or_default());
                    fail(format!("there is nothing at {path} in it"))
                }
                None => None,
            }
        }
    });
    let flat = parts.flat_map(|next| match next {
        Ok(parts) => stream::iter(parts.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => stream::iter(vec![Err(error)]),
    });
    Box::pin(flat)
}

pub(super) async fn restore<S>(work: Work<'_>, incoming: Incoming<S>) -> Result<Restored, StrategyError>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let directory = directory(work)?;
    let tar = Tar::of(work, directory).await?;
    let path = incoming.path.as_deref().map(|path| checked(work, path)).transpose()?;
    let without_root = path.is_some() || !(tar.can("root") || tar.can("owner"));
    let mut arguments = vec![directory];
    let script = match &path {
        Some(path) => {
            arguments.push(path);
            INTO
        }
        None => REPLACE,
    };
    arguments.extend(tar.extract());
    arguments.extend(["-C", directory]);
    let tool = Tool { sort, ..Tool::script("tar", script, &arguments) };
    let choice = Choice { path: path.as_ref().map(|path| path.clone().into_bytes()), without_root };
    let heard = feed(work, &tool, choice, incoming).await?;
    let mut warnings: Vec<Problem> = warning(&tool, work.place, heard.complaints).into_iter().collect();
    if work.place.component.backup_target.one_of_many {
        warnings.push(Problem::new(
            format!("only the first pod's volume of {} was restored", work.place.name),
            "each of its pods has one of its own, and the others keep what they have",
            "delete the claims of the other pods, so that they copy the data anew",
        ));
    }
    Ok(Restored { bytes: heard.bytes, server: String::new(), warnings })
}

pub(super) async fn restore_files<S>(work: Work<'_>, incoming: Incoming<S>) -> Result<Restored, StrategyError>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let tar = Tar::of(work, "/").await?;
    let tool = Tool { sort, ..Tool::script("tar", BELOW_ROOT, &tar.extract()) };
    let choice = Choice { path: None, without_root: true };
    let heard = feed(work, &tool, choice, incoming).await?;
    let warnings = warning(&tool, work.place, heard.complaints).into_iter().collect();
    Ok(Restored { bytes: heard.bytes, server: String::new(), warnings })
}

async fn feed<S>(
    work: Work<'_>,
    tool: &Tool,
    choice: Choice,
    incoming: Incoming<S>,
) -> Result<Heard, StrategyError>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let size = (choice == Choice::default()).then_some(incoming.size);
    let stream = chosen(choice, exact(incoming.size, incoming.stream));
    push(work, tool, Feed { size, stream }).await
}

/// A path of a volume, relative to its root.
fn checked(work: Work<'_>, path: &str) -> Result<String, StrategyError> {
    let relative = path.trim_start_matches('/');
    let inside = inside(relative.as_bytes()).filter(|path| !path.is_empty());
    inside.and_then(|path| String::from_utf8(path).ok()).ok_or_else(|| {
        StrategyError::lasting(
            format!("'{path}' is no path of a volume of {}", work.place.name),
            "it is empty, or it leads out of the volume",
            "name a path relative to the volume's root, without '..'",
        )
    })
}
