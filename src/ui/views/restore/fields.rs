//! The fields of a restore: what one says about the others.

use crate::domain::World;
use crate::domain::backup::{Backup, BackupState, PartState};
use crate::ui::format;
use crate::ui::screen::ApplicationKey;
use crate::ui::text_field::TextField;
use crate::ui::views::asking::{Asking, choice, item, text, toggle};
use crate::ui::views::backups::key_of;
use crate::ui::views::deploy::{Asks, Choice, Entry, Field};
use crate::ui::views::keeping;

/// The choice that restores more than a path of a volume.
pub const WHOLE: &str = "everything";

/// What is restored into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Into {
    /// The application itself.
    Here,
    /// Another one of the same driver.
    Other,
    /// One that is made for it.
    New,
    /// All of its environment, from the backups that were made with it.
    All,
}

impl Into {
    const ALL: [Self; 4] = [Self::Here, Self::Other, Self::New, Self::All];

    /// How it is shown.
    pub fn label(self) -> &'static str {
        match self {
            Self::Here => "this application, in its place",
            Self::Other => "another application",
            Self::New => "a new application",
            Self::All => "its whole environment",
        }
    }

    /// The one that is shown so.
    pub fn read(label: &str) -> Self {
        Self::ALL.into_iter().find(|it| it.label() == label).unwrap_or(Self::Here)
    }

    fn help(self, backup: &Backup, world: &World) -> String {
        match self {
            Self::Here => "what it has now is overwritten".to_owned(),
            Self::Other => "what that one has now is overwritten; this one stays as it is".to_owned(),
            Self::New => "it is deployed anew, with the data of the backup".to_owned(),
            Self::All => {
                let names: Vec<&str> =
                    members(backup, world).map(|it| it.source.application.as_str()).collect();
                format!("from the backups that were made together: {}", names.join(", "))
            }
        }
    }
}

/// Whether something can be restored from a backup.
pub fn is_restorable(backup: &Backup) -> bool {
    let states = [BackupState::Completed, BackupState::PartiallyFailed];
    states.contains(&backup.state)
        && (backup.parts.is_empty() || backup.parts.iter().any(|part| part.state == PartState::Completed))
}

/// The backups that were made together with this one, itself among them.
pub fn members<'a>(backup: &Backup, world: &'a World) -> impl Iterator<Item = &'a Backup> + use<'a> {
    let (group, environment) = (backup.group.clone(), backup.source.environment.clone());
    world.backups.iter().map(|it| &**it).filter(move |it| {
        group.is_some() && it.group == group && it.source.environment == environment && is_restorable(it)
    })
}

/// The fields, by what was filled in so far.
pub fn fields(backup: &Backup, key: Option<&ApplicationKey>, asking: &Asking, world: &World) -> Vec<Field> {
    let its: Vec<String> = world
        .backups
        .iter()
        .filter(|it| key_of(it) == key_of(backup) && is_restorable(it))
        .map(|it| it.id.0.clone())
        .collect();
    let options = targets(backup, key, world);
    let into = options.iter().copied().find(|it| it.label() == asking.text("into"));
    let into = into.or_else(|| options.first().copied()).unwrap_or(Into::New);
    let labels = options.iter().map(|it| it.label().to_owned()).collect();
    let mut fields = vec![
        choice("backup", "Backup", &about(backup), (its, &backup.id.0)),
        choice("into", "Into", &into.help(backup, world), (labels, into.label())),
    ];
    match into {
        Into::Here | Into::Other => {
            if into == Into::Other {
                let others = others(backup, key, world);
                let first = others.first().cloned().unwrap_or_default();
                let help = "environment/name, of the same driver";
                fields.push(choice("application", "Application", help, (others, &first)));
            }
            let help = "what is there now is backed up before it is overwritten";
            fields.push(toggle("safety", "Safety backup", help, true));
            fields.extend(volumes(backup, asking));
        }
        Into::New => {
            let names = world.environments.iter().map(|it| it.name.clone()).collect();
            let environment = Choice::new(names, &backup.source.environment, true);
            let help = "an existing one, or type a new name";
            fields.push(Field::new(
                Asks::Named("environment"),
                "Environment",
                help,
                Entry::Choice(environment),
            ));
            let name = TextField::new(&format!("{}-restored", backup.source.application));
            fields.push(text("name", "Name", "a DNS label, unique in its environment", name));
        }
        Into::All => {}
    }
    fields
}

/// What can be restored into, the likeliest first.
fn targets(backup: &Backup, key: Option<&ApplicationKey>, world: &World) -> Vec<Into> {
    let here = key.is_some_and(|key| key.find(world).is_some());
    let other = !others(backup, key, world).is_empty();
    let all = members(backup, world).count() > 1;
    let known = [(Into::Here, here), (Into::Other, other), (Into::New, true), (Into::All, all)];
    known.into_iter().filter(|(_, is)| *is).map(|(into, _)| into).collect()
}

/// The other applications of the same driver, as `environment/name`.
fn others(backup: &Backup, key: Option<&ApplicationKey>, world: &World) -> Vec<String> {
    let drafts = world.applications.iter().map(|application| &application.deployment.draft);
    let others = drafts.filter(|draft| {
        let itself = key.is_some_and(|key| key.name == draft.name && key.environment == draft.environment);
        draft.driver.name == backup.source.driver.name && !itself
    });
    others.map(|draft| format!("{}/{}", draft.environment, draft.name)).collect()
}

/// What is taken of the backup: all of it, some components, or a path of a volume.
fn volumes(backup: &Backup, asking: &Asking) -> Vec<Field> {
    let kept = || backup.parts.iter().filter(|part| part.state == PartState::Completed);
    let volumes: Vec<String> = kept().filter(|part| part.volume.is_some()).map(keeping::part_name).collect();
    let mut fields = Vec::new();
    let chosen = asking.text("volume");
    let path = volumes.contains(&chosen);
    if !volumes.is_empty() {
        let options = [WHOLE.to_owned()].into_iter().chain(volumes).collect();
        let help = "everything, or one path of a volume";
        fields.push(choice("volume", "Of it", help, (options, WHOLE)));
    }
    if path {
        let help = "relative to the volume's root; what else is on it stays as it is";
        fields.push(text("path", "Path", help, TextField::default().with_placeholder("uploads/2026")));
        return fields;
    }
    let mut names: Vec<&str> = kept().map(|part| part.component.as_str()).collect();
    names.dedup();
    for name in names {
        let parts: Vec<_> = kept().filter(|part| part.component == name).collect();
        let bytes = parts.iter().map(|part| part.bytes).sum();
        let strategy = parts.first().map_or("", |part| part.strategy.as_str());
        fields.push(item(name, &format!("{strategy}, {}", format::bytes(bytes))));
    }
    fields
}

/// A backup in a line.
fn about(backup: &Backup) -> String {
    let mut told = vec![
        keeping::word(backup).to_owned(),
        format!("{} of {}", format::bytes(backup.bytes()), format::moment(backup.created)),
        format!("version {}", backup.source.application_version),
        keeping::trigger(backup),
    ];
    told.extend(keeping::telling(backup).map(|last| format!("{} verified", last.depth.as_str())));
    told.join(" · ")
}
