//! Themes and keymaps from files, put together into what the screen is drawn with.

use std::fs;
use std::path::Path;

use super::Look;
use crate::domain::Problem;
use crate::ui::UiConfig;
use crate::ui::UiOptions;
use crate::ui::diagnostic::Diagnostic;
use crate::ui::keymap::KeymapSet;
use crate::ui::theme::{ColourDepth, ThemeSet};

/// The largest theme or keymap file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// What the terminal says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TerminalKind {
    /// `$TERM`.
    pub term: String,
    /// `$COLORTERM`.
    pub colorterm: String,
}

impl TerminalKind {
    /// As the environment says.
    pub fn from_environment() -> Self {
        let read = |name: &str| std::env::var(name).unwrap_or_default();
        Self { term: read("TERM"), colorterm: read("COLORTERM") }
    }

    /// Whether a link does no harm there: what does not know OSC 8 should leave it out, but the plainest ones print it.
    pub fn shows_links(&self) -> bool {
        !matches!(self.term.as_str(), "" | "dumb" | "linux" | "cons25" | "ansi")
            && !self.term.starts_with("vt")
    }

    /// How many colours it shows; none where `NO_COLOR` asks for none.
    pub fn colours(&self, no_color: bool) -> ColourDepth {
        if no_color || self.term == "dumb" {
            ColourDepth::Mono
        } else if matches!(self.colorterm.as_str(), "truecolor" | "24bit") || self.term.ends_with("-direct") {
            ColourDepth::Full
        } else if self.term.contains("256color") {
            ColourDepth::Indexed
        } else {
            ColourDepth::Sixteen
        }
    }
}

/// Reads `themes/*.toml` and `keymaps/*.toml` of `directory` over the bundled ones. What cannot be used is left out and told
/// in the second part; only what was asked for by name (`look`) must be sound.
///
/// # Errors
/// When the theme or keymap that was asked for is missing or broken.
pub fn load(
    directory: &Path,
    look: &Look,
    remembered_theme: Option<String>,
    terminal: &TerminalKind,
) -> Result<(UiConfig, Vec<Problem>), Problem> {
    let mut findings = Vec::new();
    let mut themes = ThemeSet::bundled();
    for (name, file, text) in toml_files(&directory.join("themes"), &mut findings) {
        take(themes.add(&name, &file, &text), &mut findings);
    }
    let mut keymaps = KeymapSet::bundled();
    for (name, file, text) in toml_files(&directory.join("keymaps"), &mut findings) {
        take(keymaps.add(&name, &file, &text), &mut findings);
    }
    let defaults = UiOptions::default();
    let known = remembered_theme.filter(|name| themes.names().any(|(known, _)| known == name));
    let options = UiOptions {
        theme: look.theme.clone().or(known).unwrap_or(defaults.theme),
        keymap: look.keymap.clone().unwrap_or(defaults.keymap),
        colours: terminal.colours(look.no_color),
        ascii: look.ascii || terminal.term == "linux" || terminal.term == "dumb",
        reduced_motion: look.reduced_motion,
        links: !look.no_links && terminal.shows_links(),
    };
    let (config, more) = UiConfig::new(themes, &keymaps, options);
    findings.extend(more);
    if let Some(broken) = findings.iter().find(|finding| was_asked_for(finding, look)) {
        return Err(broken.problem("What was asked for cannot be used"));
    }
    let mut told: Vec<Problem> = Vec::new();
    for finding in &findings {
        let problem = finding.problem("A file of yours was left out");
        if !told.contains(&problem) {
            told.push(problem);
        }
    }
    Ok((config, told))
}

fn take(added: Result<Vec<Diagnostic>, Diagnostic>, findings: &mut Vec<Diagnostic>) {
    match added {
        Ok(warnings) => findings.extend(warnings),
        Err(problem) => findings.push(problem),
    }
}

