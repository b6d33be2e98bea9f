//! What is done with a backup that is shown or selected. What writes leads to a plan, or only changes a record.

use super::key_of;
use crate::domain::Intent;
use crate::domain::backup::{Backup, BackupRequest, Depth, Engine, PruneRequest, VerifyRequest};
use crate::ui::event::Effect;
use crate::ui::keymap::Command;
use crate::ui::screen::{Context, Step, Tab};
use crate::ui::toast::Toast;
use crate::ui::views::environments::on_environment;

/// Carries out a command about a backup; false when it is not about one.
pub fn on_backup(command: Command, backup: &Backup, context: &mut Context<'_>) -> bool {
    match command {
        Command::BackUp => back_up(backup, context),
        Command::Restore => {
            let key = Some(key_of(backup)).filter(|key| key.find(context.world).is_some());
            context.steps.push(Step::ShowRestore(key, Some(backup.id.clone())));
        }
        Command::VerifyBackup => verify(backup, Depth::Quick, context),
        Command::VerifyFully => verify(backup, Depth::Full, context),
        Command::Drill => {
            if is_ended(backup, context) {
                context.steps.push(plan(Intent::Drill(backup.id.clone())));
            }
        }
        Command::PinBackup => pin(backup, context),
        Command::DeleteBackup => delete(&[backup], context),
        Command::BackUpEnvironment | Command::CloneEnvironment => {
            return on_environment(command, &backup.source.environment, context);
        }
        Command::CopyName => context.copy(&backup.id.0),
        _ => return false,
    }
    true
}

fn plan(intent: Intent) -> Step {
    Step::Plan(Box::new(intent))
}

/// Backs the application up that a backup is of.
fn back_up(backup: &Backup, context: &mut Context<'_>) {
    let key = key_of(backup);
    match key.find(context.world) {
        Some(application) => {
            let intent = Intent::BackUp(application.deployment.id, BackupRequest::default());
            context.steps.push(plan(intent));
        }
        None => {
            context.say(Toast::hint(format!("{} in {} is not there any more", key.name, key.environment)))
        }
    }
}

fn verify(backup: &Backup, depth: Depth, context: &mut Context<'_>) {
    if is_ours(backup, context) && is_ended(backup, context) {
        let request = VerifyRequest { backup: backup.id.clone(), depth };
        context.steps.push(plan(Intent::Verify(request)));
    }
}

/// Keeps a backup whatever the retention says, or no longer: a record, and told with the way back.
fn pin(backup: &Backup, context: &mut Context<'_>) {
    let id = context.request();
    context.effects.push(Effect::PinBackup(id, backup.id.clone(), !backup.pinned));
    context.steps.push(Step::Tell(id));
}

/// Plans that backups are deleted; they lie in one location.
pub fn delete(backups: &[&Backup], context: &mut Context<'_>) {
    let Some(first) = backups.first() else { return };
    if !backups.iter().all(|backup| is_ended(backup, context)) {
        return;
    }
    if let Some(other) = backups.iter().find(|backup| backup.location != first.location) {
        let said = format!(
            "They lie in {} and in {}: mark only those of one location",
            first.location, other.location
        );
        context.say(Toast::hint(said));
        return;
    }
    if let Some(pinned) = backups.iter().find(|backup| backup.pinned) {
        context.say(Toast::hint(format!("{} is pinned: take the pin away first", pinned.id)));
        return;
    }
    let ids = backups.iter().map(|backup| backup.id.clone()).collect();
    // the name of the location is typed before: a person knows what goes
    let request = PruneRequest {
        location: first.location.clone(),
        backups: ids,
        orphans: Vec::new(),
        even_the_last: true,
    };
    context.steps.push(plan(Intent::Prune(request)));
}

/// Shows the application that a backup is of.
pub fn show_application(backup: &Backup, tab: Tab, context: &mut Context<'_>) {
    let key = key_of(backup);
    if key.find(context.world).is_some() {
        context.steps.push(Step::ShowApplication(key, tab));
    } else {
        context.say(Toast::hint("Its application is not there any more; a restore can bring it back"));
    }
}

/// Whether it is not Velero's; says so when it is.
fn is_ours(backup: &Backup, context: &mut Context<'_>) -> bool {
    let ours = backup.engine == Engine::Styrmin;
    if !ours {
        context.say(Toast::hint("It is Velero's: what lies in its storage cannot be verified from here"));
    }
    ours
}

/// Whether it has ended; says so when it has not.
fn is_ended(backup: &Backup, context: &mut Context<'_>) -> bool {
    let ended = backup.state.is_final();
    if !ended {
        context.say(Toast::hint("It has not ended yet"));
    }
    ended
}
