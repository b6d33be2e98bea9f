//! The form of a restore: from which backup, into what, which of it. It is planned and shown before anything is overwritten.

mod fields;

use std::collections::BTreeMap;

use self::fields::{Into, WHOLE, fields, is_restorable, members};
use super::asking::{Asking, Form};
use super::backups::key_of;
use super::deploy::Sheet;
use crate::domain::backup::{Backup, BackupId, RestorePath, RestoreRequest};
use crate::domain::names::check_label;
use crate::domain::{DeploymentDraft, Intent, World};
use crate::ui::look::Look;
use crate::ui::screen::{ApplicationKey, Context, Step};

/// The form of a restore.
#[derive(Debug)]
pub struct RestoreForm {
    /// The application that is restored into, unless another one is chosen.
    key: Option<ApplicationKey>,
    /// The backup to begin with.
    first: BackupId,
    asking: Asking,
}

impl RestoreForm {
    /// Its name.
    pub const NAME: &str = "restore";

    /// A form for an application, a backup, or both.
    ///
    /// # Errors
    /// Why nothing can be restored, in a sentence.
    pub fn new(
        key: Option<ApplicationKey>,
        backup: Option<&BackupId>,
        world: &World,
    ) -> Result<Self, String> {
        let named = backup.and_then(|id| world.backups.iter().find(|it| it.id == *id));
        let first = match (named, &key) {
            (Some(named), _) if is_restorable(named) => Some(named),
            (Some(named), _) => {
                return Err(format!("Nothing of {} was kept that could be restored", named.id));
            }
            (None, Some(key)) => {
                let its = world.backups.iter().filter(|it| key_of(it) == *key && is_restorable(it));
                let its: Vec<_> = its.collect();
                its.iter().copied().find(|it| it.is_good()).or_else(|| its.first().copied())
            }
            (None, None) => None,
        };
        let Some(first) = first else {
            let name = key.map_or_else(String::new, |key| format!(" of {} in {}", key.name, key.environment));
            return Err(format!("There is no backup{name} that could be restored"));
        };
        let mut form = Self { key, first: first.id.clone(), asking: Asking::default() };
        form.rebuild(world);
        // what the choice of a backup leads to is there only once it is chosen
        form.rebuild(world);
        Ok(form)
    }

