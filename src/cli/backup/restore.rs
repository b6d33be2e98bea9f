//! `styrmin backup restore`.

use clap::Args;

use crate::app::backups::{draft_of, named};
use crate::cli::carry::{Carry, Job};
use crate::cli::ending::{Ending, Refusal, usage};
use crate::domain::backup::{Backup, RestorePath, RestoreRequest};
use crate::domain::{DeploymentDraft, Intent, Problem};

/// Arguments of `backup restore`.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// The backup
    #[arg(value_name = "BACKUP")]
    backup: String,
    /// Restore into this application [default: the one that it is of]; one that does not exist is deployed as it was
    #[arg(long, value_name = "ENVIRONMENT/APPLICATION", value_parser = target)]
    to: Option<(String, String)>,
    /// Only this component (repeatable)
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<String>,
    /// Only this path of a volume: what else is on it stays as it is
    #[arg(long, value_name = "COMPONENT/VOLUME:PATH", value_parser = path, conflicts_with = "components")]
    path: Option<RestorePath>,
    /// Do not back up what is there now
    #[arg(long)]
    no_safety_backup: bool,
    #[command(flatten)]
    carry: Carry,
}

/// `ENVIRONMENT/APPLICATION`.
fn target(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((environment, name)) if !environment.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok((environment.to_owned(), name.to_owned()))
        }
        _ => Err("expected ENVIRONMENT/APPLICATION".to_owned()),
    }
}

/// `COMPONENT/VOLUME:PATH`.
fn path(text: &str) -> Result<RestorePath, String> {
    let parts = text.split_once(':').and_then(|(place, path)| Some((place.split_once('/')?, path)));
    let Some(((component, volume), path)) = parts else {
        return Err("expected COMPONENT/VOLUME:PATH".to_owned());
    };
    let path = path.trim_matches('/');
    if component.is_empty() || volume.is_empty() || path.is_empty() {
        return Err("expected COMPONENT/VOLUME:PATH".to_owned());
    }
    if path.split('/').any(|name| name == ".." || name == ".") {
        return Err("the path must stay on the volume: no . and no ..".to_owned());
    }
    Ok(RestorePath { component: component.to_owned(), volume: volume.to_owned(), path: path.to_owned() })
}

pub(super) fn run(arguments: RestoreArguments) -> Result<Ending, Refusal> {
    let RestoreArguments { backup: id, to, components, path, no_safety_backup, carry } = arguments;
    carry.out(async |session| {
        let backup = named(&session.store, &id).await?;
        check(&backup, &components, path.as_ref())?;
        let (environment, name) =
            to.unwrap_or_else(|| (backup.source.environment.clone(), backup.source.application.clone()));
        let about = format!("{name} in {environment}");
        let cluster = session.cluster.name();
        let found =
            session.store.find_deployment(cluster, &environment, &name).await.map_err(Problem::from)?;
        if let Some(deployment) = found {
            let safety_backup = !no_safety_backup;
            let request = RestoreRequest { backup: backup.id, components, path, safety_backup };
            return Ok(vec![Job::new(about, Intent::Restore(deployment.id, request))]);
        }
        if !components.is_empty() || path.is_some() {
            let why = format!("{name} does not exist in {environment}, and a new one needs all of its data");
            return Err(usage(
                "A part cannot be restored there",
                why,
                "restore all of it, or deploy it first",
            ));
        }
        let draft = draft_of(session, &backup).await?;
        let draft = DeploymentDraft { name, environment, ..draft };
        Ok(vec![Job::new(about, Intent::DeployFrom(draft, backup.id))])
    })
}

/// Whether the backup has what is wanted of it.
fn check(backup: &Backup, components: &[String], path: Option<&RestorePath>) -> Result<(), Refusal> {
    let has = || {
        let parts = backup.parts.iter().map(|part| match &part.volume {
            Some(volume) => format!("{}/{volume}", part.component),
            None => part.component.clone(),
        });
        format!("it has {}", parts.collect::<Vec<_>>().join(", "))
    };
    for name in components {
        if backup.parts.iter().all(|part| part.component != *name) {
            let what = format!("The backup has no component {name}");
            return Err(usage(what, has(), "name one of those"));
        }
    }
    if let Some(path) = path
        && !backup.parts.iter().any(|part| {
            part.component == path.component && part.volume.as_deref() == Some(path.volume.as_str())
        })
    {
        let what = format!("The backup has no volume {}/{}", path.component, path.volume);
        return Err(usage(what, has(), "name one of those"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        assert_eq!(target("live/notes"), Ok(("live".into(), "notes".into())));
        assert!(target("notes").is_err() && target("/notes").is_err() && target("a/b/c").is_err());
        let read = path("web/data:/uploads/2026/").unwrap();
        let expected =
            RestorePath { component: "web".into(), volume: "data".into(), path: "uploads/2026".into() };
        assert_eq!(read, expected);
        for wrong in ["web:/x", "web/data", "web/data:", "web/data:/", "/data:x", "web/data:a/../../etc"] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
        // a path may have a colon
        assert_eq!(path("web/data:a:b").unwrap().path, "a:b");
    }
}
