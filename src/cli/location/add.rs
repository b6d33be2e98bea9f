//! `styrmin location add`.

use std::path::PathBuf;

use clap::Args;

use crate::app::backups::locations::{Ground, NewKey, VELERO_NAMESPACE, absolute, check_new, needs_cluster};
use crate::app::{self, Look};
use crate::cli::arguments::Place;
use crate::cli::driver::remark;
use crate::cli::ending::{Ending, Refusal, usage};
use crate::domain::backup::{Location, LocationKind, S3Credentials, SecretSource};
use crate::domain::{Clock, Problem, SystemClock};

/// Arguments of `location add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    key: Key,
    #[command(flatten)]
    place: Place,
}

/// Where it is.
#[derive(Debug, Args)]
struct Kind {
    /// A directory of the machine that the engine runs on
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present_any = ["s3_endpoint", "velero"],
        conflicts_with_all = ["s3_endpoint", "velero"]
    )]
    path: Option<PathBuf>,
    /// An S3-compatible service: https://s3.example.com
    #[arg(long, value_name = "URL", requires = "bucket", conflicts_with = "velero")]
    s3_endpoint: Option<String>,
    /// The bucket; it must exist
    #[arg(long, value_name = "NAME", requires = "s3_endpoint")]
    bucket: Option<String>,
    /// What the names of its objects begin with
    #[arg(
        long,
        value_name = "PREFIX",
        default_value = "",
        requires = "s3_endpoint",
        hide_default_value = true
    )]
    prefix: String,
    /// The region that requests are signed for
    #[arg(long, value_name = "NAME", default_value = "us-east-1")]
    region: String,
    /// The bucket stands in the path, not in the host name: most services of one's own want that
    #[arg(long, requires = "s3_endpoint")]
    path_style: bool,
    /// A PEM file with authorities to trust besides the system's
    #[arg(long, value_name = "FILE", requires = "s3_endpoint")]
    ca: Option<PathBuf>,
    /// Who asks: env (AWS_ACCESS_KEY_ID and so on of the engine's process), profile:NAME (of ~/.aws), or secret:NAMESPACE/NAME
    #[arg(long, value_name = "FROM", default_value = "env", value_parser = credentials)]
    credentials: S3Credentials,
    /// Velero makes the backups, and keeps them with keys of its own
    #[arg(long)]
    velero: bool,
    /// The namespace that Velero runs in
    #[arg(long, value_name = "NAMESPACE", default_value = VELERO_NAMESPACE, requires = "velero")]
    velero_namespace: String,
    /// The name of Velero's storage location; without it, its default one
    #[arg(long, value_name = "NAME", requires = "velero")]
    storage_location: Option<String>,
}

/// What it is encrypted with.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Key {
    /// The key is in this file of the engine's machine
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The key is in this variable of the engine's process
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// The key is in a Kubernetes Secret
    #[arg(long, value_name = "NAMESPACE/NAME/KEY", value_parser = secret)]
    key_secret: Option<SecretSource>,
    /// Keep the key that is made in a Secret of the cluster too, where an agent in a pod finds it
    #[arg(long)]
    key_in_cluster: bool,
}

