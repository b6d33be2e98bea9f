//! `driver new`, `driver lint`, `driver load`, `driver list`.

use std::fs;

use serde_json::json;

use crate::home::{Home, edit};

#[test]
fn a_new_driver_has_nothing_to_find() {
    let home = Home::new();
    let said = home.run(&["new", "wiki"]).good();
    assert!(said.contains("styrmin driver lint wiki"), "{said}");
    assert_eq!(home.run(&["lint", "wiki"]).good(), "wiki 0.1.0: no errors, no warnings\n");
    let found = home.run(&["lint", "wiki", "-o", "json"]).json();
    assert_eq!(found["driver"], json!({"name": "wiki", "version": "0.1.0"}));
    assert_eq!((&found["errors"], &found["findings"]), (&json!(0), &json!([])));
    assert!(!home.path(".local").exists(), "who only looks makes no records");
}

#[test]
fn nothing_is_written_over() {
    let home = Home::with_driver();
    home.run(&["new", "wiki"]).refused(&["wiki", "something in it already", "--directory"]);
    home.run(&["new", "No Name"]).refused(&["No Name"]);
    assert!(!home.path("No Name").exists());
    fs::write(home.path("file"), "").unwrap();
    home.run(&["new", "other", "--directory", "file/other"]).refused(&["file/other"]);
    home.run(&["new", "other", "--directory", "deep/er"]).good();
    assert!(home.path("deep/er/driver.styrmin.yml").exists());
}

#[test]
fn all_that_is_wrong_is_found_at_once() {
    let home = Home::with_driver();
    home.edit("driver.styrmin.yml", "kind: integer", "kind: intger");
    home.edit("driver.styrmin.yml", "      component: web\n", "      component: wbe\n");
    home.edit("driver.styrmin.yml", "  info:", "  infos:");
    fs::write(home.path("wiki/manifests/b.yaml.j2"), "a: {{ 1 +\n").unwrap();
    let (code, text, _) = home.run(&["lint", "wiki"]).parts();
    assert_eq!(code, 1, "{text}");
    for part in ["intger", "did you mean 'integer'?", "'wbe'", "did you mean 'web'?", "manifests/b.yaml.j2:"]
    {
        assert!(text.contains(part), "'{part}' is not in:\n{text}");
    }
    let found = home.run(&["lint", "wiki", "-o", "json"]).bad_json();
    let of = |severity: &str| {
        let all = found["findings"].as_array().unwrap().iter().filter(|one| one["severity"] == severity);
        all.cloned().collect::<Vec<_>>()
    };
    let places = of("error").iter().filter(|one| one["line"] != 0).count();
    assert_eq!((found["errors"].as_u64(), places), (Some(3), 3), "{found}");
    let told = of("warning").iter().any(|one| one["message"].as_str().unwrap().contains("no field 'infos'"));
    assert!(told && found["warnings"].as_u64() == Some(of("warning").len() as u64), "{found}");
    assert_eq!(found["driver"], json!(null));
    home.run(&["load", "wiki"]).refused(&["cannot be loaded", "driver.styrmin.yml:", "intger"]);
}

#[test]
fn what_goes_wrong_when_it_is_rendered_is_found_too() {
    let home = Home::with_driver();
    home.edit("manifests/web.yaml.j2", "{{ parameters.replicas }}", "{{ parameters.replica }}");
    let (code, text, _) = home.run(&["lint", "wiki"]).parts();
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("manifests/web.yaml.j2:") && text.contains("replica"), "{text}");
    assert!(text.ends_with("wiki 0.1.0: 1 error, no warnings\n"), "{text}");
    let (code, text, _) = home.run(&["lint", "nowhere"]).parts();
    assert!(code == 1 && text.contains("nowhere: error: it cannot be read"), "{text}");
}

const ACTIONS: &str = "
  actions:
    - { name: tidy, location: 'actions.star::tidy' }
    - { name: quiesce, hook: backup, mode: pre, location: 'actions.star::tidy' }
    - { name: ask, hook: stop, location: 'more.star::ask', prompts: [{ name: why }] }