    /// The backup that is chosen.
    fn backup<'a>(&self, world: &'a World) -> Option<&'a Backup> {
        let chosen = self.asking.text("backup");
        let id = if chosen.is_empty() { &self.first.0 } else { &chosen };
        world.backups.iter().find(|backup| backup.id.0 == *id).map(|backup| &**backup)
    }

    fn into(&self) -> Into {
        Into::read(&self.asking.text("into"))
    }

    /// The application that is restored into: where it was, or the one that is chosen.
    fn target(&self, world: &World) -> Option<ApplicationKey> {
        match self.into() {
            Into::Here => self.key.clone(),
            _ => {
                let chosen = self.asking.text("application");
                let (environment, name) = chosen.split_once('/')?;
                let key = ApplicationKey { environment: environment.to_owned(), name: name.to_owned() };
                key.find(world).is_some().then_some(key)
            }
        }
    }

    /// What the person wants, by what the fields hold.
    ///
    /// # Errors
    /// The field that is wrong, and what is wrong with it.
    fn intent(&self, world: &World) -> Result<Intent, (String, String)> {
        let gone = |name: &str| (name.to_owned(), "it is not there any more".to_owned());
        let backup = self.backup(world).ok_or_else(|| gone("backup"))?;
        match self.into() {
            Into::Here | Into::Other => {
                let key = self.target(world).ok_or_else(|| gone("application"))?;
                let application = key.find(world).ok_or_else(|| gone("into"))?;
                Ok(Intent::Restore(application.deployment.id, self.request(backup)?))
            }
            Into::New => Ok(Intent::DeployFrom(self.draft(backup, world)?, backup.id.clone())),
            Into::All => {
                let members: BTreeMap<String, BackupId> =
                    members(backup, world).map(|it| (it.source.application.clone(), it.id.clone())).collect();
                Ok(Intent::RestoreEnvironment(backup.source.environment.clone(), members))
            }
        }
    }

    fn request(&self, backup: &Backup) -> Result<RestoreRequest, (String, String)> {
        let (path, volume) = (self.asking.text("path"), self.asking.text("volume"));
        let (taken, left): (Vec<_>, Vec<_>) = self.asking.items().partition(|(_, taken)| *taken);
        let mut request = RestoreRequest {
            backup: backup.id.clone(),
            components: Vec::new(),
            path: None,
            safety_backup: self.asking.is_on("safety"),
        };
        if let Some((component, volume)) = volume.split_once('/').filter(|_| volume != WHOLE) {
            let path = path.trim_start_matches('/');
            if path.is_empty() || path.split('/').any(|part| part == "..") {
                let error = "a path below the volume's root is needed, without '..'".to_owned();
                return Err(("path".to_owned(), error));
            }
            request.components = vec![component.to_owned()];
            request.path = Some(RestorePath {
                component: component.to_owned(),
                volume: volume.to_owned(),
                path: path.to_owned(),
            });
        } else if !left.is_empty() {
            let Some((first, _)) = left.first().filter(|_| taken.is_empty()) else {
                request.components = taken.into_iter().map(|(name, _)| name.to_owned()).collect();
                return Ok(request);
            };
            return Err(((*first).to_owned(), "at least one component is needed".to_owned()));
        }
        Ok(request)
    }

    /// What is deployed anew: what the application was deployed with when the backup was made, else what it is deployed with now.
    /// Secrets are references: whoever carries it out copies what they mean.
    fn draft(&self, backup: &Backup, world: &World) -> Result<DeploymentDraft, (String, String)> {
        let (name, environment) = (self.asking.text("name"), self.asking.text("environment"));
        for (field, what, text) in
            [("name", "application", &name), ("environment", "environment", &environment)]
        {
            check_label(what, text).map_err(|problem| (field.to_owned(), problem.why))?;
        }
        let key = ApplicationKey { environment: environment.clone(), name: name.clone() };
        if key.find(world).is_some() {
            return Err(("name".to_owned(), format!("there is one of that name in {environment}")));
        }
        let known = key_of(backup).find(world).map(|application| &application.deployment.draft);
        let draft = backup.source.draft.as_ref().or(known).cloned().unwrap_or_default();
        Ok(DeploymentDraft {
            name,
            environment,
            driver: backup.source.driver.clone(),
            application_version: backup.source.application_version.clone(),
            ..draft
        })
    }
}

impl Form for RestoreForm {
    const FORM: &'static str = Self::NAME;

    fn asking(&self) -> &Asking {
        &self.asking
    }

    fn asking_mut(&mut self) -> &mut Asking {
        &mut self.asking
    }

    fn rebuild(&mut self, world: &World) {
        if let Some(backup) = self.backup(world) {
            let fields = fields(backup, self.key.as_ref(), &self.asking, world);
            self.asking.replace(fields);
        }
    }

    fn done(&mut self, context: &mut Context<'_>) {
        match self.intent(context.world) {
            Ok(intent) => context.steps.push(Step::Plan(Box::new(intent))),
            Err((field, error)) => self.asking.complain(&field, error),
        }
    }

    fn sheet(&self, world: &World, look: &Look<'_>) -> Sheet<'_> {
        let name = match (self.backup(world), &self.key) {
            (Some(backup), _) => {
                format!("Restore {} of {}", backup.source.application, look.ago(backup.created))
            }
            (None, Some(key)) => format!("Restore {}", key.name),
            (None, None) => "Restore".to_owned(),
        };
        Sheet {
            place: "Backups › ",
            name,
            written: "   nothing is overwritten yet".to_owned(),
            section: "WHAT IS RESTORED",
            fields: self.asking.fields(),
        }
    }
}
