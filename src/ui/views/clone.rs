//! The form of a clone: an environment that equals another one. The plan shows what differs before anything is made.

use std::collections::BTreeMap;

use super::asking::{Asking, Form, choice, item, text, toggle};
use super::deploy::{Field, Sheet};
use crate::domain::backup::{Backup, BackupId, CloneRequest, CloneSource};
use crate::domain::names::check_label;
use crate::domain::{Intent, World};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::screen::{Context, Step};
use crate::ui::text_field::TextField;

const LIVE: &str = "as it is now";
const KEPT: &str = "the last good backups";
const EMPTY: &str = "none";

/// The form of a clone.
#[derive(Debug)]
pub struct CloneForm {
    /// The environment to begin with.
    first: String,
    /// What was suggested for the copied environment, as long as nobody wrote something else.
    suggested: String,
    asking: Asking,
}

impl CloneForm {
    /// Its name.
    pub const NAME: &str = "clone";

    /// A form that copies this environment, unless another one is chosen.
    pub fn new(environment: String, world: &World) -> Self {
        let mut form = Self { first: environment, suggested: String::new(), asking: Asking::default() };
        form.rebuild(world);
        form
    }

    fn from(&self) -> String {
        Some(self.asking.text("from")).filter(|from| !from.is_empty()).unwrap_or_else(|| self.first.clone())
    }

    /// What the person wants, by what the fields hold.
    ///
    /// # Errors
    /// The field that is wrong, and what is wrong with it.
    fn intent(&self, world: &World) -> Result<Intent, (String, String)> {
        let (from, to) = (self.from(), self.asking.text("to"));
        let wrong = |field: &str, error: String| Err((field.to_owned(), error));
        if let Err(problem) = check_label("environment", &to) {
            return wrong("to", problem.why);
        }
        if world.environment(&to).is_some() {
            return wrong("to", "there is an environment of that name".to_owned());
        }
        let (taken, left): (Vec<_>, Vec<_>) = self.asking.items().partition(|(_, taken)| *taken);
        if let (true, Some((first, _))) = (taken.is_empty(), left.first()) {
            return wrong(first, "at least one application is needed".to_owned());
        }
        let source = match self.asking.text("data").as_str() {
            EMPTY => CloneSource::Empty,
            KEPT => {
                let mut backups: BTreeMap<String, BackupId> = BTreeMap::new();
                for (name, _) in &taken {
                    let Some(backup) = good(&from, name, world) else {
                        let error =
                            format!("{name} has no good backup: leave it out, or take it as it is now");
                        return wrong("data", error);
                    };
                    backups.insert((*name).to_owned(), backup.id.clone());
                }
                CloneSource::Backups { backups }
            }
            _ => CloneSource::Live,
        };
        let applications = match left.is_empty() {
            true => Vec::new(),
            false => taken.iter().map(|(name, _)| (*name).to_owned()).collect(),
        };
        let suffix = self.asking.text("suffix");
        Ok(Intent::Clone(CloneRequest {
            from,
            to,
            source,
            applications,
            scale_down: self.asking.is_on("down"),
            fqdn_suffix: Some(suffix).filter(|suffix| !suffix.is_empty()),
        }))
    }
}

/// The environments that have applications.
fn environments(world: &World) -> Vec<String> {
    let mut names: Vec<String> =
        world.applications.iter().map(|it| it.deployment.draft.environment.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The last good backup of an application.
fn good<'a>(environment: &str, name: &str, world: &'a World) -> Option<&'a Backup> {
    let mut backups = world.backups.iter().map(|backup| &**backup);
    backups.find(|it| it.source.environment == environment && it.source.application == name && it.is_good())
}

fn last(backup: Option<&Backup>, version: &str) -> String {
    match backup {
        None => format!("version {version} · no good backup"),
        Some(backup) => {
            format!("version {version} · last good backup {}", format::moment(backup.created))
        }
    }
}

impl Form for CloneForm {
    const FORM: &'static str = Self::NAME;

    fn asking(&self) -> &Asking {
        &self.asking
    }

    fn asking_mut(&mut self) -> &mut Asking {
        &mut self.asking
    }

    fn rebuild(&mut self, world: &World) {
        let from = self.from();
        let names = environments(world);
        let free = |name: &String| world.environment(name).is_none();
        let to = (1..).map(|number| match number {
            1 => format!("{from}-copy"),
            number => format!("{from}-copy-{number}"),
        });
        let to = to.take(99).find(free).unwrap_or_default();
        let (focus, written) = (self.asking.focus(), self.asking.text("to"));
        let stays = self.suggested == to || written != self.suggested;
        self.suggested.clone_from(&to);
        let suffix = world.environment(&from).and_then(|it| it.fqdn_suffix.clone());
        let sources = [LIVE, KEPT, EMPTY].map(str::to_owned).to_vec();
        let help = match self.asking.text("data").as_str() {
            KEPT => "each application begins with its last good backup",
            EMPTY => "the applications begin empty",
            _ => "a backup is made of each application, and restored into its copy",
        };
        let mut fields: Vec<Field> = vec![
            choice("from", "From", "the environment that is copied; it stays as it is", (names, &from)),
            text("to", "To", "a new environment, with a namespace of its name", TextField::new(&to)),
            choice("data", "Data", help, (sources, LIVE)),
            toggle("down", "Scale down", "everything is stopped at the end", false),
            text(
                "suffix",
                "Host suffix",
                "its own suffix of host names; empty: as the environment that is copied has it",
                TextField::new(&suffix.unwrap_or_default()).with_placeholder("as before"),
            ),
        ];
        fields.extend(world.applications_in(&from).map(|application| {
            let draft = &application.deployment.draft;
            item(&draft.name, &last(good(&from, &draft.name, world), &draft.application_version))
        }));
        match stays {
            true => self.asking.replace(fields),
            false => self.asking.begin_anew(fields, focus),
        }
    }

    fn done(&mut self, context: &mut Context<'_>) {
        match self.intent(context.world) {
            Ok(intent) => context.steps.push(Step::Plan(Box::new(intent))),
            Err((field, error)) => self.asking.complain(&field, error),
        }
    }

    fn sheet(&self, _world: &World, _look: &Look<'_>) -> Sheet<'_> {
        Sheet {
            place: "Environments › ",
            name: format!("Clone {}", self.from()),
            written: "   nothing is made yet".to_owned(),
            section: "ITS APPLICATIONS",
            fields: self.asking.fields(),
        }
    }
}
