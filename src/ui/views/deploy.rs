//! The form of a new deployment, or of the change of one: driver, environment, version, name, and the driver's parameters.

mod choice;
mod field;
mod focus;
mod form;
mod hosts;
mod parameter;
mod view;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

pub use self::choice::Choice;
pub use self::field::{Asks, Entry, Field};
pub use self::focus::step_focus;
use self::form::{Form, VERSION};
pub use self::view::{Sheet, draw as draw_form};
use crate::domain::World;
use crate::domain::world::Application;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::toast::Toast;

/// The form of a new deployment. What it asks for is planned and shown before anything is written.
#[derive(Debug)]
pub struct DeployForm {
    form: Form,
    /// The field that has the keys; the button, when it is the number of fields.
    focus: usize,
    /// Leaving was asked for once, after something was filled in.
    leaving: bool,
    touched: bool,
}

impl DeployForm {
    /// Its name.
    pub const NAME: &str = "new deployment";

    /// A form with what can be guessed filled in: the driver and the environment that are meant, where they are known.
    pub fn new(world: &World, driver: Option<&str>, environment: Option<&str>) -> Self {
        let form = Form::new(world, driver, environment);
        // A picked driver leaves the environment as the first question.
        let focus = usize::from(driver.is_some());
        Self { form, focus, leaving: false, touched: false }
    }

    /// The form of an application's change, with what was asked for before filled in.
    pub fn change(world: &World, application: &Application) -> Self {
        Self { form: Form::change(world, application), focus: VERSION, leaving: false, touched: false }
    }

    fn count(&self) -> usize {
        self.form.fields().len() + 1
    }

    fn on_button(&self) -> bool {
        self.focus >= self.form.fields().len()
    }

    fn step(&mut self, command: Command) {
        self.focus = step_focus(self.focus, command, self.form.fields());
    }

    /// What is drawn of it.
    fn sheet(&self) -> Sheet<'_> {
        let (name, written) = match self.form.changes() {
            None => ("New deployment".to_owned(), "   nothing is written before you confirm the plan"),
            Some(draft) => {
                (format!("Change {} in {}", draft.name, draft.environment), "   nothing is written yet")
            }
        };
        Sheet {
            place: "Applications › ",
            name,
            written: written.to_owned(),
            section: "PARAMETERS",
            fields: self.form.fields(),
        }
    }

    /// The field that has the focus.
    fn field(&mut self) -> Option<&mut Field> {
        self.form.field(self.focus)
    }

    fn accept(&mut self, context: &mut Context<'_>) {
        if self.field().is_some_and(Field::break_line) {
            self.touched = true;
            return;
        }
        if !self.on_button() {
            self.step(Command::Down);
            return;
        }
        match self.form.intent(context.world) {
            Ok(intent) => context.steps.push(Step::Plan(Box::new(intent))),
            // The field says what is wrong with it.
            Err(first) => self.focus = first,
        }
    }

    fn cancel(&mut self, sure: bool, context: &mut Context<'_>) {
        if sure || !self.touched {
            context.steps.push(Step::Close);
        } else {
            self.leaving = true;
            context.say(Toast::hint("Press it again to drop what you filled in"));
        }
    }

    fn turn(&mut self, command: Command, context: &Context<'_>) {
        let forwards = matches!(command, Command::Right | Command::Toggle);
        if self.form.turn(self.focus, forwards, context.world) {
            self.touched = true;
        }
    }
}

impl Screen for DeployForm {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        let takes_text = self.form.fields().get(self.focus).is_some_and(|field| field.takes_text());
        if takes_text { Layer::Input } else { Layer::Dialog }
    }

    fn is_secret(&self) -> bool {
        self.form.fields().get(self.focus).is_some_and(|field| field.is_secret())
    }

    fn flags(&self, _world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Form, true);
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        let sure = std::mem::take(&mut self.leaving);
        match command {
            Command::Cancel | Command::Back => self.cancel(sure, context),
            Command::Accept => self.accept(context),
            Command::Left | Command::Right | Command::Toggle => self.turn(command, context),
            Command::Up | Command::Down => {
                let down = command == Command::Down;
                if !self.field().is_some_and(|field| field.step(down)) {
                    self.step(command);
                }
            }
            Command::Next | Command::Previous | Command::Top | Command::Bottom => {
                self.step(command);
            }
            _ => return false,
        }
        true
    }

    fn key(&mut self, key: KeyEvent, context: &mut Context<'_>) {
        self.leaving = false;
        self.touched |= self.form.key(self.focus, key, context.world);
    }

    fn paste(&mut self, text: &str, context: &mut Context<'_>) {
        self.touched |= self.form.paste(self.focus, text, context.world);
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        self.form.refresh(context.world);
        self.focus = self.focus.min(self.count() - 1);
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Next, Command::Previous, Command::Accept, Command::Toggle, Command::Cancel]
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        view::draw(&self.sheet(), self.focus, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
