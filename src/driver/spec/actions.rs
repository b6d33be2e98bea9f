//! `spec.actions`.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::driver::{ActionSpec, Hook, Mode, OnFailure, ParameterSpec};
use crate::domain::plan::Policy;
use crate::driver::reader::{Fields, Report};
use crate::driver::yaml::{Node, Place, Tree};

pub(super) const FIELDS: [&str; 11] = [
    "name",
    "hook",
    "mode",
    "location",
    "description",
    "prompts",
    "after",
    "timeout",
    "retries",
    "on_failure",
    "policy",
];

const POLICIES: [&str; 3] = ["idempotent", "probe", "once"];

/// How much an action may ask.
const PROMPTS_MAX: usize = 50;

/// How often an action may be tried again.
const RETRIES_MAX: u32 = 10;

/// The actions in their order.
pub(super) fn read(
    spec: &Fields<'_>,
    files: &BTreeMap<String, String>,
    report: &mut Report<'_>,
) -> Vec<ActionSpec> {
    let items = spec.items("actions", report);
    let mut names = super::Names::default();
    let mut found: Vec<(ActionSpec, Vec<Place>)> = Vec::new();
    for (position, node) in items.iter().enumerate() {
        let (action, after) = action(node, &format!("spec.actions[{position}]"), files, report);
        if !action.name.is_empty() {
            names.add(node.place, "action", &action.name, report);
        }
        found.push((action, after));
    }
    check_order(&found, report);
    found.into_iter().map(|(action, _)| action).collect()
}

/// One action, and where each name of its `after` stands.
fn action(
    node: &Node,
    path: &str,
    files: &BTreeMap<String, String>,
    report: &mut Report<'_>,
) -> (ActionSpec, Vec<Place>) {
    let fields = Fields::open(node, path, &FIELDS, report);
    let hook = word(&fields, "hook", Hook::WORDS, report).and_then(|word| Hook::parse(&word));
    let mode = word(&fields, "mode", Mode::WORDS, report).and_then(|word| Mode::parse(&word));
    let policy = policy(&fields, report);
    let on_failure = word(&fields, "on_failure", OnFailure::WORDS, report);
    for name in ["mode", "after"] {
        if fields.get(name).is_some() && fields.get("hook").is_none() {
            let hint = format!("add one of {}", Hook::WORDS.join(", "));
            report.error(fields.place_of(name), format!("{path} has {name} and no hook"), hint);
        }
    }
    let location = fields.required_text("location", report).unwrap_or_default();
    if !location.is_empty() {
        check_location(&fields, &location, files, report);
    }
    let prompts = prompts(&fields, report);
    if let Some(hook) = hook.filter(|_| !prompts.is_empty()) {
        let message = format!("{path} has prompts, and at the hook {} nobody is asked", hook.as_str());
        report.warn(fields.place_of("prompts"), message, "leave the hook out, or make them parameters");
    }
    let after = fields.get("after").map(|node| report.places_of_texts(node, &fields.path_of("after")));
    let (places, after) = after.unwrap_or_default().into_iter().unzip();
    let timeout = fields.get("timeout").and_then(|node| report.seconds(node, &fields.path_of("timeout")));
    let retries =
        fields.get("retries").and_then(|node| report.count(node, &fields.path_of("retries"), RETRIES_MAX));
    let action = ActionSpec {
        name: fields.required_text("name", report).unwrap_or_default(),
        hook,
        mode,
        location,
        description: fields.text("description", report),
        prompts,
        after,
        timeout,
        retries: retries.unwrap_or(0),
        on_failure: on_failure.and_then(|word| OnFailure::parse(&word)).unwrap_or_default(),
        policy,
    };
    (action, places)
}

