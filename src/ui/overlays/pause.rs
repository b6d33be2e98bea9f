//! Why a schedule is paused: a reason that others read on the calendar.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::{Problem, World};
use crate::ui::event::{Effect, Reply, RequestId};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{centred, row};
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::text_field::TextField;
use crate::ui::theme::Role;
use crate::ui::toast::Toast;
use crate::ui::widgets::{frame, paint, problem_lines};

/// The widest question.
const WIDEST: u16 = 64;
/// What stands before the field.
const LABEL: &str = "Why  ";

/// Asks why a schedule is paused.
#[derive(Debug)]
pub struct Pause {
    schedule: String,
    field: TextField,
    sending: Option<RequestId>,
    failed: Option<Problem>,
}

impl Pause {
    /// Its name.
    pub const NAME: &str = "pause";

    /// The question about a schedule.
    pub fn new(schedule: String) -> Self {
        let field = TextField::default().with_placeholder("the disk is being replaced");
        Self { schedule, field, sending: None, failed: None }
    }

    fn accept(&mut self, context: &mut Context<'_>) {
        if self.sending.is_some() {
            return;
        }
        let reason = self.field.text().trim().to_owned();
        if reason.is_empty() {
            let why = "whoever looks at night asks why there is no backup";
            self.failed = Some(Problem::new("A reason is needed", why, ""));
            return;
        }
        let id = context.request();
        context.effects.push(Effect::PauseSchedule(id, self.schedule.clone(), Some(reason)));
        (self.sending, self.failed) = (Some(id), None);
    }
}

impl Screen for Pause {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn layer(&self) -> Layer {
        Layer::Input
    }

    fn awaits(&self) -> Option<RequestId> {
        self.sending
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
            self.failed = None;
        }
    }

    fn paste(&mut self, text: &str, _context: &mut Context<'_>) {
        self.field.paste(text);
        self.failed = None;
    }

    fn reply(&mut self, id: RequestId, reply: Reply, context: &mut Context<'_>) -> Option<Reply> {
        match reply {
            Reply::Done(result) if self.sending == Some(id) => {
                self.sending = None;
                match result {
                    Ok(sentence) => {
                        context.say(Toast::info(sentence));
                        context.steps.push(Step::Close);
                    }
                    Err(problem) => self.failed = Some(problem),
                }
                None
            }
            other => Some(other),
        }
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Accept, Command::Cancel]
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        let width = WIDEST.min(area.width.saturating_sub(2));
        let inner = usize::from(width.saturating_sub(4));
        let about = "It makes no backups until somebody resumes it. Runs that pass meanwhile are not missed.";
        let mut lines: Vec<Line<'static>> = format::wrap(about, inner)
            .into_iter()
            .map(|part| Line::from(look.span(Role::Text, part)))
            .collect();
        lines.push(Line::default());
        let at = lines.len();
        lines.push(Line::from(look.span(Role::Text, LABEL)));
        match (&self.failed, self.sending) {
            (Some(problem), _) => lines.extend(problem_lines(look, problem, inner)),
            (None, Some(_)) => {
                lines.push(Line::from(look.span(Role::Progress, format!("{} Recording …", look.spinner()))));
            }
            (None, None) => {
                lines.push(Line::from(look.span(Role::Muted, "     others read it, with your name")))
            }
        }
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
        let title = format!("Pause {}", self.schedule);
        let inside = frame::dialog(buffer, centred(area, width, height), look, &title);
        paint::lines(buffer, inside, lines);
        let place = row(inside, u16::try_from(at).unwrap_or(u16::MAX));
        let lead = u16::try_from(format::width(LABEL)).unwrap_or(0).min(place.width);
        let place = Rect { x: place.x + lead, width: place.width - lead, ..place };
        self.field.draw(buffer, place, look, true);
    }
}
