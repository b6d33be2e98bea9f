use ratatui::style::Color;

use super::*;

fn resolved(name: &str) -> Theme {
    let (theme, warnings) = ThemeSet::bundled().resolve(name, ColourDepth::Full).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    theme
}

/// The backgrounds on which each role is drawn.
fn backgrounds(role: Role) -> &'static [Role] {
    match role {
        Role::Text | Role::Muted | Role::Title | Role::Accent | Role::Section => {
            &[Role::Base, Role::Bar, Role::Dialog, Role::Selection]
        }
        Role::Ok | Role::Warn | Role::Fail | Role::Progress | Role::Idle | Role::Unknown => {
            &[Role::Base, Role::Bar, Role::Dialog, Role::Toast, Role::Selection]
        }
        Role::Url | Role::TableHead | Role::Tab => &[Role::Base, Role::Selection],
        Role::TabActive => &[Role::Base, Role::Bar],
        Role::Key | Role::KeyHint => &[Role::Footer, Role::Dialog, Role::Base],
        Role::DialogTitle | Role::Placeholder => &[Role::Dialog, Role::Base],
        Role::Log | Role::LogFringe => &[Role::Base],
        Role::Border | Role::BorderFocus | Role::SelectionMark | Role::Dialog | Role::Base => &[],
        _ => &[Role::Base],
    }
}

fn check_contrast(theme: &Theme, wanted: f64) -> Vec<String> {
    let mut low = Vec::new();
    for role in Role::ALL {
        for under in backgrounds(role) {
            let style = theme.style(role);
            let (Some(fg), Some(bg)) = (style.fg, style.bg.or(theme.style(*under).bg)) else { continue };
            let ratio = colour::contrast(fg, bg).unwrap_or(21.0);
            if ratio < wanted {
                low.push(format!("{}: {} on {} {ratio:.2}", theme.name, role.name(), under.name()));
            }
        }
    }
    low
}

#[test]
fn bundled_themes_are_sound_and_readable() {
    let mut low = Vec::new();
    for (name, description) in ThemeSet::bundled().names() {
        assert!(!description.is_empty(), "{name} has no description");
        low.extend(check_contrast(&resolved(name), if name == "high-contrast" { 7.0 } else { 4.5 }));
    }
    assert!(low.is_empty(), "too little contrast:\n{}", low.join("\n"));
}

#[test]
fn every_bundled_file_gives_no_warning() {
    let mut set = ThemeSet::bundled();
    let names: Vec<String> = set.names().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["colour-blind", "high-contrast", "midnight", "mono", "paper", "terminal"]);
    let text = include_str!("../../../themes/midnight.toml");
    assert_eq!(set.add("again", "again.toml", text).unwrap(), []);
}

#[test]
fn healths_differ_in_every_coloured_theme() {
    for name in ["midnight", "paper", "high-contrast", "colour-blind", "terminal"] {
        let theme = resolved(name);
        let mut seen: Vec<Option<Color>> = [Role::Ok, Role::Warn, Role::Fail, Role::Progress, Role::Unknown]
            .map(|r| theme.style(r).fg)
            .to_vec();
        seen.dedup();
        assert_eq!(seen.len(), 5, "{name}");
    }
}

#[test]
fn without_colours_no_style_has_one() {
    let (theme, _) = ThemeSet::bundled().resolve("midnight", ColourDepth::Mono).unwrap();
    for role in Role::ALL {
        assert_eq!((theme.style(role).fg, theme.style(role).bg), (None, None), "{role:?}");
    }
    assert!(theme.style(Role::Selection).add_modifier.contains(Modifier::REVERSED));
}

#[test]
fn sixteen_colours_are_the_terminals_own() {
    let (theme, _) = ThemeSet::bundled().resolve("paper", ColourDepth::Sixteen).unwrap();
    for role in Role::ALL {
        assert!(!matches!(theme.style(role).fg, Some(Color::Rgb(..) | Color::Indexed(_))), "{role:?}");
    }
}

#[test]
fn mistakes_are_warned_about_with_their_line() {
    let mut set = ThemeSet::bundled();
    let text = "inherits = \"midnight\"\n[palette]\nsea = \"#12\"\n[roles]\ntexte = \"sea\"\nok = { fg = \"gren\" }\n";
    let warnings = set.add("mine", "mine.toml", text).unwrap();
    let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "mine.toml:3: '#12' is not a colour (write '#rrggbb' or one of the terminal's colours, such as 'light-blue')",
            "mine.toml:5: there is no role 'texte' (did you mean 'text'?)",
            "mine.toml:6: there is no colour 'gren' (did you mean 'green'?)",
        ]
    );
    assert_eq!(
        set.resolve("mine", ColourDepth::Full).unwrap().0.style(Role::Text),
        resolved("midnight").style(Role::Text)
    );
}

#[test]
fn a_broken_theme_changes_nothing() {
    let mut set = ThemeSet::bundled();
    let before = set.clone();
    assert_eq!(set.add("midnight", "midnight.toml", "[roles\n").unwrap_err().line, 1);
    let itself = set.add("paper", "paper.toml", "inherits = \"paper\"").unwrap_err();
    assert_eq!(itself.to_string(), "paper.toml: it inherits from itself");
    let none = set.add("mine", "mine.toml", "inherits = \"papper\"").unwrap_err();
    assert_eq!(none.to_string(), "mine.toml: there is no theme 'papper' (did you mean 'paper'?)");
    assert_eq!(set, before);
}
