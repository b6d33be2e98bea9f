//! `spec.components.NAME.backup`.

use std::collections::BTreeMap;

use crate::domain::driver::{
    ActionSpec, BackupTarget, ComponentSpec, Hook, Quiesce, RestoreInto, RestoreTarget,
};
use crate::driver::reader::{Fields, Report};
use crate::driver::yaml::{Node, Place, Tree};

pub(super) const STRATEGIES: [&str; 6] = ["disk", "postgres", "mariadb", "mongodb", "neo4j", "action"];

const FIELDS: [&str; 17] = [
    "kind",
    "volume",
    "volumes",
    "database",
    "action",
    "container",
    "command",
    "files",
    "image",
    "quiesce",
    "resume",
    "limit",
    "idle",
    "parallel",
    "changing",
    "one_of_many",
    "restore",
];

/// Fields that mean something to some strategies only.
const OF_STRATEGIES: [(&str, &[&str]); 7] = [
    ("volume", &["disk"]),
    ("volumes", &["disk"]),
    ("changing", &["disk"]),
    ("database", &["postgres", "mariadb", "mongodb", "neo4j"]),
    ("action", &["action"]),
    ("command", &["action"]),
    ("files", &["action"]),
];

/// How long a component holds still at most, in seconds, where the driver does not say.
const LIMIT: u64 = 300;

/// A component with what its backup says. A text alone is the strategy.
pub(super) fn read(node: &Node, path: &str, report: &mut Report<'_>) -> ComponentSpec {
    let path = format!("{path}.backup");
    if let Tree::Text(strategy) = &node.tree {
        if !STRATEGIES.contains(&strategy.as_str()) {
            let message = format!("{path} is '{strategy}', expected one of {}", STRATEGIES.join(", "));
            report.error(node.place, message, super::nearest_hint(strategy, &STRATEGIES));
        } else if strategy == "disk" {
            let message = format!("{path} is 'disk', and names no volumes");
            report.error(node.place, message, "write { kind: disk, volumes: [NAME] }");
        }
        return ComponentSpec { backup: Some(strategy.clone()), ..ComponentSpec::default() };
    }
    let fields = Fields::open(node, &path, &FIELDS, report);
    let strategy = super::one_of(&fields, "kind", &STRATEGIES, report);
    let mut volumes = fields.texts("volumes", report);
    volumes.extend(fields.optional_text("volume", report));
    if strategy.as_deref() == Some("disk") && volumes.is_empty() {
        report.error(
            fields.place,
            format!("{path} has no volumes, the strategy disk needs at least one"),
            "",
        );
    }
    check_fields(&fields, strategy.as_deref(), report);
    let target = BackupTarget {
        container: fields.optional_text("container", report),
        database: fields.optional_text("database", report),
        action: fields.optional_text("action", report),
        command: command(&fields, "command", report),
        files: files(&fields, report),
        image: fields.optional_text("image", report),
        quiesce: quiesce(&fields, report),
        idle: seconds(&fields, "idle", report),
        parallel: fields.flag("parallel", report),
        changing: fields.flag("changing", report),
        one_of_many: fields.flag("one_of_many", report),
        restore: restore(&fields, strategy.as_deref(), report),
    };
    check_action(&fields, &target, report);
    ComponentSpec { backup: strategy, volumes, backup_target: target, ..ComponentSpec::default() }
}

/// Fields of other strategies than this one.
fn check_fields(fields: &Fields<'_>, strategy: Option<&str>, report: &mut Report<'_>) {
    let Some(strategy) = strategy else { return };
    for (name, strategies) in OF_STRATEGIES {
        if fields.get(name).is_some() && !strategies.contains(&strategy) {
            let path = fields.path_of(name);
            let message = format!("{path} means nothing to the strategy {strategy}");
            report.warn(fields.place_of(name), message, format!("it is of {}", strategies.join(", ")));
        }
    }
}

fn seconds(fields: &Fields<'_>, name: &str, report: &mut Report<'_>) -> Option<u64> {
    let seconds = fields.get(name).and_then(|node| report.seconds(node, &fields.path_of(name)));
    seconds.map(u64::from)
}

/// A program and its arguments; empty when absent.
fn command(fields: &Fields<'_>, name: &str, report: &mut Report<'_>) -> Vec<String> {
    let Some(node) = fields.get(name) else { return Vec::new() };
    let path = fields.path_of(name);
    if !matches!(node.tree, Tree::List(_)) {
        report.expected(node, &path, "a list: the program and its arguments");
        return Vec::new();
    }
    let argv = report.texts(node, &path);
    if argv.first().is_none_or(|program| program.trim().is_empty()) {
        report.error(node.place, format!("{path} names no program"), "a shell line is [sh, -c, LINE]");
    }
    argv
}

