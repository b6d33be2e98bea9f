//! `styrmin location …`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use bytes::Bytes;
use jiff::SignedDuration;
use styrmin::backup::manifest::Manifest;
use styrmin::backup::repository::{NewSnapshot, Repository, Source};
use styrmin::backup::secrets::resolve;
use styrmin::domain::DeploymentDraft;

use crate::home::{Home, backup, now};

/// Where the key of the vault lies.
const KEY: &str = ".config/styrmin/locations/vault.key";

/// Keeps a text in the vault for a backup, two days ago; gives the snapshot.
async fn keep(home: &Home, backup: &str, what: &str, text: impl Into<Bytes>) -> String {
    let location = home.store().location("vault").await.unwrap().unwrap().location;
    let repository = Repository::open(&location, &resolve(&location, None).await.unwrap()).await.unwrap();
    let new = NewSnapshot {
        host: "sandbox".into(),
        path: format!("/demo/{backup}/{}", what.replace(':', "-")),
        tags: vec!["styrmin".into(), format!("backup:{backup}"), what.into()],
        time: now() - SignedDuration::from_hours(48),
    };
    repository.save(new, Source::of(text), |_| {}).await.unwrap().snapshot
}

#[tokio::test]
async fn a_key_is_made_told_of_loudly_and_kept_from_others() {
    let home = Home::new().await;
    let added = home.run(&["location", "add", "vault", "--path", "vault"]);
    for said in ["THE KEY OF vault WAS MADE", KEY, "NOTHING IN THE LOCATION CAN BE RESTORED", "restic -r"] {
        assert!(added.error.contains(said), "'{said}' is not in:\n{}", added.error);
    }
    added.good();
    let key = fs::read_to_string(home.path(KEY)).unwrap();
    assert_eq!(fs::metadata(home.path(KEY)).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(key.trim().len() >= 43, "256 bits");
    let state = home.path(".local/state/styrmin");
    for file in fs::read_dir(state).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let bytes = fs::read(file.path()).unwrap();
        let found = bytes.windows(key.trim().len()).any(|window| window == key.trim().as_bytes());
        assert!(!found, "the key is in {}", file.path().display());
    }
    home.run(&["location", "add", "vault", "--path", "other"]).bad(1, &["vault exists already"]);
    home.run(&["location", "key", "vault", "--to", "copy.key"]).good();
    assert_eq!(fs::read_to_string(home.path("copy.key")).unwrap(), key);
    assert_eq!(fs::metadata(home.path("copy.key")).unwrap().permissions().mode() & 0o777, 0o600);
    home.run(&["location", "key", "vault", "--to", "copy.key"]).bad(1, &["copy.key", "does not exist"]);
    let listed = home.run(&["location", "list", "-o", "json"]).json();
    assert_eq!(listed[0]["location"]["name"], "vault");
    assert!(listed[0]["location"]["repository"].as_str().unwrap().len() == 64);
    assert!(!listed.to_string().contains(key.trim()));
    assert!(home.run(&["location", "check", "vault"]).good().contains("nothing is wrong"));
}

