//! Finding one thing among many by typing: commands, applications, themes, containers.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::domain::World;
use crate::domain::world::LogTarget;
use crate::ui::config::UiConfig;
use crate::ui::format;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::layout::{centred, row, rows_from};
use crate::ui::list::{Cursor, window};
use crate::ui::look::Look;
use crate::ui::query::rank;
use crate::ui::screen::{ApplicationKey, Context, Screen, Step, Tab};
use crate::ui::text_field::TextField;
use crate::ui::theme::{Role, ThemeSet};
use crate::ui::widgets::{frame, paint, scroll, table};

/// The widest picker.
const WIDEST: u16 = 76;
/// The most rows that are shown at once.
const ROWS: u16 = 14;

/// One thing that can be picked.
#[derive(Debug, Clone)]
struct Item {
    label: String,
    about: String,
    /// Its key, or what kind of thing it is.
    note: String,
    step: Step,
}

/// Finding one thing among many by typing.
#[derive(Debug)]
pub struct Picker {
    name: &'static str,
    title: String,
    items: Vec<Item>,
    shown: Vec<usize>,
    field: TextField,
    cursor: Cursor,
}

impl Picker {
    /// The name of the palette, whatever it holds.
    pub const PALETTE: &str = "palette";
    /// The name of the container picker.
    pub const CONTAINERS: &str = "containers";

    /// The name of the component picker.
    pub const COMPONENTS: &str = "components";

    fn new(name: &'static str, title: impl Into<String>, items: Vec<Item>) -> Self {
        let shown = (0..items.len()).collect();
        Self {
            name,
            title: title.into(),
            items,
            shown,
            field: TextField::default().with_placeholder("type to find"),
            cursor: Cursor::default(),
        }
    }

    /// Everything: commands that make sense here, applications, themes.
    pub fn palette(config: &UiConfig, world: &World, layer: Layer, flags: &Flags) -> Self {
        let mut items: Vec<Item> = Command::ALL
            .iter()
            .filter(|command| command.in_palette() && makes_sense(**command, config, layer, flags))
            .map(|command| Item {
                label: command.name().to_owned(),
                about: command.doc().to_owned(),
                note: config.keymap.keys_of(*command, layer, flags).into_iter().next().unwrap_or_default(),
                step: Step::Run(*command),
            })
            .collect();
        items.extend(world.applications.iter().map(|application| {
            let key = ApplicationKey::of(application);
            Item {
                label: key.name.clone(),
                about: format!("in {}", key.environment),
                note: application.health().as_str().to_owned(),
                step: Step::ShowApplication(key, Tab::Overview),
            }
        }));
        items.extend(theme_items(&config.themes, "theme "));
        Self::new(Self::PALETTE, "Find a command, an application or a theme", items)
    }

    /// The themes, shown as one goes through them. The current one comes first.
    pub fn themes(themes: &ThemeSet, current: &str) -> Self {
        let mut items = theme_items(themes, "");
        items.sort_by_key(|item| item.label != current);
        Self::new(Self::PALETTE, "Choose a theme", items)
    }

    /// The containers whose logs can be followed.
    pub fn containers(targets: &[LogTarget]) -> Self {
        let items = targets.iter().map(|target| Item {
            label: format!("{} › {}", target.pod, target.container),
            about: String::new(),
            note: String::new(),
            step: Step::Follow(target.clone()),
        });
        Self::new(Self::CONTAINERS, "Follow the log of", items.collect())
    }

    /// Components of an application; each leads to a step of its own.
    pub fn components(title: String, items: Vec<(String, String, Step)>) -> Self {
        let items =
            items.into_iter().map(|(label, about, step)| Item { label, about, note: String::new(), step });
        Self::new(Self::COMPONENTS, title, items.collect())
    }

    fn selected(&self) -> Option<&Item> {
        self.items.get(*self.shown.get(self.cursor.at)?)
    }

    /// Shows the theme that the cursor is on, or the kept one when it is on something else.
    fn preview(&self, context: &mut Context<'_>) {
        let theme = match self.selected().map(|item| &item.step) {
            Some(Step::UseTheme(name)) => Some(name.clone()),
            _ => None,
        };
        context.steps.push(Step::PreviewTheme(theme));
    }

