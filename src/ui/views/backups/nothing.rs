//! What an empty section says, and what to type.

use super::BackupsView;
use super::section::Section;
use crate::domain::World;
use crate::ui::keymap::{Command, Layer};
use crate::ui::look::Look;

/// What an empty section says: a heading, and what to do next.
pub fn nothing(view: &BackupsView, world: &World, look: &Look<'_>) -> (String, Vec<String>) {
    let key = |command| look.key(command, Layer::Table);
    if view.list.len() > 0 {
        let next = format!("{} shows everything again", key(Command::Back));
        return ("Nothing matches".to_owned(), vec![next]);
    }
    let environment = an_environment(world);
    match view.section() {
        Section::Backups | Section::Locations if world.locations.is_empty() => no_location(environment),
        Section::Locations => ("Nothing is known of the locations".to_owned(), Vec::new()),
        Section::Backups if !world.environments.iter().any(|it| it.backup_location.is_some()) => {
            let name = world.locations.first().map_or("NAME", |view| &view.location.name);
            (
                "No environment is backed up yet".to_owned(),
                vec![
                    "Say where the backups of an environment are to lie:".to_owned(),
                    format!("styrmin location assign {name} --environment {environment}"),
                ],
            )
        }
        Section::Backups => (
            "No backups yet".to_owned(),
            vec![
                format!("{} on an application backs it up now. Every night:", key(Command::BackUp)),
                schedule(environment),
            ],
        ),
        Section::Schedules => (
            "No schedules yet".to_owned(),
            vec![
                "A schedule makes backups by itself, verifies them, and deletes what is not needed any more:"
                    .to_owned(),
                schedule(environment),
            ],
        ),
        Section::Calendar => (
            "Nothing is due within 24 hours".to_owned(),
            vec![
                "No schedule has a run before this time tomorrow. A schedule is made by".to_owned(),
                schedule(environment),
            ],
        ),
    }
}

/// What there is to say while there is no location at all.
pub fn no_location(environment: &str) -> (String, Vec<String>) {
    let next = [
        "A location is a directory or a bucket. What is kept there is encrypted with a key of its own:",
        "styrmin location add nas --path /srv/backups",
    ];
    let assign = format!("styrmin location assign nas --environment {environment}");
    let next = next.map(str::to_owned).into_iter().chain([assign]);
    ("There is no backup location yet".to_owned(), next.collect())
}

fn schedule(environment: &str) -> String {
    format!("styrmin schedule add nightly --environment {environment} --cron \"0 3 * * *\"")
}

fn an_environment(world: &World) -> &str {
    world.environments.first().map_or("NAME", |environment| &environment.name)
}
