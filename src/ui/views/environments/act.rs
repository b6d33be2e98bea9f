//! What can be done with an environment as a whole, wherever it is shown. Each leads to a plan, at most after a form.

use crate::domain::backup::BackupRequest;
use crate::domain::{Intent, World};
use crate::ui::keymap::Command;
use crate::ui::screen::{Context, Step};
use crate::ui::toast::Toast;

/// Carries out a command about an environment; false when it is not about one.
pub fn on_environment(command: Command, environment: &str, context: &mut Context<'_>) -> bool {
    match command {
        Command::BackUpEnvironment => {
            if has_applications(environment, context) {
                let intent = Intent::BackUpEnvironment(environment.to_owned(), BackupRequest::default());
                context.steps.push(Step::Plan(Box::new(intent)));
            }
        }
        Command::CloneEnvironment => {
            if has_applications(environment, context) {
                context.steps.push(Step::ShowClone(environment.to_owned()));
            }
        }
        Command::ShowItsApplications => {
            context.steps.push(Step::ShowApplicationsOf(environment.to_owned()));
        }
        Command::CopyName => context.copy(environment),
        _ => return false,
    }
    true
}

/// Whether there is anything in it; says so when there is not.
fn has_applications(environment: &str, context: &mut Context<'_>) -> bool {
    let world: &World = context.world;
    let has = world.applications_in(environment).next().is_some();
    if !has {
        context.say(Toast::hint(format!("There are no applications in {environment}")));
    }
    has
}
