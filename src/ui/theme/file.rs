//! A theme file: TOML with a `[palette]`, `[roles]`, and perhaps a theme that it inherits from.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier};
use serde::Deserialize;
use toml::Spanned;

use super::{Role, colour};
use crate::ui::diagnostic::{Diagnostic, nearest};

/// A theme as a file states it: only what the file itself says, colours still by the name of the palette.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThemeFile {
    /// The file's own name, for messages.
    pub file: String,
    /// One line for the theme picker.
    pub description: String,
    /// The theme whose roles and palette are taken where this one says nothing.
    pub inherits: Option<String>,
    /// The theme to use instead on a terminal with 16 colours.
    pub sixteen: Option<String>,
    /// Colours by name, with the lines on which they stand.
    pub palette: BTreeMap<String, Color>,
    /// Styles by role.
    pub roles: BTreeMap<Role, RoleStyle>,
}

/// What a file says about one role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleStyle {
    /// The line on which it stands.
    pub line: usize,
    /// Foreground: a palette name, a colour name, or `#rrggbb`.
    pub fg: Option<String>,
    /// Background, written the same way.
    pub bg: Option<String>,
    /// Bold, dim, italic, underlined, reversed.
    pub modifiers: Modifier,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    description: String,
    inherits: Option<String>,
    sixteen: Option<String>,
    #[serde(default)]
    palette: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    roles: BTreeMap<Spanned<String>, RawStyle>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawStyle {
    Foreground(String),
    Full(RawFull),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFull {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    italic: bool,
    #[serde(default)]
    underline: bool,
    #[serde(default)]
    reverse: bool,
}

impl RawFull {
    fn modifiers(&self) -> Modifier {
        let flags = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underline, Modifier::UNDERLINED),
            (self.reverse, Modifier::REVERSED),
        ];
        flags.into_iter().filter(|(on, _)| *on).fold(Modifier::empty(), |all, (_, one)| all | one)
    }
}

/// Reads a theme file. What cannot be used is left out and comes back as warnings.
///
/// # Errors
/// When the text is not TOML of a theme's shape.
pub fn parse(file: &str, text: &str) -> Result<(ThemeFile, Vec<Diagnostic>), Diagnostic> {
    let raw: Raw = toml::from_str(text).map_err(|error| Diagnostic::from_toml(file, text, &error))?;
    let mut warnings = Vec::new();
    let mut palette = BTreeMap::new();
    for (name, value) in raw.palette {
        match colour::parse(value.get_ref()) {
            Some(colour) => drop(palette.insert(name, colour)),
            None => warnings.push(
                Diagnostic::at(
                    file,
                    text,
                    value.span().start,
                    format!("'{}' is not a colour", value.get_ref()),
                )
                .hint("write '#rrggbb' or one of the terminal's colours, such as 'light-blue'"),
            ),
        }
    }
    let mut roles = BTreeMap::new();
    for (name, style) in raw.roles {
        match Role::parse(name.get_ref()) {
            Some(role) => {
                drop(roles.insert(role, role_style(Diagnostic::at(file, text, name.span().start, ""), style)))
            }
            None => warnings.push(unknown_role(file, text, &name)),
        }
    }
    let theme = ThemeFile {
        file: file.to_owned(),
        description: raw.description,
        inherits: raw.inherits,
        sixteen: raw.sixteen,
        palette,
        roles,
    };
    Ok((theme, warnings))
}

fn role_style(place: Diagnostic, style: RawStyle) -> RoleStyle {
    match style {
        RawStyle::Foreground(fg) => RoleStyle { line: place.line, fg: Some(fg), ..RoleStyle::default() },
        RawStyle::Full(full) => {
            let modifiers = full.modifiers();
            RoleStyle { line: place.line, fg: full.fg, bg: full.bg, modifiers }
        }
    }
}

fn unknown_role(file: &str, text: &str, name: &Spanned<String>) -> Diagnostic {
    let message = format!("there is no role '{}'", name.get_ref());
    let diagnostic = Diagnostic::at(file, text, name.span().start, message);
    match nearest(name.get_ref(), Role::ALL.map(Role::name)) {
        Some(role) => diagnostic.hint(format!("did you mean '{role}'?")),
        None => diagnostic,
    }
}
