//! What a backup will have, before anything of it is made.

use super::record::{Backup, BackupId, BackupPart, BackupSource, BackupState, Engine, PartState};
use super::request::{BackupRequest, RestoreRequest};
use crate::domain::driver::DriverSpec;
use crate::domain::{Instance, Operation};

/// A backup that an operation is about to make.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBackup {
    /// Who makes it.
    pub engine: Engine,
    /// The location.
    pub location: String,
    /// The components, why, and whether it is pinned.
    pub request: BackupRequest,
    /// The instance that runs.
    pub instance: Instance,
    /// What is kept; see [`BackupPart::planned`].
    pub parts: Vec<BackupPart>,
}

impl NewBackup {
    /// Its record, queued. `mark` tells the backups of one operation apart; empty for the one that it is about.
    pub fn record(&self, operation: &Operation, mark: &str) -> Backup {
        let subject = &operation.subject;
        Backup {
            source: BackupSource {
                cluster: subject.cluster.clone(),
                environment: subject.environment.clone(),
                application: subject.name.clone(),
                instance: self.instance.number,
                driver: self.instance.driver.clone(),
                application_version: self.instance.application_version.clone(),
                draft: self.instance.draft.clone(),
            },
            id: BackupId::of(operation, mark),
            engine: self.engine,
            location: self.location.clone(),
            state: BackupState::Queued,
            created: operation.times.created,
            ended: None,
            operation: Some(operation.id),
            trigger: self.request.trigger.clone(),
            group: self.request.group.clone(),
            parts: self.parts.clone(),
            pinned: self.request.pinned,
            verified: Vec::new(),
            manifest: None,
            problem: None,
        }
    }
}

impl BackupPart {
    /// The parts that a backup of an application has: one per component with a strategy, of the strategy `disk` one per volume, in the
    /// driver's order. `components` are those that are wanted; empty: all. None is begun.
    pub fn planned(
        spec: &DriverSpec,
        environment: &str,
        application: &str,
        components: &[String],
    ) -> Vec<Self> {
        let chosen = |name: &String| components.is_empty() || components.contains(name);
        let mut parts = Vec::new();
        for (name, component) in spec.components.iter().filter(|(name, _)| chosen(name)) {
            let Some(strategy) = &component.backup else { continue };
            let part = |volume: Option<&String>| {
                let file = match (volume, strategy.as_str()) {
                    (Some(volume), _) => format!("{name}/{volume}.tar"),
                    (None, "postgres" | "mariadb") => format!("{name}.sql"),
                    (None, "mongodb") => format!("{name}.archive"),
                    (None, "neo4j") => format!("{name}.dump"),
                    (None, _) => name.clone(),
                };
                Self {
                    component: name.clone(),
                    strategy: strategy.clone(),
                    volume: volume.cloned(),
                    state: PartState::Pending,
                    bytes: 0,
                    stored: 0,
                    digest: String::new(),
                    snapshot: String::new(),
                    path: format!("/{environment}/{application}/{file}"),
                    server: String::new(),
                    problem: None,
                }
            };
            match strategy.as_str() {
                "disk" => parts.extend(component.volumes.iter().map(|volume| part(Some(volume)))),
                _ => parts.push(part(None)),
            }
        }
        parts
    }

    /// What Velero keeps of an application: all of it is one part, without components. Not begun.
    pub fn of_velero() -> Self {
        Self {
            component: String::new(),
            strategy: Engine::Velero.as_str().to_owned(),
            volume: None,
            state: PartState::Pending,
            bytes: 0,
            stored: 0,
            digest: String::new(),
            snapshot: String::new(),
            path: String::new(),
            server: String::new(),
            problem: None,
        }
    }
}

impl RestoreRequest {
    /// What is restored of a backup: what was kept whole of the components that are wanted.
    pub fn parts<'a>(&self, backup: &'a Backup) -> Vec<&'a BackupPart> {
        let wanted = |part: &&BackupPart| match &self.path {
            Some(path) => {
                part.component == path.component && part.volume.as_deref() == Some(path.volume.as_str())
            }
            None => self.components.is_empty() || self.components.contains(&part.component),
        };
        let kept = backup.parts.iter().filter(|part| part.state == PartState::Completed);
        kept.filter(wanted).collect()
    }

    /// The components of those, each once.
    pub fn chosen(&self, backup: &Backup) -> Vec<String> {
        let mut names: Vec<String> =
            self.parts(backup).into_iter().map(|part| part.component.clone()).collect();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::driver::ComponentSpec;

    #[test]
    fn every_volume_is_a_part_and_every_database_one() {
        let of = |backup: Option<&str>, volumes: &[&str]| ComponentSpec {
            backup: backup.map(str::to_owned),
            volumes: volumes.iter().map(|name| (*name).to_owned()).collect(),
            ..ComponentSpec::default()
        };
        let spec = DriverSpec {
            components: BTreeMap::from([
                ("db".to_owned(), of(Some("postgres"), &[])),
                ("files".to_owned(), of(Some("disk"), &["a", "b"])),
                ("web".to_owned(), of(None, &[])),
            ]),
            ..DriverSpec::default()
        };
        let names = |components: &[String]| {
            let parts = BackupPart::planned(&spec, "demo", "shop", components);
            parts.into_iter().map(|part| (part.name(), part.path)).collect::<Vec<_>>()
        };
        let pair = |name: &str, path: &str| (name.to_owned(), path.to_owned());
        assert_eq!(
            names(&[]),
            [
                pair("db", "/demo/shop/db.sql"),
                pair("files/a", "/demo/shop/files/a.tar"),
                pair("files/b", "/demo/shop/files/b.tar")
            ]
        );
        assert_eq!(names(&["db".to_owned()]), [pair("db", "/demo/shop/db.sql")]);
    }
}
