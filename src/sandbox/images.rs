//! The images that the sandbox knows: what runs as a real process behind a container.
//!
//! | image | commands | what it is |
//! |---|---|---|
//! | `styrmin/notes-web:{1.0.0,1.1.0,1.2.0-broken}` | `notes-web`, `notes-web migrate` | the front of the demo application |
//! | `styrmin/notes-db:{1.0.0,1.1.0}` | `notes-db`, `notes-db dump`, `restore`, `stat` … | its database |
//! | `styrmin/host:1` | the host's own programs | for jobs and tests; has no entrypoint |
//! | `postgres:*`, `mariadb:*` | `docker-entrypoint.sh` and the host's programs | the host's own server, where it has one |
//! | `traefik:*` | `traefik` | the host's own Traefik (`STYRMIN_TRAEFIK`, or on the PATH), where it has one |
//!
//! Each command is a hidden subcommand of this binary: `styrmin image notes-web --version 1.0.0 …`. Any other argv is looked
//! up on the host's PATH and runs under `styrmin image shim -- …`, which ends it when the sandbox is gone. A registry prefix
//! (`docker.io/styrmin/notes-web:1.0.0`) makes no difference. Everything else is not known, and is simulated.

mod database;
mod host;
mod http;
mod lifeline;
mod notes_db;
mod notes_web;
mod resolve;
pub(crate) mod session;
mod shim;
mod traefik;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use host::Programs;

/// An image of the table above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownImage {
    /// `styrmin/notes-web`.
    pub name: &'static str,
    /// `1.0.0`.
    pub tag: &'static str,
    entrypoint: &'static [&'static str],
    /// The arguments where the container gives none.
    arguments: &'static [&'static str],
    commands: &'static [&'static str],
}

/// What an image reference means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// It runs as a real process.
    Known(KnownImage),
    /// The name is known, the tag does not exist: pulling it fails, as it would from a registry.
    NoSuchTag,
    /// Nothing is known about it: it is simulated.
    Unknown,
}

const TAGS: [(&str, &[&str]); 3] = [
    ("styrmin/notes-web", &["1.0.0", "1.1.0", "1.2.0-broken"]),
    ("styrmin/notes-db", &["1.0.0", "1.1.0"]),
    ("styrmin/host", &["1"]),
];

/// Looks an image reference up.
pub fn find(reference: &str) -> Image {
    let (name, tag) = split_reference(reference);
    if let Some(server) = server(name) {
        return server;
    }
    let Some((name, tags)) = TAGS.iter().find(|(known, _)| *known == name) else { return Image::Unknown };
    let Some(tag) = tags.iter().find(|known| **known == tag) else { return Image::NoSuchTag };
    let commands: &'static [&'static str] = match *name {
        "styrmin/notes-web" => &["notes-web"],
        "styrmin/notes-db" => &["notes-db"],
        _ => &[],
    };
    Image::Known(KnownImage { name, tag, entrypoint: commands, arguments: &[], commands })
}

/// The image of a server of the Docker library, whatever its tag: the host has one version.
fn server(name: &str) -> Option<Image> {
    let name = name.strip_prefix("library/").unwrap_or(name);
    let (name, arguments, commands): (_, &[&str], &[&str]) = match name {
        "postgres" => ("postgres", &["postgres"], &["docker-entrypoint.sh", "postgres"]),
        "mariadb" => ("mariadb", &["mariadbd"], &["docker-entrypoint.sh", "mariadbd"]),
        "traefik" => ("traefik", &["traefik"], &["entrypoint.sh", "traefik"]),
        _ => return None,
    };
    let entrypoint = &commands[..1];
    let known = KnownImage { name, tag: "", entrypoint, arguments, commands };
    Some(if programs(name).is_some() { Image::Known(known) } else { Image::Unknown })
}

/// The host's programs behind the image of a server.
fn programs(name: &str) -> Option<&'static Programs> {
    if name == traefik::NAME { traefik::find() } else { database::find(name) }
}