";

#[test]
fn functions_of_actions_are_looked_through() {
    let home = Home::with_driver();
    let file = home.path("wiki/driver.styrmin.yml");
    let spec = fs::read_to_string(&file).unwrap();
    fs::write(&file, spec.trim_end().to_owned() + ACTIONS).unwrap();
    let write = |name: &str, text: &str| fs::write(home.path("wiki").join(name), text).unwrap();
    write("actions.star", "load(\"lib.star\", \"a\")\n\ndef tidy(ctx):\n    log(a)\n");
    write("lib.star", "a = \"x\"\n");
    write("more.star", "load(\"lib.star\", \"a\")\n\ndef ask(ctx):\n    log(a)\n");
    let text = home.run(&["lint", "wiki"]).good();
    let expected = "note: the action 'quiesce' runs with backups, which are not there yet";
    assert!(text.contains(expected) && text.ends_with("no errors, 1 warning\n"), "{text}");
    assert!(text.contains("spec.actions[2] has prompts, and at the hook stop nobody is asked"), "{text}");

    write("actions.star", "def tidy(ctx):\n    exec_commands(\"web\", [\"ls\"])\n");
    write("lib.star", "a = \"x\"\nb = c\n");
    write("more.star", "load(\"lib.star\", \"a\")\n\ndef ask(ctx:\n");
    let (code, text, _) = home.run(&["lint", "wiki"]).parts();
    assert_eq!(code, 1, "{text}");
    let undefined =
        "actions.star:2:5: error: 'exec_commands' is not defined, did you mean 'execute_commands'?";
    assert!(text.contains(undefined), "{text}");
    assert!(text.contains("more.star:4:1: error: Parse error"), "{text}");
    write("more.star", "load(\"lib.star\", \"a\")\n\ndef ask(ctx):\n    log(a)\n");
    let (_, text, _) = home.run(&["lint", "wiki"]).parts();
    assert_eq!(text.matches("lib.star:2:5: error: 'c' is not defined").count(), 1, "{text}");
}

#[test]
fn orders_to_the_terminal_are_not_passed_on() {
    let home = Home::with_driver();
    home.edit("driver.styrmin.yml", "  info:", "  \"\\e[2Jinfo\":");
    let (_, text, _) = home.run(&["lint", "wiki"]).parts();
    assert!(text.contains("info") && !text.contains('\u{1b}'), "{text:?}");

    let home = Home::new();
    chart(&home, "");
    let (code, text, told) = home.run(&["render", "chart"]).parts();
    assert_eq!(code, 0, "{told}");
    assert!(text.contains("# Notes of the chart:\n# A note to all\n"), "{text:?}");
    for said in [&text, &told] {
        assert!(!said.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{said:?}");
    }
}

/// A driver whose chart is inside it; `metadata` is more of its `Chart.yaml`.
fn chart(home: &Home, metadata: &str) {
    let write = |path: &str, text: &str| {
        let path = home.path("chart").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "driver.styrmin.yml",
        "apiVersion: styrmin.io/v1\nkind: ApplicationDriver\nmetadata:\n  name: chart\nspec:\n  version: \"1.0.0\"\n  \
         default_version: \"1.0.0\"\n  helm:\n    main:\n      location: ./wiki\n  components:\n    web:\n      \
         identifier:\n        label:\n          app: wiki\n",
    );
    write("values.j2.yml", "name: {{ deployment.name }}\n");
    write("wiki/Chart.yaml", &format!("apiVersion: v2\nname: wiki\nversion: 1.0.0\n{metadata}"));
    write("wiki/templates/NOTES.txt", "A {{ printf \"%c[2J%c%c\" 27 7 155 }}note to all");
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Values.name }}\"}\n";
    write("wiki/templates/all.yaml", map);
}

