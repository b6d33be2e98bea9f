//! All themes that can be chosen, and how one becomes ready to draw with.

use std::collections::BTreeMap;

use ratatui::style::{Color, Style};

use super::file::{self, RoleStyle, ThemeFile};
use super::{ColourDepth, Role, Theme, colour};
use crate::ui::diagnostic::{Diagnostic, nearest};

const BUNDLED: [(&str, &str); 6] = [
    ("midnight", include_str!("../../../themes/midnight.toml")),
    ("paper", include_str!("../../../themes/paper.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../../themes/colour-blind.toml")),
    ("terminal", include_str!("../../../themes/terminal.toml")),
    ("mono", include_str!("../../../themes/mono.toml")),
];

/// Themes by name.
#[derive(Debug, Clone, PartialEq)]
pub struct ThemeSet {
    themes: BTreeMap<String, ThemeFile>,
}

impl Default for ThemeSet {
    fn default() -> Self {
        Self::bundled()
    }
}

impl ThemeSet {
    /// The theme that is used when none is chosen.
    pub const DEFAULT: &str = "midnight";

    /// The themes that come with the program.
    pub fn bundled() -> Self {
        let mut set = Self { themes: BTreeMap::new() };
        for (name, text) in BUNDLED {
            // A test holds that the bundled ones are sound.
            drop(set.add(name, &format!("{name}.toml"), text));
        }
        set
    }

    /// Adds a theme, or replaces the one of that name. `file` is named in messages. Returns what was left out.
    ///
    /// # Errors
    /// When the text is no theme; the set stays as it was.
    pub fn add(&mut self, name: &str, file: &str, text: &str) -> Result<Vec<Diagnostic>, Diagnostic> {
        let (theme, mut warnings) = file::parse(file, text)?;
        let before = self.themes.insert(name.to_owned(), theme);
        match self.resolve(name, ColourDepth::Full) {
            Ok((_, more)) => {
                warnings.extend(more);
                Ok(warnings)
            }
            Err(problem) => {
                match before {
                    Some(before) => self.themes.insert(name.to_owned(), before),
                    None => self.themes.remove(name),
                };
                Err(problem)
            }
        }
    }

    /// Names and descriptions, in the order in which they are offered.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.themes.iter().map(|(name, theme)| (name.as_str(), theme.description.as_str()))
    }

    /// Makes a theme ready for a terminal. Colours that mean nothing come back as warnings.
    ///
    /// # Errors
    /// When there is no such theme, or it inherits from none that exists, or from itself.
    pub fn resolve(&self, name: &str, depth: ColourDepth) -> Result<(Theme, Vec<Diagnostic>), Diagnostic> {
        // asked for by name, it must exist, even where the terminal shows another one in its place
        self.chain(name)?;
        let chosen = match depth {
            ColourDepth::Full | ColourDepth::Indexed => name,
            ColourDepth::Sixteen => {
                self.themes.get(name).and_then(|t| t.sixteen.as_deref()).unwrap_or("terminal")
            }
            ColourDepth::Mono => "mono",
        };
        let chain = self.chain(chosen)?;
        let mut warnings = Vec::new();
        let styles: BTreeMap<Role, Style> = Role::ALL
            .into_iter()
            .filter_map(|role| {
                let (file, style) = chain.iter().find_map(|theme| Some((*theme, theme.roles.get(&role)?)))?;
                Some((role, to_style(&chain, file, style, &mut warnings)))
            })
            .collect();
        let narrow = |style: Style| if depth == ColourDepth::Indexed { to_256(style) } else { style };
        let theme = Theme::new(name, |role| {
            let mut at = Some(role);
            while let Some(role) = at {
                if let Some(style) = styles.get(&role) {
                    return narrow(*style);
                }
                at = role.fallback();
            }
            Style::new()
        });
        Ok((theme, warnings))
    }

    /// The theme and those that it inherits from, nearest first.
    fn chain(&self, name: &str) -> Result<Vec<&ThemeFile>, Diagnostic> {
        let mut chain: Vec<&ThemeFile> = Vec::new();
        let mut next = Some(name);
        while let Some(name) = next {
            let theme = self.themes.get(name).ok_or_else(|| self.missing(name, chain.last().copied()))?;
            if chain.iter().any(|seen| std::ptr::eq(*seen, theme)) {
                return Err(Diagnostic::file(&theme.file, "it inherits from itself"));
            }
            chain.push(theme);
            next = theme.inherits.as_deref();
        }
        Ok(chain)
    }

    fn missing(&self, name: &str, wanted_by: Option<&ThemeFile>) -> Diagnostic {
        let file = wanted_by.map_or("themes", |theme| theme.file.as_str());
        let diagnostic = Diagnostic::file(file, format!("there is no theme '{name}'"));
        match nearest(name, self.themes.keys().map(String::as_str)) {
            Some(near) => diagnostic.hint(format!("did you mean '{near}'?")),
            None => diagnostic,
        }
    }
}

fn to_style(
    chain: &[&ThemeFile],
    file: &ThemeFile,
    style: &RoleStyle,
    warnings: &mut Vec<Diagnostic>,
) -> Style {
    let mut colour = |name: Option<&str>| {
        let name = name?;
        let found =
            chain.iter().find_map(|theme| theme.palette.get(name)).copied().or_else(|| colour::parse(name));
        if found.is_none() {
            let mut names: Vec<&str> = colour::names().collect();
            names.extend(chain.iter().flat_map(|theme| theme.palette.keys()).map(String::as_str));
            let mut warning = Diagnostic::file(&file.file, format!("there is no colour '{name}'"));
            warning.line = style.line;
            warnings.push(match nearest(name, names) {
                Some(near) => warning.hint(format!("did you mean '{near}'?")),
                None => warning,
            });
        }
        found
    };
    let (fg, bg): (Option<Color>, Option<Color>) = (colour(style.fg.as_deref()), colour(style.bg.as_deref()));
    Style { fg, bg, ..Style::new() }.add_modifier(style.modifiers)
}

fn to_256(style: Style) -> Style {
    Style { fg: style.fg.map(colour::to_256), bg: style.bg.map(colour::to_256), ..style }
}