/// Whether a finding is about the theme or keymap that was named: in its file, or that there is none of that name.
fn was_asked_for(finding: &Diagnostic, look: &Look) -> bool {
    let asked = [("themes", &look.theme), ("keymaps", &look.keymap)];
    asked.into_iter().filter_map(|(kind, name)| Some((kind, name.as_ref()?))).any(|(kind, name)| {
        let file = Path::new(&finding.file);
        let its_own = file.ends_with(Path::new(kind).join(format!("{name}.toml")));
        its_own || (finding.file == kind && finding.message.contains(&format!("'{name}'")))
    })
}

/// `(name, path, text)` of every readable `*.toml` in a directory, by name. A directory that does not exist holds none.
fn toml_files(directory: &Path, findings: &mut Vec<Diagnostic>) -> Vec<(String, String, String)> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
        .into_iter()
        .filter_map(|path| {
            let file = path.display().to_string();
            let name = path.file_stem()?.to_str()?.to_owned();
            match read(&path) {
                Ok(text) => Some((name, file, text)),
                Err(error) => {
                    findings.push(Diagnostic::file(&file, error.to_string()));
                    None
                }
            }
        })
        .collect()
}

fn read(path: &Path) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > LARGEST {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> TerminalKind {
        TerminalKind { term: "xterm-256color".into(), colorterm: "truecolor".into() }
    }

    #[test]
    fn a_broken_file_is_left_out_and_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("themes")).unwrap();
        fs::write(directory.path().join("themes/broken.toml"), "[roles\n").unwrap();
        let (config, told) = load(directory.path(), &Look::default(), None, &terminal()).unwrap();
        assert_eq!(config.options.theme, ThemeSet::DEFAULT);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].why.contains("broken.toml:1"), "{told:?}");
    }

    #[test]
    fn what_was_asked_for_must_be_sound() {
        let directory = tempfile::tempdir().unwrap();
        let missing = Look { theme: Some("papre".into()), ..Look::default() };
        let refused = load(directory.path(), &missing, None, &terminal()).unwrap_err();
        assert!(refused.to_string().contains("paper"), "{refused}");
    }

    #[test]
    fn a_remembered_theme_that_is_gone_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let (config, told) =
            load(directory.path(), &Look::default(), Some("gone".into()), &terminal()).unwrap();
        assert_eq!((config.options.theme.as_str(), told.len()), (ThemeSet::DEFAULT, 0));
        let (config, _) =
            load(directory.path(), &Look::default(), Some("paper".into()), &terminal()).unwrap();
        assert_eq!(config.options.theme, "paper");
    }

    #[test]
    fn links_are_for_terminals_that_leave_out_what_they_do_not_know() {
        let shows = |term: &str| TerminalKind { term: term.into(), ..TerminalKind::default() }.shows_links();
        assert!(["xterm-256color", "tmux-256color", "screen", "foot", "alacritty"].into_iter().all(shows));
        assert!(!["", "dumb", "linux", "vt100", "vt220"].into_iter().any(shows));
        let directory = tempfile::tempdir().unwrap();
        let off = Look { no_links: true, ..Look::default() };
        for (look, links) in [(Look::default(), true), (off, false)] {
            let (config, _) = load(directory.path(), &look, None, &terminal()).unwrap();
            assert_eq!(config.options.links, links);
        }
    }

    #[test]
    fn colours_follow_the_terminal() {
        let kind =
            |term: &str, colorterm: &str| TerminalKind { term: term.into(), colorterm: colorterm.into() };
        assert_eq!(kind("xterm-256color", "truecolor").colours(false), ColourDepth::Full);
        assert_eq!(kind("tmux-256color", "").colours(false), ColourDepth::Indexed);
        assert_eq!(kind("linux", "").colours(false), ColourDepth::Sixteen);
        assert_eq!(kind("xterm-256color", "truecolor").colours(true), ColourDepth::Mono);
    }
}
