//! How many pods a component is to have: a number, or nothing for what its driver says.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::world::Application;
use crate::domain::{DeploymentId, Intent, World};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{centred, row};
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::text_field::TextField;
use crate::ui::theme::Role;
use crate::ui::widgets::{frame, paint};

/// The widest question.
const WIDEST: u16 = 64;
/// What stands before the field.
const LABEL: &str = "Pods  ";

/// Asks how many pods a component is to have.
#[derive(Debug)]
pub struct Replicas {
    id: DeploymentId,
    component: String,
    title: String,
    now: String,
    field: TextField,
    error: Option<String>,
}

impl Replicas {
    /// Its name.
    pub const NAME: &str = "scale";

    /// The question about a component of an application, with what was said before filled in.
    pub fn new(application: &Application, component: String) -> Self {
        let draft = &application.deployment.draft;
        let before = draft.components.get(&component).and_then(|known| known.replicas);
        let view = application.components.iter().find(|view| view.name == component);
        let ready = view.map_or_else(
            || "None of its pods runs now".to_owned(),
            |view| format!("{} of {} ready now", view.ready, format::count(view.desired as usize, "pod")),
        );
        let asked = match before {
            Some(number) => format!("{number} were asked for here"),
            None => "its driver says how many there are".to_owned(),
        };
        Self {
            id: application.deployment.id,
            title: format!("Scale {component} of {} in {}", draft.name, draft.environment),
            component,
            now: format!("{ready}; {asked}."),
            field: TextField::new(&before.map(|number| number.to_string()).unwrap_or_default())
                .with_placeholder("as many as the driver says"),
            error: None,
        }
    }

    fn accept(&mut self, context: &mut Context<'_>) {
        let text = self.field.text().trim();
        let number = match text {
            "" => Ok(None),
            text => text.parse::<u32>().map(Some),
        };
        match number {
            Ok(number) => {
                context.steps.push(Step::Close);
                let intent = Intent::Scale(self.id, self.component.clone(), number);
                context.steps.push(Step::Plan(Box::new(intent)));
            }
            Err(_) => self.error = Some(format!("'{text}' is not a number of pods")),
        }
    }
}

impl Screen for Replicas {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Input
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        match command {
            Command::Accept => self.accept(context),
            Command::Cancel | Command::Back => context.steps.push(Step::Close),
            _ => return false,
        }
        true
    }

    fn key(&mut self, key: KeyEvent, _context: &mut Context<'_>) {
        if self.field.key(key) {
            self.error = None;
        }
    }

    fn paste(&mut self, text: &str, _context: &mut Context<'_>) {
        self.field.paste(text);
        self.error = None;
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Accept, Command::Cancel]
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let width = WIDEST.min(area.width.saturating_sub(2));
        let mut lines: Vec<Line<'static>> = format::wrap(&self.now, usize::from(width.saturating_sub(4)))
            .into_iter()
            .map(|part| Line::from(look.span(Role::Text, part)))
            .collect();
        lines.push(Line::default());
        let at = lines.len();
        lines.push(Line::from(look.span(Role::Text, LABEL)));
        lines.push(match &self.error {
            Some(error) => Line::from(look.span(Role::Fail, format!("      ▲ {error}"))),
            None => Line::from(look.span(Role::Muted, "      empty: as many as its driver says")),
        });
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
        let inside = frame::dialog(buffer, centred(area, width, height), look, &self.title);
        paint::lines(buffer, inside, lines);
        let place = row(inside, u16::try_from(at).unwrap_or(u16::MAX));
        let lead = u16::try_from(format::width(LABEL)).unwrap_or(0).min(place.width);
        let place = Rect { x: place.x + lead, width: place.width - lead, ..place };
        self.field.draw(buffer, place, look, true);
    }
}