#[tokio::test]
async fn a_repository_that_is_there_opens_with_its_key_only() {
    let home = Home::new().await;
    home.with_vault(&[]);
    home.run(&["location", "add", "other", "--path", "vault"])
        .bad(1, &["made with another key", "--key-file"]);
    home.run(&["location", "add", "third", "--path", "vault", "--key-env", "RESTIC_KEY"])
        .bad(1, &["made with another key"]);
    let again = home.run(&["location", "add", "again", "--path", "vault", "--key-file", KEY]);
    assert!(again.error.contains("its repository was there"), "{}", again.error);
    again.good();
    // removed and added again: the key that lies there is used
    home.run(&["location", "remove", "vault"]).good();
    let added = home.run(&["location", "add", "vault", "--path", "vault"]);
    assert!(added.error.contains("IS THE ONE THAT LAY IN"), "{}", added.error);
    added.good();
    home.run(&["location", "add", "env", "--path", "env", "--key-env", "RESTIC_KEY"]).good();
    home.run(&["location", "add", "none", "--path", "none", "--key-env", "NO_SUCH"])
        .bad(1, &["NO_SUCH is not set"]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let home = Home::new().await;
    home.run(&["location", "add", "Vault_1", "--path", "vault"]).bad(1, &["lower-case"]);
    home.run(&["location", "add", "vault"]).bad(2, &["--path"]);
    home.run(&["location", "add", "vault", "--s3-endpoint", "https://s3.example.com"]).bad(2, &["--bucket"]);
    let with = |endpoint| home.run(&["location", "add", "vault", "--s3-endpoint", endpoint, "--bucket", "b"]);
    with("s3.example.com").bad(2, &["no scheme"]);
    with("https://key:secret@s3.example.com").bad(2, &["credentials"]);
    with("http://127.0.0.1:1").bad(1, &["AWS_ACCESS_KEY_ID"]);
    home.run(&["location", "check", "valut"]).bad(1, &["There is no location valut"]);
    assert!(home.run(&["location", "list", "-o", "json"]).json().as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_environment_has_a_location_and_it_is_not_removed_under_it() {
    let home = Home::new().await;
    home.with_vault(&["demo"]);
    home.run(&["location", "assign", "vault", "--environment", "dmeo"]).bad(2, &["demo on sandbox"]);
    let listed = home.run(&["location", "list", "-o", "json"]).json();
    assert_eq!(listed[0]["environments"], serde_json::json!(["demo"]));
    home.run(&["location", "remove", "vault"]).bad(1, &["demo is backed up to it"]);
}

#[tokio::test]
async fn a_lost_catalogue_is_rebuilt_and_damage_is_found() {
    let home = Home::new().await;
    home.with_vault(&["demo"]);
    let mut one = backup("notes-1", 48);
    one.parts[0].snapshot = keep(&home, "notes-1", "part:db", vec![7; 100_000]).await;
    let manifest =
        Manifest::new(one.clone(), "uid".into(), DeploymentDraft::default(), serde_json::Value::Null);
    one.manifest = Some(keep(&home, "notes-1", "manifest", manifest.write().unwrap()).await);
    let orphan = keep(&home, "notes-2", "part:db", "half").await;
    assert!(home.run(&["backup", "list", "-o", "json"]).json().as_array().unwrap().is_empty());
    let scanned = home.run(&["location", "scan", "vault", "-o", "json"]).json();
    assert_eq!((&scanned["found"][0]["id"], &scanned["known"]), (&"notes-1".into(), &0.into()));
    let again = home.run(&["location", "scan", "vault", "-o", "json"]).json();
    assert_eq!((again["found"].as_array().unwrap().len(), &again["known"]), (0, &1.into()));
    assert!(home.run(&["backup", "list"]).good().contains("notes-1"));
    assert_eq!(home.store().backup(&one.id).await.unwrap().unwrap(), one);
    // both ways
    let swept = home.run(&["location", "sweep", "vault", "-o", "json"]).json();
    assert_eq!(swept["orphans"][0]["snapshot"], orphan.as_str());
    assert_eq!(swept["losses"], serde_json::json!([]));
    // the pack with the data goes
    let packs = walk(&home.path("vault/data"));
    let largest = packs.iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    fs::remove_file(largest).unwrap();
    let checked = home.run(&["location", "check", "vault"]);
    assert_eq!(checked.code, 1, "{}", checked.error);
    let name = largest.file_name().unwrap().to_str().unwrap();
    assert!(checked.out.contains(name), "{}", checked.out);
    assert!(home.run(&["location", "list"]).good().contains("vault is damaged"));
    // a snapshot goes
    fs::remove_file(home.path("vault/snapshots").join(&one.parts[0].snapshot)).unwrap();
    let swept = home.run(&["location", "sweep", "vault"]);
    assert_eq!(swept.code, 1);
    assert!(swept.out.contains("gone of notes-1: db"), "{}", swept.out);
    assert!(home.run(&["backup", "list"]).good().contains("Damaged"));
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
