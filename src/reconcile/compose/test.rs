//! What the tests of plans share: an application with a database, a volume and a front.

use std::collections::BTreeMap;

use super::Basis;
use crate::domain::driver::{ActionSpec, ComponentSpec, DriverSpec, Hook, Mode};
use crate::domain::{Environment, OperationKind, Plan};
use crate::driver::Rendering;
use crate::reconcile::decide::tests::settled;
use crate::reconcile::situation::Situation;

/// `db` with a dump tool, `files` with two volumes, `web` with nothing; hooks around backups and restores.
pub fn spec() -> DriverSpec {
    let of = |backup: Option<&str>, volumes: &[&str]| ComponentSpec {
        backup: backup.map(str::to_owned),
        volumes: volumes.iter().map(|name| (*name).to_owned()).collect(),
        ..ComponentSpec::default()
    };
    let action = |name: &str, hook: Hook, mode: Mode| ActionSpec {
        name: name.to_owned(),
        hook: Some(hook),
        mode: Some(mode),
        ..ActionSpec::default()
    };
    DriverSpec {
        components: BTreeMap::from([
            ("db".to_owned(), of(Some("postgres"), &[])),
            ("files".to_owned(), of(Some("disk"), &["a", "b"])),
            ("web".to_owned(), of(None, &[])),
        ]),
        actions: vec![
            action("hold", Hook::Backup, Mode::Pre),
            action("let-go", Hook::Backup, Mode::Finally),
            action("check", Hook::Restore, Mode::Post),
        ],
        ..DriverSpec::default()
    }
}

/// Everything that a plan is made from.
pub struct Ground {
    pub spec: DriverSpec,
    situation: Situation,
    environment: Environment,
    parts: Rendering,
}

impl Ground {
    pub fn new(spec: DriverSpec) -> Self {
        let environment = Environment::new("demo", "c", "demo");
        Self { spec, situation: settled(), environment, parts: Rendering::default() }
    }

    pub fn basis<'a>(&'a self, kind: OperationKind, actions: &'a [ActionSpec]) -> Basis<'a> {
        Basis {
            title: "t".to_owned(),
            cluster: "c",
            environment: &self.environment,
            name: "shop",
            situation: &self.situation,
            parts: &self.parts,
            kind,
            place: &[],
            secrets: &[],
            actions,
            driver_digest: "d",
            activate: false,
        }
    }
}

/// The names of a plan's steps.
pub fn names(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.name.clone()).collect()
}