fn files(fields: &Fields<'_>, report: &mut Report<'_>) -> Vec<String> {
    let Some(node) = fields.get("files") else { return Vec::new() };
    let path = fields.path_of("files");
    let places = report.places_of_texts(node, &path);
    for (place, file) in &places {
        let plain = file.starts_with('/') && file.len() > 1 && !file.split('/').any(|part| part == "..");
        if !plain {
            let message = format!("{path} has '{file}', expected an absolute path in the container");
            report.error(*place, message, "such as /var/lib/app/state; without '..'");
        }
    }
    places.into_iter().map(|(_, file)| file).collect()
}

/// The two commands belong together, and a limit to both.
fn quiesce(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<Quiesce> {
    let limit = seconds(fields, "limit", report);
    let (hold, resume) = (command(fields, "quiesce", report), command(fields, "resume", report));
    match (fields.get("quiesce").is_some(), fields.get("resume").is_some()) {
        (true, true) => Some(Quiesce { command: hold, resume, limit: limit.unwrap_or(LIMIT) }),
        (false, false) => {
            if limit.is_some() {
                let message = format!("{} limits nothing", fields.path_of("limit"));
                report.error(fields.place_of("limit"), message, "it belongs to quiesce and resume");
            }
            None
        }
        (holds, _) => {
            let (there, missing) = if holds { ("quiesce", "resume") } else { ("resume", "quiesce") };
            let message = format!("{} stands without {missing}", fields.path_of(there));
            report.error(
                fields.place_of(there),
                message,
                "what makes the data hold still has to let it go again, and the other way round",
            );
            None
        }
    }
}

fn restore(fields: &Fields<'_>, strategy: Option<&str>, report: &mut Report<'_>) -> RestoreTarget {
    let Some(node) = fields.get("restore") else { return RestoreTarget::default() };
    let inner = Fields::open(node, &fields.path_of("restore"), &["command", "into", "stop"], report);
    let words: Vec<&str> = RestoreInto::ALL.iter().map(|word| word.as_str()).collect();
    let into = inner.get("into").and_then(|_| super::one_of(&inner, "into", &words, report));
    let stop = inner.get("stop").and_then(|node| report.flag(node, &inner.path_of("stop")));
    let needs = match (strategy, stop) {
        (Some("postgres" | "mariadb" | "mongodb"), Some(true)) => {
            Some("its server has to run while it is restored")
        }
        (Some("neo4j"), Some(false)) => Some("its server must not run while it is restored"),
        _ => None,
    };
    if let Some(needs) = needs {
        report.error(inner.place_of("stop"), format!("{}: {needs}", inner.path_of("stop")), "leave it out");
    }
    let command = command(&inner, "command", report);
    if !command.is_empty() && strategy.is_some_and(|strategy| strategy != "action") {
        let message =
            format!("{} means nothing to the strategy {}", inner.path_of("command"), strategy.unwrap_or(""));
        report.warn(inner.place_of("command"), message, "it is of action");
    }
    RestoreTarget { command, into: into.and_then(|word| RestoreInto::parse(&word)).unwrap_or_default(), stop }
}

/// The strategy `action` has one source, and a way back.
fn check_action(fields: &Fields<'_>, target: &BackupTarget, report: &mut Report<'_>) {
    let named: Vec<&str> = [
        ("action", target.action.is_some()),
        ("command", !target.command.is_empty()),
        ("files", !target.files.is_empty()),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name))
    .collect();
    if named.len() > 1 {
        let message = format!("{} has {}: keep one", fields.path_of("kind"), named.join(" and "));
        report.error(fields.place, message, "the strategy action has one source");
    }
    if !target.command.is_empty() && target.restore.command.is_empty() {
        let message =
            format!("{} has no way back: it can be kept, and not restored", fields.path_of("command"));
        report.warn(fields.place_of("command"), message, "add restore: { command: [PROGRAM, ARGUMENT] }");
    }
    if target.command.is_empty() && !target.restore.command.is_empty() && target.action.is_none() {
        let message = format!("{} restores what no command keeps", fields.path_of("restore"));
        report.warn(fields.place_of("restore"), message, "add command: [PROGRAM, ARGUMENT]");
    }
}

/// The strategy `action` has an action: the one that it names, or one at the hook `backup`; unless it says itself what is kept.
pub(super) fn check(
    components: &BTreeMap<String, ComponentSpec>,
    places: &BTreeMap<String, Place>,
    actions: &[ActionSpec],
    report: &mut Report<'_>,
) {
    for (name, component) in components {
        let path = format!("spec.components.{name}.backup");
        let place = places.get(name).copied().unwrap_or_default();
        let target = &component.backup_target;
        match &target.action {
            Some(name) if !actions.iter().any(|action| action.name == *name) => {
                let hint = report.hint(name, actions.iter().map(|action| action.name.as_str()));
                report.error(place, format!("{path} names the action '{name}', which does not exist"), hint);
            }
            None if component.backup.as_deref() == Some("action")
                && target.command.is_empty()
                && target.files.is_empty()
                && !actions.iter().any(|action| action.hook == Some(Hook::Backup)) =>
            {
                let message = format!("{path} is left to an action, and no action runs at the hook backup");
                report.warn(
                    place,
                    message,
                    "name one: { kind: action, action: NAME }; or a command, or files",
                );
            }
            _ => {}
        }
    }
}
