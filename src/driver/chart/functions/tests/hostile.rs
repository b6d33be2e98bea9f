//! Whatever a chart hands to a function: an answer or an error, in bounded time and memory, and never a panic.

use std::rc::Rc;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::{Entry, FAMILIES, Kind, TEXT_MAX, find};
use super::{Value, surroundings};

/// Texts that mean something to a function.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "é",
    "日本語 text",
    "\u{10ffff}",
    "\0",
    "true",
    "-1",
    "1.5",
    "0x1F",
    "9223372036854775807",
    "1e400",
    "NaN",
    "a,b,,c",
    "some_words and-more HTTPServer2xx",
    "%zz%41",
    "http://u:p@[::1%25x]:80/a?b#c",
    "://",
    "v1.2.3-beta.1+x",
    ">=1.2, <2 || ^3 - 4",
    "1 - ",
    "~*",
    "(a|b)*[^c]$",
    "(?P<n>x{2,3}",
    "\\Q[\\E\\pL\\x{41}",
    "$1${n}$$",
    "2006-01-02T15:04:05Z07:00",
    "Mon Jan _2 .000 -07 MST 002 3PM",
    "2024-02-30T25:61:61+99:99",
    "-1h2.5us",
    "UTC",
    "../../etc",
    "[1, {\"a\": 1e999}]",
    "{",
    "SGVsbG8=",
    "ME======",
    "=",
    "-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n",
    "-----BEGIN RSA PRIVATE KEY-----\nMIQAAAADAgEA\n-----END RSA PRIVATE KEY-----\n",
    "ecdsa",
    "ed25519",
    "long",
    "10.0.0.1",
];

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        -3_i64..20,
        any::<i64>(),
        select(vec![
            i64::MIN,
            i64::MIN + 1,
            i64::MAX,
            1 << 20,
            1 << 31,
            1 << 32,
            1_000_000_007,
            100_000,
            100_001
        ]),
    ]
}

/// What a value is made of.
#[derive(Clone, Debug)]
enum Plan {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Number(&'static str),
    Text(String),
    Raw(Vec<u8>),
    Bytes(Vec<u8>),
    List(Vec<Plan>),
    Dict(Vec<(String, Plan)>),
}

impl Plan {
    fn value(&self) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Number(written) => Value::Number(Rc::from(*written)),
            Self::Text(text) => Value::text(text),
            Self::Raw(bytes) => Value::string(bytes.clone()),
            Self::Bytes(bytes) => Value::Bytes(Rc::from(&**bytes)),
            Self::List(items) => Value::list(items.iter().map(Self::value)),
            Self::Dict(entries) => Value::dict(entries.iter().map(|(key, plan)| (key, plan.value()))),
        }
    }
}

fn known_text() -> impl Strategy<Value = String> {
    select(TEXTS.to_vec()).prop_map(str::to_owned)
}

fn scalar() -> impl Strategy<Value = Plan> {
    let float = prop_oneof![any::<f64>(), select(vec![0.0, -0.0, 1e300, f64::NAN, f64::INFINITY, 5e-324])];
    prop_oneof![
        Just(Plan::Nil),
        any::<bool>().prop_map(Plan::Bool),
        number().prop_map(Plan::Int),
        float.prop_map(Plan::Float),
        select(vec!["1", "1e9", "-0.5", "", "x"]).prop_map(Plan::Number),
        known_text().prop_map(Plan::Text),
        "\\PC{0,20}".prop_map(Plan::Text),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Plan::Raw),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Plan::Bytes),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    scalar().prop_recursive(3, 30, 5, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..5).prop_map(Plan::List),
            prop::collection::vec((known_text(), inside), 0..5).prop_map(Plan::Dict),
        ]
    })
}

/// Whether the value is what the parameter takes.
fn fits(kind: Kind, value: &Value) -> bool {
    kind == Kind::Any || kind.accepts(value)
}

