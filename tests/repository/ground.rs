//! Locations, streams and programs that the tests share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use styrmin::backup::repository::{NewSnapshot, Repository, RepositoryError, Saved, Source};
use styrmin::backup::secrets::{S3Keys, Secrets};
use styrmin::domain::backup::{Location, LocationKind, S3Credentials, SecretSource};
use zeroize::Zeroizing;

pub const PASSWORD: &str = "correct horse";
pub const ACCESS: &str = "styrmin-access";
pub const SECRET: &str = "styrmin-secret-key";

fn location(kind: LocationKind) -> Location {
    Location {
        name: "nas".into(),
        kind,
        key: SecretSource::Environment { variable: "KEY".into() },
        repository: None,
        created: Timestamp::UNIX_EPOCH,
    }
}

pub fn directory(path: &Path) -> Location {
    location(LocationKind::Directory { path: path.to_owned() })
}

/// A bucket named `bucket` at an endpoint, all in `prefix`.
pub fn s3(endpoint: &str, prefix: &str, ca: Option<&Path>) -> Location {
    location(LocationKind::S3 {
        endpoint: endpoint.to_owned(),
        bucket: "bucket".into(),
        prefix: prefix.into(),
        region: "eu-central-1".into(),
        path_style: true,
        ca: ca.map(Path::to_owned),
        credentials: S3Credentials::Environment,
    })
}

pub fn secrets() -> Secrets {
    with_password(PASSWORD)
}

pub fn with_password(password: &str) -> Secrets {
    let text = |text: &str| Zeroizing::new(text.to_owned());
    let s3 = S3Keys { access_key_id: ACCESS.into(), secret_access_key: text(SECRET), session_token: None };
    Secrets { password: text(password), s3: Some(s3) }
}

pub async fn made(location: &Location) -> Repository {
    Repository::init(location, &secrets()).await.unwrap()
}

pub fn new(path: &str) -> NewSnapshot {
    NewSnapshot {
        host: "sandbox".into(),
        path: path.into(),
        tags: vec!["styrmin".into(), "backup:notes-1".into(), "part:db".into()],
        time: "2026-11-29T12:00:00Z".parse().unwrap(),
    }
}

pub async fn save(repository: &Repository, path: &str, source: Source) -> Result<Saved, RepositoryError> {
    repository.save(new(path), source, |_| {}).await
}

/// Bytes that look random, the same ones for the same seed.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn bytes(&mut self, length: usize) -> Bytes {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            bytes.extend_from_slice(&self.0.to_le_bytes());
        }
        bytes.truncate(length);
        bytes.into()
    }
}

pub fn noise(seed: u64, length: usize) -> Bytes {
    Noise::new(seed).bytes(length)
}

pub fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Reads a snapshot: how many bytes it has, and their digest.
pub async fn read(repository: &Repository, snapshot: &str) -> Result<(u64, String), RepositoryError> {
    let (size, mut stream) = repository.read(snapshot).await?;
    let mut hasher = Sha256::new();
    let mut length = 0;
    while let Some(bytes) = stream.next().await {
        let bytes = bytes?;
        length += bytes.len() as u64;
        hasher.update(&bytes);
    }
    assert_eq!(size, length);
    Ok((size, format!("{:x}", hasher.finalize())))
}

/// All files below a directory, relative to it.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let mut pending = vec![root.to_owned()];
    let mut found = Vec::new();
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// A program by its variable, or on the PATH.
pub fn program(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os(format!("STYRMIN_{}", name.to_uppercase())).filter(|path| !path.is_empty());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named.map(PathBuf::from).or_else(|| {
        std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file())
    });
    if found.is_none() {
        eprintln!("skipped: there is no {name} (.ci/backups {name} brings it)");
    }
    found
}

/// The public program on a repository.
pub struct Restic {
    program: PathBuf,
    address: String,
}

impl Restic {
    pub fn on(location: &Location) -> Option<Self> {
        Some(Self { program: program("restic")?, address: location.address() })
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command
            .args(["--no-cache", "-o", "s3.bucket-lookup=path", "-r", &self.address])
            .args(arguments)
            .env("RESTIC_PASSWORD", PASSWORD)
            .env("AWS_ACCESS_KEY_ID", ACCESS)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_DEFAULT_REGION", "eu-central-1");
        command.output().unwrap()
    }

    /// What it prints; it must succeed.
    pub fn prints(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "restic {arguments:?}: {told}");
        output.stdout
    }

    /// Lists, checks with all data, and dumps: all of it is as it was saved.
    pub fn agrees(&self, saved: &[(&str, &Saved)]) {
        let listed: serde_json::Value =
            serde_json::from_slice(&self.prints(&["snapshots", "--json"])).unwrap();
        let ids: Vec<&str> =
            listed.as_array().unwrap().iter().filter_map(|snapshot| snapshot["id"].as_str()).collect();
        self.prints(&["check", "--read-data"]);
        for (path, saved) in saved {
            assert!(ids.contains(&saved.snapshot.as_str()), "{ids:?}");
            let dumped = self.prints(&["dump", &saved.snapshot, path]);
            assert_eq!((dumped.len() as u64, sha256(&dumped)), (saved.bytes, saved.digest.clone()));
        }
    }
}
