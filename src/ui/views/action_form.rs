//! The form of an action that a person starts: what it asks for, with defaults filled in.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::deploy::{Asks, Field, Sheet, draw_form, step_focus};
use crate::domain::driver::{ActionSpec, ParameterKind};
use crate::domain::world::Application;
use crate::domain::{ActionRequest, DeploymentId, Intent, World};
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::look::Look;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step};
use crate::ui::toast::Toast;

/// The form of an action's prompts. What it leads to is planned and shown before anything is done.
#[derive(Debug)]
pub struct ActionForm {
    id: DeploymentId,
    key: ApplicationKey,
    action: String,
    fields: Vec<Field>,
    /// The field that has the keys; the button, when it is the number of fields.
    focus: usize,
    /// It is filled in with the answers of an earlier run.
    again: bool,
    /// Leaving was asked for once, after something was filled in.
    leaving: bool,
    touched: bool,
}

impl ActionForm {
    /// Its name.
    pub const NAME: &str = "action";

    /// The form of an action, with the answers of an earlier run where there is one. Secrets are typed anew.
    pub fn new(application: &Application, action: &ActionSpec, before: Option<&ActionRequest>) -> Self {
        let mut fields: Vec<Field> = action.prompts.iter().map(Field::parameter).collect();
        for (field, spec) in fields.iter_mut().zip(&action.prompts) {
            let answer = before.and_then(|before| before.answers.get(&spec.name));
            if let Some(answer) = answer.filter(|_| spec.kind != ParameterKind::Secret) {
                field.fill_again(answer);
            }
        }
        Self {
            id: application.deployment.id,
            key: ApplicationKey::of(application),
            action: action.name.clone(),
            fields,
            focus: 0,
            again: before.is_some(),
            leaving: false,
            touched: false,
        }
    }

    /// What is wanted, where nothing has to be asked: there is no prompt, or an earlier run answered all of them.
    pub fn unasked(&mut self) -> Option<Intent> {
        let secret = self.fields.iter().any(Field::is_secret);
        let is_known = self.fields.is_empty() || (self.again && !secret);
        let intent = if is_known { self.intent() } else { return None };
        intent.map_err(|first| self.focus = first).ok()
    }

    /// What the person wants, by what the fields hold.
    ///
    /// # Errors
    /// The first field with an error; every field with an error carries it.
    fn intent(&mut self) -> Result<Intent, usize> {
        let mut request = ActionRequest { action: self.action.clone(), ..ActionRequest::default() };
        for field in &mut self.fields {
            field.error = take(field, &mut request).err();
        }
        match self.fields.iter().position(|field| field.error.is_some()) {
            Some(first) => Err(first),
            None => Ok(Intent::Act(self.id, request)),
        }
    }

    fn accept(&mut self, context: &mut Context<'_>) {
        if self.fields.get_mut(self.focus).is_some_and(Field::break_line) {
            self.touched = true;
        } else if self.focus < self.fields.len() {
            self.focus = step_focus(self.focus, Command::Down, &self.fields);
        } else {
            match self.intent() {
                Ok(intent) => context.steps.push(Step::Plan(Box::new(intent))),
                // the field says what is wrong with it
                Err(first) => self.focus = first,
            }
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

    /// Changes the field that has the focus; what was wrong with it may be right now.
    fn edit(&mut self, change: impl FnOnce(&mut Field) -> bool) {
        let Some(field) = self.fields.get_mut(self.focus) else { return };
        if change(field) {
            field.error = None;
            self.touched = true;
        }
    }
}

/// Takes the answer of a field; what was typed into a secret goes beside the others.
fn take(field: &Field, request: &mut ActionRequest) -> Result<(), String> {
    let Asks::Parameter(spec) = &field.asks else { return Ok(()) };
    let name = spec.name.clone();
    if spec.kind == ParameterKind::Secret {
        request.typed.extend(field.secret(spec)?.map(|typed| (name, typed)));
    } else {
        request.answers.extend(field.value(spec)?.map(|value| (name, value)));
    }
    Ok(())
}

impl Screen for ActionForm {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        let takes_text = self.fields.get(self.focus).is_some_and(Field::takes_text);
        if takes_text { Layer::Input } else { Layer::Dialog }
    }

    fn is_secret(&self) -> bool {
        self.fields.get(self.focus).is_some_and(Field::is_secret)
    }

    fn flags(&self, _world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Form, true);
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        let sure = std::mem::take(&mut self.leaving);
        match command {
            Command::Cancel | Command::Back => self.cancel(sure, context),
            Command::Accept => self.accept(context),
            Command::Left | Command::Right | Command::Toggle => {
                self.edit(|field| field.turn(command != Command::Left));
            }
            Command::Up | Command::Down => {
                let field = self.fields.get_mut(self.focus);
                if !field.is_some_and(|field| field.step(command == Command::Down)) {
                    self.focus = step_focus(self.focus, command, &self.fields);
                }
            }
            Command::Next | Command::Previous | Command::Top | Command::Bottom => {
                self.focus = step_focus(self.focus, command, &self.fields);
            }
            _ => return false,
        }
        true
    }

    fn key(&mut self, key: KeyEvent, _context: &mut Context<'_>) {
        self.leaving = false;
        self.edit(|field| field.key(key));
    }

    fn paste(&mut self, text: &str, _context: &mut Context<'_>) {
        self.edit(|field| field.paste(text));
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Next, Command::Previous, Command::Accept, Command::Toggle, Command::Cancel]
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let again = if self.again { ", with the answers of its last run" } else { "" };
        let sheet = Sheet {
            place: "Applications › ",
            name: format!("Run {} on {} in {}", self.action, self.key.name, self.key.environment),
            written: format!("   nothing is done yet{again}"),
            section: "IT ASKS",
            fields: &self.fields,
        };
        draw_form(&sheet, self.focus, look, area, buffer);
    }
}

#[cfg(test)]
mod tests;