/// Arguments for the function, most of them of the right types.
fn arguments(entry: &Entry, pool: &[Value], picks: &[Index], wrong: bool) -> Vec<Value> {
    let more = entry.rest.map_or(0, |_| picks[0].index(4));
    let kinds = entry.takes.iter().copied().chain(std::iter::repeat_n(entry.rest.unwrap_or(Kind::Any), more));
    let kinds = kinds.take(kinds_taken(entry, more, wrong));
    kinds
        .enumerate()
        .map(|(at, kind)| {
            let fitting: Vec<&Value> = pool.iter().filter(|value| wrong || fits(kind, value)).collect();
            let pick = picks[at % picks.len()];
            if fitting.is_empty() { Value::Nil } else { fitting[pick.index(fitting.len())].clone() }
        })
        .collect()
}

fn kinds_taken(entry: &Entry, more: usize, wrong: bool) -> usize {
    let all = entry.takes.len() + more;
    if wrong && all > 0 { all - 1 } else { all }
}

/// The size of an answer: its text's length, or its items.
fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Raw(bytes) | Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.len(),
        Value::Dict(entries) => entries.borrow().len(),
        _ => 0,
    }
}

/// What stands at the ends of a parameter's range.
fn extremes(kind: Kind) -> Vec<Value> {
    match kind {
        Kind::Int => [i64::MIN, i64::MIN + 1, -1, 0, 8, i64::MAX].map(Value::Int).to_vec(),
        Kind::Unsigned => vec![Value::Int(0), Value::Int(i64::from(u32::MAX))],
        Kind::Float => [f64::MIN, f64::MAX, f64::NAN, -0.0].map(Value::Float).to_vec(),
        Kind::Text => vec![Value::text("abcdefghijklmnopq")],
        Kind::Any => {
            vec![Value::Int(i64::MIN), Value::Int(i64::MAX), Value::Float(f64::MAX), Value::text("9")]
        }
        Kind::Bool => vec![Value::Bool(true)],
        Kind::Dict => vec![Value::dict::<&str>([])],
        Kind::List | Kind::Time | Kind::Certificate => vec![Value::list([])],
    }
}

/// Each way to take one of the values for each parameter.
fn combinations(kinds: &[Kind]) -> Vec<Vec<Value>> {
    kinds.iter().fold(vec![Vec::new()], |begun, kind| {
        let with = |before: &Vec<Value>, value: Value| [before.clone(), vec![value]].concat();
        begun
            .iter()
            .flat_map(|before| extremes(*kind).into_iter().map(move |value| with(before, value)))
            .collect()
    })
}

#[test]
fn no_extremes_make_a_function_panic() {
    let takes_numbers =
        |entry: &&Entry| entry.takes.iter().chain(&entry.rest).any(|kind| *kind != Kind::Text);
    for entry in FAMILIES.iter().copied().flatten().filter(takes_numbers) {
        let around = surroundings();
        _ = around.draw.borrow_mut().count_costly("", u32::MAX);
        let more = entry.rest.map_or(0, |_| 2_usize.saturating_sub(entry.takes.len()));
        let kinds =
            entry.takes.iter().copied().chain(std::iter::repeat_n(entry.rest.unwrap_or(Kind::Any), more));
        for arguments in combinations(&kinds.collect::<Vec<_>>()) {
            _ = (entry.call)(&around, &arguments);
        }
    }
    let layout = format!("5.{}", "0".repeat(70_000));
    let answer =
        find("date").map(|entry| (entry.call)(&surroundings(), &[Value::text(&layout), Value::Int(0)]));
    assert_eq!(answer.and_then(Result::ok).map(|answer| size(&answer)), Some(layout.len()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_arguments_make_a_function_panic(
        plans in prop::collection::vec(plan(), 60),
        picks in prop::collection::vec(any::<Index>(), 7),
        wrong in prop::bool::weighted(0.1),
    ) {
        let pool: Vec<Value> = plans.iter().map(Plan::value).collect();
        for entry in FAMILIES.iter().copied().flatten() {
            let around = surroundings();
            // Keys and password hashes are made elsewhere: here they would only take long.
            _ = around.draw.borrow_mut().count_costly("", u32::MAX);
            let arguments = arguments(entry, &pool, &picks, wrong);
            let checked = entry.check(&arguments);
            let answer = (entry.call)(&around, &arguments);
            if let Ok(answer) = &answer {
                prop_assert!(size(answer) <= TEXT_MAX, "{} {:?}", entry.name, checked);
            }
        }
    }
}
