//! Theme, keymap and options: what `app` reads from files and hands in.

use super::diagnostic::Diagnostic;
use super::keymap::{Keymap, KeymapSet};
use super::theme::{ColourDepth, Theme, ThemeSet};

/// What the terminal and the person ask of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UiOptions {
    /// The theme's name.
    pub theme: String,
    /// The keymap's name.
    pub keymap: String,
    /// How many colours the terminal shows ([`ColourDepth::Mono`] for `NO_COLOR`).
    pub colours: ColourDepth,
    /// Draw with ASCII characters only.
    pub ascii: bool,
    /// Nothing moves by itself.
    pub reduced_motion: bool,
    /// URLs are links (OSC 8).
    pub links: bool,
}

impl Default for UiOptions {
    fn default() -> Self {
        Self {
            theme: ThemeSet::DEFAULT.to_owned(),
            keymap: KeymapSet::DEFAULT.to_owned(),
            colours: ColourDepth::Full,
            ascii: false,
            reduced_motion: false,
            links: true,
        }
    }
}

/// Theme, keymap and options, parsed from files. The default is what comes with the program.
#[derive(Debug, Clone, Default)]
pub struct UiConfig {
    /// Every theme that can be chosen.
    pub themes: ThemeSet,
    /// The keymap in force.
    pub keymap: Keymap,
    /// What the terminal and the person ask for.
    pub options: UiOptions,
}

impl UiConfig {
    /// Puts a configuration together. What had to be left out comes back beside it: a theme or keymap that cannot be
    /// used gives way to the one that comes with the program.
    pub fn new(themes: ThemeSet, keymaps: &KeymapSet, options: UiOptions) -> (Self, Vec<Diagnostic>) {
        let mut findings = Vec::new();
        let keymap = match keymaps.resolve(&options.keymap) {
            Ok((keymap, warnings)) => {
                findings.extend(warnings);
                keymap
            }
            Err(problem) => {
                findings.push(problem);
                Keymap::default()
            }
        };
        match themes.resolve(&options.theme, options.colours) {
            Ok((_, warnings)) => findings.extend(warnings),
            Err(problem) => findings.push(problem),
        }
        (Self { themes, keymap, options }, findings)
    }

    /// The theme of that name, ready to draw with; the default one when it cannot be had.
    pub fn theme(&self, name: &str) -> Theme {
        let themes = [name, ThemeSet::DEFAULT].into_iter();
        let mut found = themes.filter_map(|name| self.themes.resolve(name, self.options.colours).ok());
        match found.next() {
            Some((theme, _)) => theme,
            None => Theme::plain(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_gives_way_and_is_named() {
        let options = UiOptions { theme: "papre".into(), keymap: "emacs".into(), ..UiOptions::default() };
        let (config, findings) = UiConfig::new(ThemeSet::bundled(), &KeymapSet::bundled(), options);
        let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(shown[0], "keymaps: there is no keymap 'emacs'");
        assert_eq!(shown[1], "themes: there is no theme 'papre' (did you mean 'paper'?)");
        assert_eq!(config.keymap, Keymap::default());
        assert_eq!(config.theme("papre").name, "midnight");
    }
}