/// What is wrong with an image reference; `None` when it can be read.
pub fn malformed(reference: &str) -> Option<&'static str> {
    let (name, _) = reference.split_once('@').unwrap_or((reference, ""));
    let (path, tag) = split_reference(name);
    let good =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-/".contains(letter);
    if path.chars().any(|letter| letter.is_ascii_uppercase()) {
        return Some("invalid reference format: repository name must be lowercase");
    }
    let tagged = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let wrong = path.split('/').any(str::is_empty) || !path.chars().all(good);
    (wrong || tag.is_empty() || tag.len() > 128 || !tag.chars().all(tagged))
        .then_some("invalid reference format")
}

/// `docker.io/styrmin/notes-web:1.0.0` → (`styrmin/notes-web`, `1.0.0`). No tag is `latest`; a digest is never known.
fn split_reference(reference: &str) -> (&str, &str) {
    let path = match reference.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
        _ => reference,
    };
    path.rsplit_once(':').unwrap_or((path, "latest"))
}

impl KnownImage {
    /// The container's argv: Kubernetes' rule for `command` and `args` over the image's entrypoint. Empty when there is none.
    pub fn argv(&self, command: &[String], arguments: &[String]) -> Vec<String> {
        let entrypoint: Vec<String> = if command.is_empty() {
            self.entrypoint.iter().map(|&word| word.to_owned()).collect()
        } else {
            command.to_vec()
        };
        let own = command.is_empty() && arguments.is_empty();
        let own = self.arguments.iter().filter(|_| own).map(|&word| word.to_owned());
        entrypoint.into_iter().chain(arguments.iter().cloned()).chain(own).collect()
    }

    /// What runs instead, where that is another version than the image says.
    pub fn instead(&self) -> Option<String> {
        let found = programs(self.name)?;
        Some(format!("the {} {} of this machine", self.name, found.version))
    }

    /// The variables that a container has from its image, on its address.
    pub fn variables(&self, address: &str) -> Vec<(&'static str, String)> {
        match self.name {
            "postgres" => {
                vec![("PGHOST", database::postgres::socket(address)), ("PGPORT", "5432".to_owned())]
            }
            traefik::NAME => traefik::variables(),
            _ => Vec::new(),
        }
    }

    /// The directory that comes first on a container's PATH, after its own commands.
    pub fn programs(&self) -> Option<&'static Path> {
        programs(self.name).map(|found| found.directory.as_path())
    }

    /// Whether its programs listen on the pod's address instead of the machine's: what a command line calls localhost is the pod.
    pub fn is_at_home(&self) -> bool {
        programs(self.name).is_some()
    }

    /// The image's own commands.
    pub fn commands(&self) -> &'static [&'static str] {
        self.commands
    }

    /// The arguments with which the styrmin binary runs `argv` in this image.
    pub fn launch(&self, argv: &[String]) -> Vec<String> {
        let (first, rest) = argv.split_first().map_or(("", [].as_slice()), |(a, b)| (a.as_str(), b));
        let command = Path::new(first).file_name().and_then(|name| name.to_str()).unwrap_or(first);
        let mut words = vec!["image".to_owned()];
        if self.is_at_home() && self.commands.contains(&command) {
            words.push(self.name.to_owned());
            // as the entrypoint does: options alone are the server's
            let rest = if self.entrypoint.contains(&command) { rest } else { argv };
            match rest.first() {
                Some(first) if !first.starts_with('-') && !self.commands.contains(&first.as_str()) => {
                    return ["image", "shim", "--"]
                        .map(str::to_owned)
                        .into_iter()
                        .chain(rest.iter().cloned())
                        .collect();
                }
                Some(first) if self.commands.contains(&first.as_str()) => {
                    words.extend(rest[1..].iter().cloned())
                }
                _ => words.extend(rest.iter().cloned()),
            }
        } else if self.commands.contains(&command) {
            words.extend([command.to_owned(), "--version".to_owned(), self.tag.to_owned()]);
            words.extend(rest.iter().cloned());
        } else {
            words.extend(["shim".to_owned(), "--".to_owned()]);
            words.extend(argv.iter().cloned());
        }
        words
    }

    /// Whether `program` (argv\[0\]) is one of the image's own commands.
    pub fn has_command(&self, program: &str) -> bool {
        Path::new(program)
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|n| self.commands.contains(&n))
    }
}

