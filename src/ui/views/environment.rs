//! The form of an environment: how its applications are reached, and by whom. The plan shows what follows before anything is written.

mod fields;
mod onto;
mod read;

use super::asking::{Asking, Form};
use super::deploy::Sheet;
use crate::domain::{Environment, Intent, World};
use crate::ui::look::Look;
use crate::ui::screen::{Context, Step};
use crate::ui::toast::Toast;

/// The form of an environment.
#[derive(Debug)]
pub struct EnvironmentForm {
    /// As it was when the form was opened; none for a new one.
    before: Option<Box<Environment>>,
    asking: Asking,
}

impl EnvironmentForm {
    /// Its name.
    pub const NAME: &str = "environment";

    /// The form of the environment of that name, with what is said of it filled in; of a new one, when there is none.
    pub fn new(name: Option<&str>, world: &World) -> Self {
        let found = name.and_then(|name| world.environment(name));
        let mut form = Self { before: found.cloned().map(Box::new), asking: Asking::default() };
        form.rebuild(world);
        form
    }

    /// What the person wants, by what the fields hold: of an environment that is there, only what was changed in them. None: nothing
    /// was.
    ///
    /// # Errors
    /// The field that is wrong, and what is wrong with it.
    fn wanted(&self, world: &World) -> Result<Option<Environment>, (&'static str, String)> {
        let cluster = world.cluster.record.as_ref().map_or("", |record| record.name.as_str());
        let wanted = read::environment(self.before.as_deref(), &self.asking, cluster)?;
        let newest = world.environment(&wanted.name);
        match (self.before.as_deref(), newest) {
            (None, None) => Ok(Some(wanted)),
            (None, Some(_)) => Err(("name", "there is an environment of that name".to_owned())),
            (Some(_), None) => Err(("suffix", "the environment was removed meanwhile".to_owned())),
            (Some(before), Some(_)) if *before == wanted => Ok(None),
            (Some(before), Some(newest)) => {
                Ok(Some(onto::onto(newest, before, wanted)).filter(|wanted| wanted != newest))
            }
        }
    }

    /// Says of every field what is wrong with it, once something was typed into it.
    fn judge(&mut self) {
        for (name, error) in read::judge(&self.asking) {
            self.asking.judge(name, error);
        }
    }
}

impl Form for EnvironmentForm {
    const FORM: &'static str = Self::NAME;

    fn asking(&self) -> &Asking {
        &self.asking
    }

    fn asking_mut(&mut self) -> &mut Asking {
        &mut self.asking
    }

    fn rebuild(&mut self, world: &World) {
        let fields = fields::all(self.before.as_deref(), &self.asking, world.cluster.record.as_ref());
        self.asking.replace(fields);
    }

    fn changed(&mut self, world: &World) {
        self.rebuild(world);
        self.judge();
    }

    fn done(&mut self, context: &mut Context<'_>) {
        match self.wanted(context.world) {
            Ok(None) => context.say(Toast::hint("Nothing was changed")),
            Ok(Some(wanted)) => {
                context.steps.push(Step::Plan(Box::new(Intent::SetEnvironment(Box::new(wanted)))));
            }
            Err((field, error)) => self.asking.complain(field, error),
        }
    }

    fn sheet(&self, _world: &World, _look: &Look<'_>) -> Sheet<'_> {
        let name = match &self.before {
            Some(before) => format!("Configure {}", before.name),
            None => "New environment".to_owned(),
        };
        Sheet {
            place: "Environments › ",
            name,
            written: "   nothing is written before you confirm the plan".to_owned(),
            section: "",
            fields: self.asking.fields(),
        }
    }
}

#[cfg(test)]
mod tests;
