use super::*;

fn keys(text: &[&str]) -> Vec<Chord> {
    text.iter().map(|key| Chord::parse(key).unwrap()).collect()
}

fn keymap(name: &str) -> Keymap {
    let (keymap, warnings) = KeymapSet::bundled().resolve(name).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    keymap
}

#[test]
fn every_command_is_reachable_in_every_keymap() {
    for name in ["default", "k9s", "helix"] {
        let keymap = keymap(name);
        for command in Command::ALL {
            let bound = keymap.bindings().iter().any(|binding| binding.command == *command);
            assert!(bound || command.in_palette(), "{name}: nothing runs {}", command.name());
        }
    }
}

#[test]
fn the_bundled_files_give_no_warnings() {
    let mut set = KeymapSet::bundled();
    assert_eq!(set.names().count(), 3);
    let files = [
        ("default", include_str!("../../../keymaps/default.toml")),
        ("k9s", include_str!("../../../keymaps/k9s.toml")),
        ("helix", include_str!("../../../keymaps/helix.toml")),
    ];
    for (name, text) in files {
        assert_eq!(set.add(name, name, text).unwrap(), [], "{name}");
    }
}

#[test]
fn nothing_hides_anything_in_a_layer() {
    for name in ["default", "k9s", "helix"] {
        let keymap = keymap(name);
        for (index, binding) in keymap.bindings().iter().enumerate() {
            let hidden = keymap.bindings()[..index].iter().find(|other| other.conflicts(binding));
            assert!(hidden.is_none(), "{name}: {binding:?} and {hidden:?}");
        }
    }
}

#[test]
fn nothing_that_writes_is_on_a_ctrl_letter_and_nothing_needs_an_unfriendly_one() {
    for name in ["default", "k9s", "helix"] {
        for binding in keymap(name).bindings() {
            assert!(!(binding.command.writes() && binding.keys.iter().any(|key| key.is_ctrl_letter())));
            for unfriendly in ["ctrl-a", "ctrl-s", "ctrl-q", "ctrl-z"] {
                assert!(!binding.keys.contains(&keys(&[unfriendly])[0]), "{name}: {binding:?}");
            }
        }
    }
}

#[test]
fn in_a_text_field_every_character_can_be_typed() {
    for name in ["default", "k9s", "helix"] {
        assert!(keymap(name).bindings().iter().all(|b| b.layer != Layer::Input || !b.keys[0].is_text()));
    }
}

#[test]
fn layers_come_before_global_and_text_fields_stand_alone() {
    let (map, flags) = (keymap("default"), Flags::default());
    assert_eq!(map.find(Layer::Table, &flags, &keys(&["?"])), Found::Command(Command::Help));
    assert_eq!(map.find(Layer::Input, &flags, &keys(&["?"])), Found::Nothing);
    assert_eq!(map.find(Layer::Input, &flags, &keys(&["ctrl-c"])), Found::Command(Command::Quit));
}

#[test]
fn sequences_wait_for_their_second_key() {
    let (map, flags) = (keymap("helix"), Flags::default());
    assert_eq!(map.find(Layer::Table, &flags, &keys(&["g"])), Found::Pending);
    assert_eq!(map.find(Layer::Table, &flags, &keys(&["g", "g"])), Found::Command(Command::Top));
    assert_eq!(map.find(Layer::Table, &flags, &keys(&["g", "z"])), Found::Nothing);
}

#[test]
fn conditions_choose_between_bindings_of_the_same_key() {
    let map = keymap("default");
    let mut flags = Flags::default();
    assert_ne!(map.find(Layer::Detail, &flags, &keys(&["w"])), Found::Command(Command::LogWrap));
    flags.set(Flag::Logs, true);
    assert_eq!(map.find(Layer::Detail, &flags, &keys(&["w"])), Found::Command(Command::LogWrap));
}

#[test]
fn mistakes_are_named_with_file_line_and_the_nearest_name() {
    let mut set = KeymapSet::bundled();
    let text = r#"
inherits = "default"
[table]
keys = [
  { on = ["x"], run = "opne" },
  { on = ["supr"], run = "open" },
  { on = ["z"], run = "open", when = "log" },
  { on = ["u"], run = "up" },
  { on = ["u", "u"], run = "down" },
]
[input]
keys = [{ on = ["a"], run = "cancel" }]
[dialog]
keys = [{ on = ["ctrl-y"], run = "confirm" }]
"#;
    let shown: Vec<String> =
        set.add("mine", "mine.toml", text).unwrap().iter().map(ToString::to_string).collect();
    let wanted = [
        "mine.toml:5: there is no command 'opne' (did you mean 'open'?)",
        "mine.toml:6: 'supr' is not a key (one character, 'ctrl-x', 'shift-tab', 'enter', 'f5'; a sequence is a list of keys)",
        "mine.toml:7: there is no condition 'log' (did you mean 'logs'?)",
        "mine.toml:14: 'confirm' may not be on a ctrl-letter: it can write",
        "mine.toml:12: 'a' could no longer be typed into a text",
        "mine.toml:9: 'u u' for down hides, or is hidden by, 'u' for up on line 8 (give one of them other keys)",
    ];
    assert_eq!(shown, wanted);
}

#[test]
fn a_file_takes_its_keys_from_what_it_inherits_and_can_free_them() {
    let mut set = KeymapSet::bundled();
    let text = "inherits = \"default\"\n[table]\nkeys = [{ on = [\"j\"], run = \"up\" }, { on = [\"k\"], run = \"noop\" }]";
    assert_eq!(set.add("mine", "mine.toml", text).unwrap(), []);
    let (map, flags) = (set.resolve("mine").unwrap().0, Flags::default());
    assert_eq!(map.find(Layer::Table, &flags, &keys(&["j"])), Found::Command(Command::Up));
    assert_eq!(map.find(Layer::Table, &flags, &keys(&["k"])), Found::Nothing);
}

#[test]
fn a_broken_keymap_changes_nothing() {
    let mut set = KeymapSet::bundled();
    let before = set.clone();
    assert_eq!(set.add("default", "default.toml", "\n[table]\nkey = 1").unwrap_err().line, 3);
    assert!(set.add("mine", "mine.toml", "inherits = \"defualt\"").is_err());
    assert_eq!(set, before);
}