/// Runs `styrmin image <arguments>`: a process of a container. Sets up neither terminal nor logging; returns its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<String> = arguments.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Err(why) = lifeline::hold() {
        complain(&why);
        return ExitCode::from(1);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return ExitCode::from(1);
        }
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let code = match words.as_slice() {
        ["shim", "--", argv @ ..] => runtime.block_on(shim::run(argv)),
        ["notes-web", "--version", version, rest @ ..] => runtime.block_on(notes_web::run(version, rest)),
        ["notes-db", "--version", version, rest @ ..] => runtime.block_on(notes_db::run(version, rest)),
        // the script on the container's PATH hands over what it was given
        ["postgres", "postgres", rest @ ..] | ["postgres", rest @ ..] => {
            runtime.block_on(database::postgres::run(rest))
        }
        ["mariadb", "mariadbd", rest @ ..] | ["mariadb", rest @ ..] => {
            runtime.block_on(database::mariadb::run(rest))
        }
        ["traefik", "traefik", rest @ ..] | ["traefik", rest @ ..] => runtime.block_on(traefik::run(rest)),
        _ => {
            complain(&format!("styrmin image: unknown command {words:?}; this is for the sandbox's own use"));
            64
        }
    };
    ExitCode::from(code)
}

/// One line on standard output. A closed pipe is nobody's problem.
fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").ok();
}

/// One line on standard error.
fn complain(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}

/// The machine's time: these processes are applications, not part of the sandbox's machinery.
#[expect(
    clippy::disallowed_methods,
    reason = "a demo application reads the machine's clock, as applications do"
)]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn known(reference: &str) -> KnownImage {
        match find(reference) {
            Image::Known(image) => image,
            other => panic!("{reference}: {other:?}"),
        }
    }

    #[test]
    fn references_are_looked_up() {
        assert_eq!(known("styrmin/notes-web:1.1.0").tag, "1.1.0");
        assert_eq!(known("docker.io/styrmin/notes-db:1.0.0").name, "styrmin/notes-db");
        assert_eq!(known("localhost:5000/styrmin/notes-db:1.0.0").name, "styrmin/notes-db");
        assert_eq!(find("styrmin/notes-web"), Image::NoSuchTag);
        assert_eq!(find("styrmin/notes-db:1.2.0-broken"), Image::NoSuchTag);
        for unknown in ["nginx", "nginx:1.27", "evil/styrmin/notes-db:1.0.0", ""] {
            assert_eq!(find(unknown), Image::Unknown, "{unknown}");
        }
    }

    #[test]
    fn references_that_cannot_be_read_are_refused() {
        let digest = format!("quay.io:443/a/b-c_d:V1.2@sha256:{}", "0".repeat(64));
        for good in ["nginx", "nginx:1.27", "localhost:5000/a/b:latest", digest.as_str()] {
            assert_eq!(malformed(good), None, "{good}");
        }
        assert_eq!(malformed("Nginx"), Some("invalid reference format: repository name must be lowercase"));
        for bad in ["nginx:", "a//b", "a b", "nginx:1:2", "/a", ""] {
            assert_eq!(malformed(bad), Some("invalid reference format"), "{bad}");
        }
    }

    #[test]
    fn command_replaces_the_entrypoint_and_args_follow_it() {
        let image = known("styrmin/notes-db:1.0.0");
        assert_eq!(image.argv(&[], &[]), ["notes-db"]);
        assert_eq!(image.argv(&[], &words("stat")), ["notes-db", "stat"]);
        assert_eq!(image.argv(&words("sh -c"), &words("true")), ["sh", "-c", "true"]);
        assert!(known("styrmin/host:1").argv(&[], &[]).is_empty());
    }

    #[test]
    fn own_commands_are_subcommands_and_others_go_through_the_shim() {
        let image = known("styrmin/notes-web:1.1.0");
        assert_eq!(
            image.launch(&words("notes-web migrate")),
            words("image notes-web --version 1.1.0 migrate")
        );
        assert_eq!(
            image.launch(&words("/usr/local/bin/notes-web")),
            words("image notes-web --version 1.1.0")
        );
        assert_eq!(image.launch(&words("sleep 5")), words("image shim -- sleep 5"));
    }
}
