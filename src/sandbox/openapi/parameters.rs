//! The parameters of the operations, as OpenAPI v3 writes them.

use serde_json::{Value, json};

type Row = (&'static str, &'static str, &'static str);

const LIST: &[Row] = &[
    ("allowWatchBookmarks", "boolean", "The watch may send events of type BOOKMARK."),
    ("continue", "string", "The token of the page before this one; every other parameter must be the same."),
    ("fieldSelector", "string", "Selects objects by their fields. Defaults to everything."),
    ("labelSelector", "string", "Selects objects by their labels. Defaults to everything."),
    (
        "limit",
        "integer",
        "The most objects that one answer may hold; where there are more, it has `metadata.continue`.",
    ),
    ("resourceVersion", "string", "Which state of the objects is wanted. Defaults to the newest."),
    ("resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan."),
    (
        "sendInitialEvents",
        "boolean",
        "The watch starts with the objects that there are, followed by a bookmark that ends them.",
    ),
    ("timeoutSeconds", "integer", "How long the list or watch may take, in seconds."),
    ("watch", "boolean", "Sends the changes of the objects as they happen, instead of a list."),
];

const DRY_RUN: Row = (
    "dryRun",
    "string",
    "When present, nothing is stored. The only value is All: everything but that is done.",
);

const WRITE: &[Row] = &[
    DRY_RUN,
    ("fieldManager", "string", "The name under which the written fields are owned; at most 128 characters."),
    (
        "fieldValidation",
        "string",
        "What is done about unknown and duplicate fields: Ignore drops them, Warn (the default) also answers with a warning for each, Strict refuses the request.",
    ),
];

const FORCE: Row = ("force", "boolean", "Takes over fields that others own. Only for server-side apply.");

const DELETE: &[Row] = &[
    DRY_RUN,
    (
        "gracePeriodSeconds",
        "integer",
        "How many seconds the object has to end; zero ends it at once. Defaults to what the object says.",
    ),
    ("orphanDependents", "boolean", "Deprecated, use propagationPolicy. Leaves the dependents alone."),
    (
        "propagationPolicy",
        "string",
        "What becomes of the dependents: Orphan leaves them, Background deletes them afterwards, Foreground before the object.",
    ),
];

const LOG: &[Row] = &[
    ("container", "string", "The container. Defaults to the only one of the pod."),
    ("follow", "boolean", "Goes on with what is written from now on."),
    ("limitBytes", "integer", "Ends after so many bytes."),
    ("previous", "boolean", "The log of the container before its last restart."),
    ("sinceSeconds", "integer", "Only what was written in so many seconds before now."),
    ("sinceTime", "string", "Only what was written since this time (RFC 3339)."),
    ("tailLines", "integer", "Only so many lines from the end."),
    ("timestamps", "boolean", "Puts the time before every line."),
];

const SESSION: &[Row] = &[
    ("container", "string", "The container. Defaults to the only one of the pod."),
    ("stderr", "boolean", "Connects the standard error."),
    ("stdin", "boolean", "Connects the standard input."),
    ("stdout", "boolean", "Connects the standard output."),
    ("tty", "boolean", "Gives the command a terminal."),
];

const COMMAND: Row = ("command", "string", "The command and its arguments, one parameter for each.");
const PATH: Row = ("path", "string", "The path that is asked for.");
const PORTS: Row = ("ports", "integer", "The ports that are forwarded.");

fn rows(rows: &[Row]) -> Vec<Value> {
    rows.iter().map(|row| query(*row)).collect()
}

fn query((name, kind, description): Row) -> Value {
    json!({"name": name, "in": "query", "description": description,
        "schema": {"type": kind, "uniqueItems": true}})
}

/// The parameters of an operation on objects, by its `x-kubernetes-action`.
pub fn of_action(action: &str) -> Vec<Value> {
    match action {
        "list" => rows(LIST),
        "post" | "put" => rows(WRITE),
        "patch" => {
            let mut all = rows(WRITE);
            all.push(query(FORCE));
            all
        }
        "delete" => rows(DELETE),
        "deletecollection" => {
            let mut all = rows(LIST);
            all.retain(|parameter| {
                !["allowWatchBookmarks", "watch"].iter().any(|name| parameter["name"] == *name)
            });
            all.extend(rows(DELETE));
            all
        }
        _ => Vec::new(),
    }
}

/// The parameters of a subresource that is no object.
pub fn of_subresource(name: &str) -> Vec<Value> {
    match name {
        "log" => rows(LOG),
        "attach" => rows(SESSION),
        "exec" => {
            let mut all = rows(SESSION);
            all.insert(0, query(COMMAND));
            all
        }
        "portforward" => vec![query(PORTS)],
        "proxy" => vec![query(PATH)],
        _ => Vec::new(),
    }
}

/// A part of the path.
pub fn of_path(name: &str, description: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": description,
        "schema": {"type": "string", "uniqueItems": true}})
}
