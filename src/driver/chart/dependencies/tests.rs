use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;

/// A chart of files that are given as text.
fn chart(files: &[(&str, &str)]) -> Chart {
    let files: BTreeMap<String, Arc<[u8]>> =
        files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes()))).collect();
    Chart::from_files(&files).unwrap()
}

/// An umbrella over `db` and `log`, with these dependencies.
fn umbrella(dependencies: &str, values: &str) -> Chart {
    let umbrella = format!("{{apiVersion: v2, name: top, version: 1.0.0, dependencies: [{dependencies}]}}");
    chart(&[
        ("Chart.yaml", &umbrella),
        ("values.yaml", values),
        ("charts/db/Chart.yaml", "{apiVersion: v2, name: db, version: 1.2.3}"),
        (
            "charts/db/values.yaml",
            "{port: 5432, exports: {data: {shared: {user: app}}}, inner: {deep: {x: 1}}}",
        ),
        ("charts/log/Chart.yaml", "{apiVersion: v2, name: log, version: 0.1.0}"),
    ])
}

fn resolved(chart: &Chart, given: &Json) -> (Vec<String>, Json, Vec<String>) {
    let mut warnings = Warnings::default();
    let given = plain::to_value(given);
    let node = resolve(chart, &given, &mut warnings).unwrap();
    let names = node.children.iter().map(|child| child.name().to_owned()).collect();
    let values = coalesce(&node, &given, Nulls::Delete, &mut warnings).unwrap();
    (names, plain::to_whole(plain::to_json(&values)), warnings.0)
}

fn names(chart: &Chart, given: &Json) -> Vec<String> {
    resolved(chart, given).0
}

#[test]
fn what_nobody_lists_is_taken_and_comes_first() {
    assert_eq!(names(&umbrella("{name: db, version: '*'}", "{}"), &json!({})), ["log", "db"]);
}

