use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::load::Chart;
use super::super::{dependencies, plain};
use super::*;

/// A chart with these defaults, and charts in it by path: `charts/db` has the defaults of `db`.
fn chart(defaults: &[(&str, &str, Json)]) -> Chart {
    let mut files = std::collections::BTreeMap::new();
    for (path, name, values) in defaults {
        let chart = format!("{{apiVersion: v2, name: {name}, version: 1.0.0}}");
        files.insert(format!("{path}Chart.yaml"), Arc::from(chart.as_bytes()));
        files.insert(format!("{path}values.yaml"), Arc::from(values.to_string().as_bytes()));
    }
    Chart::from_files(&files).unwrap()
}

/// The values together, with whole numbers, and the warnings.
fn together(chart: &Chart, given: &Json) -> (Json, Vec<String>) {
    let mut warnings = Warnings::default();
    let given = plain::to_value(given);
    let node = dependencies::resolve(chart, &given, &mut warnings).unwrap();
    let values = coalesce(&node, &given, Nulls::Delete, &mut warnings).unwrap();
    (plain::to_whole(plain::to_json(&values)), warnings.0)
}

fn over(defaults: &Json, given: &Json) -> Json {
    together(&chart(&[("", "web", defaults.clone())]), given).0
}

#[test]
fn tables_are_merged_and_everything_else_replaced() {
    let defaults = json!({"a": {"b": 1, "c": [1, 2]}, "d": 1, "e": "x"});
    let given = json!({"a": {"c": [3], "f": true}, "e": ""});
    assert_eq!(over(&defaults, &given), json!({"a": {"b": 1, "c": [3], "f": true}, "d": 1, "e": ""}));
}

#[test]
fn null_takes_a_default_away_and_a_null_default_stays() {
    let defaults = json!({"a": 1, "b": {"c": 1, "d": 2}, "n": null, "t": {"n": null}});
    let given = json!({"a": null, "b": {"c": null}, "new": null});
    assert_eq!(over(&defaults, &given), json!({"b": {"d": 2}, "n": null, "t": {"n": null}, "new": null}));
}

#[test]
fn tables_against_others_are_warned_of() {
    let chart = chart(&[("", "web", json!({"a": {"x": {"y": 1}}, "b": 1, "c": {"d": 1}}))]);
    let (values, warnings) = together(&chart, &json!({"a": {"x": 5}, "b": {"e": 1}, "c": "text"}));
    assert_eq!(values, json!({"a": {"x": 5}, "b": {"e": 1}, "c": "text"}));
    assert_eq!(
        warnings,
        ["skipped value for web.b: Not a table.", "cannot overwrite table with non table for web.a.x"]
            .map(str::to_owned)
            .iter()
            .rev()
            .cloned()
            .collect::<Vec<_>>()
    );
}

#[test]
fn values_of_subcharts_stand_under_their_name() {
    let chart = chart(&[
        ("", "web", json!({"db": {"port": 1, "gone": null}})),
        ("charts/db/", "db", json!({"port": 5432, "user": "x", "gone": 1})),
    ]);
    assert_eq!(together(&chart, &json!({})).0, json!({"db": {"port": 1, "user": "x", "global": {}}}));
    let given = json!({"db": {"user": null}});
    assert_eq!(together(&chart, &given).0, json!({"db": {"port": 1, "global": {}}}));
}

#[test]
fn the_values_of_a_chart_must_be_a_table() {
    let chart = chart(&[("", "web", json!({})), ("charts/db/", "db", json!({}))]);
    let node = dependencies::resolve(&chart, &Value::Nil, &mut Warnings::default()).unwrap();
    let given = plain::to_value(&json!({"db": "x"}));
    let error = coalesce(&node, &given, Nulls::Delete, &mut Warnings::default()).err().unwrap();
    assert!(error.to_string().starts_with("type mismatch on db"), "{error}");
}

#[test]
fn globals_are_handed_down_and_the_upper_ones_win() {
    let chart = chart(&[
        ("", "web", json!({"global": {"a": 1, "t": {"x": 1}}})),
        ("charts/db/", "db", json!({"global": {"a": 2, "b": 2, "t": {"x": 2, "y": 2}}})),
        ("charts/db/charts/log/", "log", json!({"global": {"c": 3}})),
    ]);
    let (values, _) = together(&chart, &json!({"global": {"g": 0}}));
    assert_eq!(values["global"], json!({"a": 1, "t": {"x": 1}, "g": 0}));
    assert_eq!(values["db"]["global"], json!({"a": 1, "b": 2, "t": {"x": 1, "y": 2}, "g": 0}));
    assert_eq!(values["db"]["log"]["global"], json!({"a": 1, "b": 2, "c": 3, "t": {"x": 1, "y": 2}, "g": 0}));
}

#[test]
fn what_is_given_is_not_changed() {
    let chart = chart(&[("", "web", json!({"a": {"b": 1}})), ("charts/db/", "db", json!({"x": 1}))]);
    let given = plain::to_value(&json!({"a": {"c": null}, "db": {}, "global": {"t": {}}}));
    let node = dependencies::resolve(&chart, &given, &mut Warnings::default()).unwrap();
    coalesce(&node, &given, Nulls::Delete, &mut Warnings::default()).unwrap();
    assert_eq!(plain::to_json(&given), json!({"a": {"c": null}, "db": {}, "global": {"t": {}}}));
}

/// Values of a few names that meet often, and everything that may stand there.
fn values() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (0_i64..5).prop_map(Json::from),
        Just(json!("x"))
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map("a|b|db|global|tags", inner, 0..4)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("a|b|db|global|tags", tree, 0..4)
        .prop_map(|entries| Json::Object(entries.into_iter().collect()))
}

/// Everything that is given and is neither null nor a table stands in the result, unless the table around it is gone.
fn kept(given: &Json, result: &Json) -> bool {
    match (given, result) {
        (Json::Object(given), Json::Object(result)) => given.iter().all(|(key, value)| match value {
            Json::Null => true,
            value => result.get(key).is_some_and(|result| kept(value, result)),
        }),
        (given, result) => given == result,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_given_wins_whatever_the_defaults(upper in values(), lower in values(), given in values()) {
        let chart = chart(&[("", "web", upper), ("charts/db/", "db", lower)]);
        let given = plain::to_value(&given);
        let mut warnings = Warnings::default();
        let Ok(node) = dependencies::resolve(&chart, &given, &mut warnings) else { return Ok(()) };
        if let Ok(values) = coalesce(&node, &given, Nulls::Delete, &mut warnings) {
            let (mut given, mut result) = (plain::to_json(&given), plain::to_json(&values));
            // Globals of a subchart give way to those of its parent.
            for values in [&mut given, &mut result] {
                values.get_mut("db").and_then(Json::as_object_mut).and_then(|db| db.remove("global"));
            }
            prop_assert!(kept(&given, &result), "{given} {result}");
            prop_assert!(result["db"].is_object());
        }
    }
}