fn credentials(text: &str) -> Result<S3Credentials, String> {
    let wrong = || "expected env, profile:NAME or secret:NAMESPACE/NAME".to_owned();
    match text.split_once(':') {
        None if text == "env" => Ok(S3Credentials::Environment),
        Some(("profile", profile)) if !profile.is_empty() => {
            Ok(S3Credentials::Profile { profile: profile.to_owned() })
        }
        Some(("secret", place)) => match place.split('/').collect::<Vec<_>>().as_slice() {
            [namespace, name] if !namespace.is_empty() && !name.is_empty() => {
                Ok(S3Credentials::Secret { namespace: (*namespace).into(), name: (*name).into() })
            }
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

fn secret(text: &str) -> Result<SecretSource, String> {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [namespace, name, key] if ![namespace, name, key].iter().any(|part| part.is_empty()) => {
            Ok(SecretSource::Secret {
                namespace: (*namespace).into(),
                name: (*name).into(),
                key: (*key).into(),
            })
        }
        _ => Err("expected NAMESPACE/NAME/KEY".to_owned()),
    }
}

impl Kind {
    fn read(self) -> Result<LocationKind, Refusal> {
        if self.velero {
            let (namespace, storage_location) = (self.velero_namespace, self.storage_location);
            return Ok(LocationKind::Velero { namespace, storage_location });
        }
        let Some(endpoint) = self.s3_endpoint else {
            let path = absolute(&self.path.unwrap_or_default())?;
            return Ok(LocationKind::Directory { path });
        };
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            let next = "write it with its scheme: https://s3.example.com";
            return Err(usage(format!("'{endpoint}' is no endpoint"), "it has no scheme", next));
        }
        if endpoint.contains('@') {
            let why = "it has credentials in it, which would be kept and shown";
            return Err(usage("The endpoint cannot be used", why, "give them with --credentials"));
        }
        Ok(LocationKind::S3 {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            bucket: self.bucket.unwrap_or_default(),
            prefix: self.prefix.trim_matches('/').to_owned(),
            region: self.region,
            path_style: self.path_style,
            ca: self.ca.map(|path| absolute(&path)).transpose()?,
            credentials: self.credentials,
        })
    }
}

impl Key {
    /// Whether anything is said of a key.
    fn is_given(&self) -> bool {
        self.key_file.is_some() || self.key_env.is_some() || self.key_secret.is_some() || self.key_in_cluster
    }

    /// The one that was given.
    fn given(&self) -> Result<Option<SecretSource>, Problem> {
        if let Some(path) = &self.key_file {
            return Ok(Some(SecretSource::File { path: absolute(path)? }));
        }
        let variable = self.key_env.clone().map(|variable| SecretSource::Environment { variable });
        Ok(variable.or_else(|| self.key_secret.clone()))
    }
}

pub(super) fn run(arguments: AddArguments) -> Result<Ending, Refusal> {
    let AddArguments { name, kind, key, place } = arguments;
    let options = place.into_options(Look::default());
    let (kind, mut given) = (kind.read()?, key.given()?);
    if matches!(kind, LocationKind::Velero { .. }) {
        if key.is_given() {
            let why = "Velero encrypts what it keeps with keys of its own";
            return Err(usage("The key cannot be used", why, "give none with --velero"));
        }
        given = Some(SecretSource::Unneeded);
    }
    app::block_on(async {
        // a key that is to be made is nowhere yet: it needs the cluster only where it is kept there
        let draft = Location {
            name: name.clone(),
            kind,
            key: given.clone().unwrap_or_else(|| SecretSource::File { path: PathBuf::new() }),
            repository: None,
            created: SystemClock.now(),
        };
        if draft.is_velero() {
            let ground = Ground::open(&options, |_| false).await?;
            return add_velero(&ground, &draft).await;
        }
        let ground = match key.key_in_cluster || needs_cluster(&draft) {
            true => Ground::connected(&options).await?,
            false => Ground::open(&options, |_| false).await?,
        };
        let done = add(&ground, draft, given, key.key_in_cluster).await;
        ground.close().await;
        done
    })
}

async fn add(
    ground: &Ground,
    draft: Location,
    given: Option<SecretSource>,
    in_cluster: bool,
) -> Result<Ending, Refusal> {
    check_new(&ground.store, &draft.name).await?;
    let made = match given {
        Some(_) => None,
        None => Some(ground.new_key(&draft.name, in_cluster).await?),
    };
    let key = made.as_ref().map_or_else(|| draft.key.clone(), |made| made.source.clone());
    let added = ground.add(Location { key, ..draft }).await;
    let (location, was_there) = match (added, &made) {
        (Ok(added), _) => added,
        (Err(problem), Some(made)) if made.made => {
            remark(&format!("the key that was made stays in {}: another try uses it", made.file.display()));
            return Err(problem.into());
        }
        (Err(problem), _) => return Err(problem.into()),
    };
    let what = if was_there { "its repository was there and is used" } else { "its repository was made" };
    remark(&format!("{} is added: {what}, in {}", location.name, location.address()));
    if let Some(made) = &made {
        tell_key(&location, made);
    }
    if was_there {
        remark(&format!(
            "to bring the backups in it into the catalogue: styrmin location scan {}",
            location.name
        ));
    }
    remark(&format!("to use it: styrmin location assign {} --environment ENVIRONMENT", location.name));
    Ok(Ending::Well)
}

/// Records what Velero keeps: there is nothing to be made.
async fn add_velero(ground: &Ground, draft: &Location) -> Result<Ending, Refusal> {
    check_new(&ground.store, &draft.name).await?;
    ground.add_velero(draft).await?;
    remark(&format!("{} is added: {}", draft.name, draft.address()));
    remark(&format!("to see whether Velero can write there: styrmin location check {}", draft.name));
    remark(&format!("to use it: styrmin location assign {} --environment ENVIRONMENT", draft.name));
    Ok(Ending::Well)
}

/// Says loudly where the key lies.
fn tell_key(location: &Location, made: &NewKey) {
    let file = made.file.display();
    remark("");
    remark(&match made.made {
        true => format!("!! THE KEY OF {} WAS MADE AND LIES IN {file}", location.name),
        false => format!("!! THE KEY OF {} IS THE ONE THAT LAY IN {file}", location.name),
    });
    if let SecretSource::Secret { namespace, name, .. } = &made.source {
        remark(&format!("!! and in Secret/{name} in {namespace}, where the engine reads it"));
    }
    remark("!! WITHOUT IT NOTHING IN THE LOCATION CAN BE RESTORED, BY NOBODY.");
    remark(&format!(
        "!! Keep a copy where this machine's end does not take it: styrmin location key {} --to FILE",
        location.name
    ));
    remark(&format!("!! With it, and without Styrmin: restic -r {} -p {file} snapshots", location.address()));
    remark("");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_secrets_are_is_read() {
        assert_eq!(credentials("env"), Ok(S3Credentials::Environment));
        assert_eq!(credentials("profile:eu"), Ok(S3Credentials::Profile { profile: "eu".into() }));
        let place = S3Credentials::Secret { namespace: "a".into(), name: "b".into() };
        assert_eq!(credentials("secret:a/b"), Ok(place));
        for wrong in ["", "environment", "profile:", "secret:a", "secret:a/b/c", "secret:/b"] {
            assert!(credentials(wrong).is_err(), "{wrong}");
        }
        let place = SecretSource::Secret { namespace: "a".into(), name: "b".into(), key: "c".into() };
        assert_eq!(secret("a/b/c"), Ok(place));
        assert!(secret("a/b").is_err() && secret("a//c").is_err());
    }
}