/// Who does the action after a crash. Its journal tells what was done: there is nothing else to be looked for.
fn policy(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<Policy> {
    let word = word(fields, "policy", &POLICIES, report)?;
    if word == "probe" {
        let message = format!("{} is probe, taken as idempotent", fields.path_of("policy"));
        let hint =
            "write idempotent: its journal tells what it had done; or once, when a person is to be asked";
        report.warn(fields.place_of("policy"), message, hint);
    }
    Some(if word == "once" { Policy::Once } else { Policy::Idempotent })
}

fn word(fields: &Fields<'_>, name: &str, words: &[&str], report: &mut Report<'_>) -> Option<String> {
    fields.get(name).and_then(|_| super::one_of(fields, name, words, report))
}

/// What is asked before the action runs: a list of parameters, or a mapping of names to parameters or to questions.
fn prompts(fields: &Fields<'_>, report: &mut Report<'_>) -> Vec<ParameterSpec> {
    let Some(node) = fields.get("prompts") else { return Vec::new() };
    let path = fields.path_of("prompts");
    let mut names = super::Names::default();
    let mut prompts = Vec::new();
    if matches!(node.tree, Tree::Map(_)) {
        let entries = report.entries(node, &path);
        if !report.has_room(node.place, &path, entries.len(), PROMPTS_MAX) {
            return Vec::new();
        }
        for (key, node) in entries {
            let path = format!("{path}.{}", key.name);
            let prompt = super::parameters::prompt(node, &path, Some(&key.name), report);
            prompts.extend(prompt.map(|prompt| (node.place, prompt)));
        }
    } else {
        let items = report.items(node, &path);
        if !report.has_room(node.place, &path, items.len(), PROMPTS_MAX) {
            return Vec::new();
        }
        for (position, node) in items.iter().enumerate() {
            let prompt = super::parameters::prompt(node, &format!("{path}[{position}]"), None, report);
            prompts.extend(prompt.map(|prompt| (node.place, prompt)));
        }
    }
    for (place, prompt) in &prompts {
        names.add(*place, "prompt", &prompt.name, report);
    }
    prompts.into_iter().map(|(_, prompt)| prompt).collect()
}

/// `after` names actions of the same hook and mode, and no circle comes of it.
fn check_order(actions: &[(ActionSpec, Vec<Place>)], report: &mut Report<'_>) {
    let moment = |action: &ActionSpec| (action.hook, action.mode.unwrap_or(Mode::Core));
    // Of two with one name, which is an error of its own, the first counts.
    let mut known: BTreeMap<&str, &ActionSpec> = BTreeMap::new();
    for (action, _) in actions {
        known.entry(&action.name).or_insert(action);
    }
    for (action, places) in actions {
        for (name, place) in action.after.iter().zip(places) {
            let path = format!("the action '{}': after", action.name);
            match known.get(name.as_str()) {
                None => {
                    let names = known.keys().copied().filter(|other| *other != action.name);
                    let hint = report.hint(name, names);
                    report.error(*place, format!("{path} names '{name}', which does not exist"), hint);
                }
                Some(other) if moment(other) != moment(action) => {
                    let message =
                        format!("{path} names '{name}', which runs at another hook or in another mode");
                    report.error(*place, message, "order is only needed inside one mode of one hook");
                }
                Some(_) => {}
            }
        }
    }
    if let Some((action, place)) = circle(actions) {
        let message = format!("the action '{}' would have to run after itself", action.name);
        report.error(place, message, "take one of the 'after' on the way away");
    }
}

/// An action that comes after itself, if there is one, and where it names the one before it.
fn circle(actions: &[(ActionSpec, Vec<Place>)]) -> Option<(&ActionSpec, Place)> {
    let mut waits: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut behind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (action, _) in actions {
        let after = action.after.iter().map(String::as_str);
        waits.entry(&action.name).or_default().extend(after.clone());
        after.for_each(|name| behind.entry(name).or_default().push(&action.name));
    }
    // Takes away what waits for nothing that is left: what remains is in a circle, or behind one.
    let unknown = behind.keys().filter(|name| !waits.contains_key(*name)).copied();
    let free = waits.iter().filter(|(_, after)| after.is_empty()).map(|(name, _)| *name);
    let mut ready: Vec<&str> = unknown.chain(free).collect();
    while let Some(name) = ready.pop() {
        waits.remove(name);
        for other in behind.remove(name).unwrap_or_default() {
            if waits.get_mut(other).is_some_and(|after| after.remove(name) && after.is_empty()) {
                ready.push(other);
            }
        }
    }
    // Each that remains waits for one that does: going on leads into a circle, and then around it.
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut name = *waits.keys().next()?;
    loop {
        let (action, next, place) =
            actions.iter().filter(|(action, _)| action.name == name).find_map(|(action, places)| {
                let mut before = action.after.iter().zip(places);
                let (next, place) = before.find(|(before, _)| waits.contains_key(before.as_str()))?;
                Some((action, next, *place))
            })?;
        if !seen.insert(name) {
            return Some((action, place));
        }
        name = next;
    }
}

/// `file::function`, and the file must be there.
fn check_location(
    fields: &Fields<'_>,
    location: &str,
    files: &BTreeMap<String, String>,
    report: &mut Report<'_>,
) {
    let place = fields.place_of("location");
    let path = fields.path_of("location");
    let Some((file, function)) =
        location.split_once("::").filter(|(file, name)| !file.is_empty() && !name.is_empty())
    else {
        let message = format!("{path} is '{location}', expected file::function");
        report.error(place, message, "such as actions.star::upgrade");
        return;
    };
    let Some(text) = files.get(file) else {
        let hint = report.hint(file, files.keys().map(String::as_str));
        report.error(place, format!("{path}: the driver has no file '{file}'"), hint);
        return;
    };
    if file.ends_with(".py") {
        let message = format!(
            "{path}: Python needs python3 wherever Styrmin runs, and is not gone on with after a crash"
        );
        report.warn(place, message, "actions.star needs nothing, and is");
    } else if !file.ends_with(".star") {
        let hint = "functions are in files that end in .star or .py";
        report.error(place, format!("{path}: '{file}' is neither Starlark nor Python"), hint);
        return;
    }
    let functions: Vec<&str> = text.lines().filter_map(defined).collect();
    if !functions.contains(&function) {
        let hint = report.hint(function, functions.iter().copied());
        report.error(place, format!("{path}: {file} has no function '{function}'"), hint);
    }
}

/// The name of the function that a line begins, when it does.
fn defined(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").map_or(line, str::trim_start);
    line.strip_prefix("def ")?.trim_start().split(['(', ' ']).next()
}