    fn search(&mut self, context: &mut Context<'_>) {
        let texts = self.items.iter().map(|item| (item.label.as_str(), item.about.as_str()));
        self.shown = rank(self.field.text(), texts);
        self.cursor = Cursor::default();
        self.preview(context);
    }

    fn page(size: Size) -> usize {
        usize::from(size.height.saturating_sub(4).min(ROWS))
    }

    fn accept(&mut self, context: &mut Context<'_>) {
        let step = self.selected().map(|item| item.step.clone());
        context.steps.push(Step::PreviewTheme(None));
        context.steps.push(Step::Close);
        context.steps.extend(step);
    }
}

fn makes_sense(command: Command, config: &UiConfig, layer: Layer, flags: &Flags) -> bool {
    let keymap = &config.keymap;
    let bound = keymap.bindings().iter().any(|binding| binding.command == command);
    let here = !keymap.keys_of(command, layer, flags).is_empty();
    let installs = command == Command::Install;
    // where none is shown, it asks which one
    let asks = command == Command::RemoveEnvironment;
    here || asks || (!bound && (!installs || flags.has(Flag::NotInstalled)))
}

fn theme_items(themes: &ThemeSet, prefix: &str) -> Vec<Item> {
    let item = |(name, about): (&str, &str)| Item {
        label: format!("{prefix}{name}"),
        about: about.to_owned(),
        note: String::new(),
        step: Step::UseTheme(name.to_owned()),
    };
    themes.names().map(item).collect()
}

impl Screen for Picker {
    fn name(&self) -> &'static str {
        self.name
    }

    fn layer(&self) -> Layer {
        Layer::Input
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        let command = match command {
            Command::Next => Command::Down,
            Command::Previous => Command::Up,
            other => other,
        };
        match command {
            Command::Accept => self.accept(context),
            Command::Cancel | Command::Back => {
                context.steps.push(Step::PreviewTheme(None));
                context.steps.push(Step::Close);
            }
            other => {
                let moved = self.cursor.command(other, self.shown.len(), Self::page(context.size));
                self.preview(context);
                return moved;
            }
        }
        true
    }

    fn key(&mut self, key: KeyEvent, context: &mut Context<'_>) {
        if self.field.key(key) {
            self.search(context);
        }
    }

    fn paste(&mut self, text: &str, context: &mut Context<'_>) {
        self.field.paste(text);
        self.search(context);
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        self.cursor.settle(self.shown.len(), Self::page(context.size));
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Accept, Command::Down, Command::Up, Command::Cancel]
    }

    fn draw(&self, _world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        // The box keeps its size while one types, so that nothing jumps.
        let rows = u16::try_from(self.items.len()).unwrap_or(ROWS).clamp(1, ROWS);
        let width = WIDEST.min(area.width.saturating_sub(2));
        let inside = frame::dialog(buffer, centred(area, width, rows + 4), look, &self.title);
        self.field.draw(buffer, row(inside, 0), look, true);
        let list = rows_from(inside, 2.min(inside.height));
        let page = usize::from(list.height);
        let offset = window(self.cursor.at, self.cursor.offset, self.shown.len(), page);
        for (place, (at, index)) in list.rows().zip(self.shown.iter().enumerate().skip(offset)) {
            let Some(item) = self.items.get(*index) else { continue };
            let selected = at == self.cursor.at;
            table::select(buffer, place, look, selected);
            draw_item(item, selected, look, table::content(place), buffer);
            table::settle(buffer, place, look, selected);
        }
        if self.shown.is_empty() {
            paint::line(buffer, list, Line::from(look.span(Role::Muted, " nothing matches")));
        }
        scroll::bar(buffer, list, look, offset, self.shown.len());
    }
}

fn draw_item(item: &Item, selected: bool, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let quiet = if selected { Role::Text } else { Role::Muted };
    let note = u16::try_from(format::width(&item.note)).unwrap_or(0);
    let left = Rect { width: area.width.saturating_sub(note + 2), ..area };
    let label = Line::from(vec![
        look.span(Role::Title, format!("{:<20} ", item.label)),
        look.span(quiet, item.about.clone()),
    ]);
    paint::line(buffer, left, label);
    paint::line(buffer, area, Line::from(look.span(Role::Key, item.note.clone())).right_aligned());
}