#[test]
fn an_alias_makes_a_chart_of_its_own() {
    let chart = umbrella(
        "{name: db, version: ^1.0.0, alias: main}, {name: db, version: 1.x.x, alias: copy}, {name: log, version: '>=0.1'}",
        "{main: {port: 1}}",
    );
    let (names, values, warnings) = resolved(&chart, &json!({"copy": {"port": 2}}));
    assert_eq!(names, ["main", "copy", "log"]);
    assert_eq!((&values["main"]["port"], &values["copy"]["port"]), (&json!(1), &json!(2)));
    assert_eq!(values.get("db"), None);
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn a_version_that_does_not_fit_is_taken_as_it_is_with_a_warning() {
    let (names, _, warnings) =
        resolved(&umbrella("{name: db, version: ^2.0.0, alias: main}", "{}"), &json!({}));
    assert_eq!(names, ["db", "log"]);
    assert!(warnings[0].contains("db 1.2.3") && warnings[0].contains("^2.0.0"), "{warnings:?}");
}

#[test]
fn the_first_condition_that_is_a_boolean_decides() {
    let chart =
        umbrella("{name: db, version: '*', condition: 'db.enabled, x,global.db'}", "{global: {db: false}}");
    assert_eq!(names(&chart, &json!({})), ["log"]);
    assert_eq!(names(&chart, &json!({"db": {"enabled": true}})), ["log", "db"]);
    let (names, _, warnings) = resolved(&chart, &json!({"db": {"enabled": "yes"}, "global": {"db": true}}));
    assert_eq!(names, ["log", "db"]);
    assert!(warnings.iter().any(|warning| warning.contains("non-bool")), "{warnings:?}");
}

#[test]
fn tags_enable_and_conditions_win_over_them() {
    let chart = umbrella(
        "{name: db, version: '*', tags: [back, data]}, {name: log, version: '*', tags: [back], condition: log.enabled}",
        "{tags: {back: false}}",
    );
    assert_eq!(names(&chart, &json!({})), [""; 0]);
    assert_eq!(names(&chart, &json!({"tags": {"data": true}})), ["db"]);
    assert_eq!(names(&chart, &json!({"log": {"enabled": true}})), ["log"]);
    assert_eq!(names(&chart, &json!({"tags": {"back": true}, "log": {"enabled": false}})), ["db"]);
}

#[test]
fn values_are_imported_in_both_forms_and_the_parent_wins() {
    let chart = umbrella(
        "{name: db, version: '*', import-values: [data, {child: inner.deep, parent: mine.too}, {child: none, parent: x}]}",
        "{shared: {user: root}}",
    );
    let (_, values, warnings) = resolved(&chart, &json!({}));
    assert_eq!(values["shared"], json!({"user": "root"}));
    assert_eq!(values["mine"], json!({"too": {"x": 1}}));
    assert!(warnings[0].contains("missing table from chart db: none"), "{warnings:?}");
}

#[test]
fn charts_in_charts_have_conditions_too() {
    let chart = chart(&[
        (
            "Chart.yaml",
            "{apiVersion: v2, name: top, version: 1.0.0, dependencies: [{name: mid, version: '*', alias: m}]}",
        ),
        (
            "charts/mid/Chart.yaml",
            "{apiVersion: v2, name: mid, version: 1.0.0, dependencies: [{name: low, version: '*', condition: low.enabled, alias: l}]}",
        ),
        ("charts/mid/values.yaml", "{low: {enabled: false}}"),
        ("charts/mid/charts/low/Chart.yaml", "{apiVersion: v2, name: low, version: 1.0.0}"),
    ]);
    let inner = |given: Json| {
        let given = plain::to_value(&given);
        let node = resolve(&chart, &given, &mut Warnings::default()).unwrap();
        node.children[0].children.iter().map(|child| child.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(inner(json!({})), [""; 0]);
    assert_eq!(inner(json!({"m": {"low": {"enabled": true}}})), ["l"]);
}

#[test]
fn a_missing_chart_is_an_error() {
    let chart = umbrella("{name: cache, version: '*'}, {name: queue, version: '*'}", "{}");
    let error = resolve(&chart, &Value::Nil, &mut Warnings::default()).err().unwrap();
    assert_eq!(error.to_string(), "found in Chart.yaml, but missing in charts/ directory: cache, queue");
}

#[test]
fn aliases_of_aliases_do_not_multiply_without_end() {
    let list = |name: &str| {
        let aliases: Vec<_> =
            (0..30).map(|number| format!("{{name: {name}, version: '*', alias: a{number}}}")).collect();
        format!("{{apiVersion: v2, name: N, version: 1.0.0, dependencies: [{}]}}", aliases.join(", "))
    };
    let top = list("b").replace("name: N", "name: top");
    let middle = list("c").replace("name: N", "name: b");
    let chart = chart(&[
        ("Chart.yaml", &top),
        ("charts/b/Chart.yaml", &middle),
        ("charts/b/charts/c/Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
    ]);
    let error = resolve(&chart, &Value::Nil, &mut Warnings::default()).err().unwrap();
    assert!(error.to_string().contains("more than 500 charts"), "{error}");
}

#[test]
fn a_chart_that_is_listed_once_counts_once() {
    let resolved = |count: usize| {
        let listed: Vec<_> = (0..count).map(|number| format!("{{name: c{number}, version: '*'}}")).collect();
        let head =
            format!("{{apiVersion: v2, name: top, version: 1.0.0, dependencies: [{}]}}", listed.join(", "));
        let inner: Vec<_> = (0..count)
            .map(|number| {
                let text = format!("{{apiVersion: v2, name: c{number}, version: 1.0.0}}");
                (format!("charts/c{number}/Chart.yaml"), text)
            })
            .collect();
        let inner = inner.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let files: Vec<_> = std::iter::once(("Chart.yaml", head.as_str())).chain(inner).collect();
        let chart = chart(&files);
        resolve(&chart, &Value::Nil, &mut Warnings::default()).map(|node| node.children.len()).ok()
    };
    assert_eq!(resolved(CHART_LIMIT - 1), Some(499));
    assert_eq!(resolved(CHART_LIMIT), None, "with the one that they are in they are too many");
}