#[test]
fn what_a_chart_warns_of_is_told() {
    let home = Home::new();
    chart(&home, "deprecated: true\n");
    let text = home.run(&["lint", "chart"]).good();
    assert!(text.contains("warning: wiki: this chart is deprecated (rendered with version 1.0.0"), "{text}");
    let (code, _, told) = home.run(&["render", "chart"]).parts();
    assert!(code == 0 && told.contains("warning: wiki: this chart is deprecated\n"), "{told}");
}

#[test]
fn what_has_no_default_is_tried_where_something_can_stand_in() {
    let broken = || {
        let home = Home::with_driver();
        home.edit("manifests/web.yaml.j2", "{{ parameters.replicas }}", "{{ parameters.replica }}");
        home
    };
    let home = broken();
    let more = "  parameters:\n    - name: password\n      label: Password\n      kind: secret\n";
    home.edit("driver.styrmin.yml", "  parameters:\n", more);
    let (code, text, _) = home.run(&["lint", "wiki"]).parts();
    assert!(code == 1 && text.contains("manifests/web.yaml.j2:"), "{text}");

    let home = broken();
    let more = "  parameters:\n    - name: site\n      label: Site\n      kind: string\n";
    home.edit("driver.styrmin.yml", "  parameters:\n", more);
    let text = home.run(&["lint", "wiki"]).good();
    assert!(text.contains("warning: it is not rendered: no default says what site may be"), "{text}");
    assert!(text.ends_with("wiki 0.1.0: no errors, 1 warning\n"), "{text}");
}

#[test]
fn what_is_loaded_is_listed_and_never_changes() {
    let home = Home::with_driver();
    let before = home.run(&["list", "-o", "json"]).json();
    let built_in = before.as_array().unwrap();
    assert!(built_in.iter().any(|driver| driver["name"] == "notes"), "{before}");
    assert!(built_in.iter().all(|driver| driver["recorded"] == false && driver["source"] == "built-in"));

    let loaded = home.run(&["load", "wiki", "-o", "json"]).json();
    assert_eq!(loaded["outcome"], "New");
    assert_eq!(loaded["source"], home.path("wiki").to_str().unwrap());
    assert_eq!(home.run(&["load", "wiki", "-o", "json"]).json()["outcome"], "Known");

    home.edit("driver.styrmin.yml", "default: It works.", "default: It runs.");
    home.run(&["load", "wiki"]).refused(&["wiki 0.1.0", "without a new version", "raise spec.version"]);
    home.edit("driver.styrmin.yml", "version: \"0.1.0\"", "version: \"0.10.0\"");
    home.run(&["load", "wiki"]).good();
    home.edit("driver.styrmin.yml", "version: \"0.10.0\"", "version: \"0.9.0\"");
    home.run(&["load", "wiki"]).good();

    let listed = home.run(&["list", "-o", "json"]).json();
    let listed = listed.as_array().unwrap().iter().filter(|driver| driver["name"] == "wiki");
    let versions: Vec<_> = listed.map(|driver| driver["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["0.10.0", "0.9.0", "0.1.0"]);
    let table = home.run(&["list"]).good();
    assert!(table.starts_with("NAME ") && table.contains("  DEPLOYS  "), "{table}");
    let row = table.lines().find(|line| line.starts_with("wiki ")).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells[..4], ["wiki", "0.10.0", "1.28.0", ">=1.26,<2.0"], "{table}");
}

#[test]
fn warnings_are_told_and_do_not_count() {
    let home = Home::with_driver();
    edit(&home.path("wiki/driver.styrmin.yml"), "    license:", "    licence: x\n    license:");
    let (code, text, _) = home.run(&["lint", "wiki"]).parts();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("warning: ") && text.contains("licence"), "{text}");
    assert!(text.ends_with("wiki 0.1.0: no errors, 1 warning\n"), "{text}");
    let (code, _, told) = home.run(&["load", "wiki"]).parts();
    assert!(code == 0 && told.contains("licence"), "{told}");
}
