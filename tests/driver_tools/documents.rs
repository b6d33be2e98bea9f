//! docs/drivers.md and docs/actions.md are kept true.

use std::fs;

use styrmin::hooks::SIGNATURES;

use crate::home::Home;

const GUIDE: &str = include_str!("../../docs/drivers.md");
const ACTIONS: &str = include_str!("../../docs/actions.md");

/// The block that stands behind a line with these words.
fn block(words: &str) -> &'static str {
    let rest = GUIDE.split(words).nth(1).unwrap_or_else(|| panic!("'{words}' is not in the guide"));
    let rest = rest.split("```yaml\n").nth(1).unwrap();
    rest.split("```").next().unwrap()
}

#[test]
fn the_driver_of_the_guide_is_sound() {
    let home = Home::new();
    fs::create_dir_all(home.path("wiki/manifests")).unwrap();
    fs::write(home.path("wiki/driver.styrmin.yml"), block("A whole driver, `driver.styrmin.yml`:")).unwrap();
    fs::write(home.path("wiki/manifests/web.yaml.j2"), block("and `manifests/web.yaml.j2`:")).unwrap();
    assert_eq!(home.run(&["lint", "wiki"]).good(), "wiki 1.0.0: no errors, no warnings\n");
    home.run(&["test", "wiki"]).good();
}

#[test]
fn every_command_and_option_of_the_guide_exists() {
    let home = Home::new();
    let mut checked = 0;
    for verb in ["new", "lint", "render", "test", "load", "list"] {
        assert!(GUIDE.contains(&format!("`styrmin driver {verb}")), "{verb} is not in the guide");
        let help = home.run(&[verb, "--help"]).good();
        let rows = GUIDE.lines().filter(|line| line.starts_with(&format!("| `styrmin driver {verb}")));
        for option in rows.flat_map(|row| row.split('`').filter(|word| word.starts_with("--"))) {
            let option = option.split(' ').next().unwrap();
            assert!(help.contains(option), "driver {verb} has no {option}");
            checked += 1;
        }
    }
    assert!(checked > 8, "{checked}");
}

#[test]
fn the_actions_of_the_guide_are_sound() {
    let home = Home::with_driver();
    let block = |language: &str| {
        let rest = ACTIONS.split(&format!("```{language}\n")).nth(1).unwrap();
        rest.split("```").next().unwrap()
    };
    let file = home.path("wiki/driver.styrmin.yml");
    let spec = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{}\n{}", spec.trim_end(), block("yaml"))).unwrap();
    fs::write(home.path("wiki/actions.star"), block("python")).unwrap();
    assert_eq!(home.run(&["lint", "wiki"]).good(), "wiki 0.1.0: no errors, no warnings\n");
}

#[test]
fn every_primitive_is_described_with_its_arguments() {
    for signature in SIGNATURES {
        let name = signature.name;
        let start = ACTIONS.find(&format!("`{name}("));
        let start = start.unwrap_or_else(|| panic!("{name} is not in the guide")) + name.len() + 2;
        let told = ACTIONS[start..].split(")`").next().unwrap();
        let arguments = told.split(", ").filter(|argument| !argument.is_empty());
        let (optional, required): (Vec<&str>, Vec<&str>) = arguments.partition(|part| part.contains('='));
        let optional: Vec<&str> = optional.iter().map(|part| part.split('=').next().unwrap()).collect();
        assert_eq!(
            (required, optional),
            (signature.required.to_vec(), signature.optional.to_vec()),
            "{name}"
        );
    }
}
