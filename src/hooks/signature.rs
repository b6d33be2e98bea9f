//! What a function can call: one table for the worker, the shim, the reading of calls and the check of files.

use serde::Serialize;

/// A primitive: its name and those of its arguments. Each may be given by position or by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// What must be given, first.
    pub required: &'static [&'static str],
    /// What may be given.
    pub optional: &'static [&'static str],
}

/// Every primitive.
pub const SIGNATURES: &[Signature] = &[
    of("stop_components", &[], &["components", "timeout"]),
    of("stop_component", &["component"], &["timeout"]),
    of("start_components", &[], &["components", "timeout"]),
    of("start_component", &["component"], &["timeout"]),
    of("scale", &["component", "replicas"], &[]),
    of("restart", &[], &["components"]),
    of("wait_ready", &[], &["components", "timeout"]),
    of(
        "execute_commands",
        &["component", "commands"],
        &["container", "stdin", "env", "cwd", "timeout", "check", "idempotent"],
    ),
    of("run_job", &["name", "command"], &["component", "image", "args", "env", "timeout", "check"]),
    of("http_check", &["service"], &["path", "status", "contains", "timeout", "method"]),
    of("upgrade_deployment_version", &["version"], &[]),
    of("back_up", &[], &[]),
    of("log", &["text"], &[]),
    of("progress", &["done"], &["total", "text"]),
    of("sleep", &["seconds"], &[]),
    of("now", &[], &[]),
    of("random", &[], &[]),
];

const fn of(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
) -> Signature {
    Signature { name, required, optional }
}

/// The primitive of that name.
pub fn find(name: &str) -> Option<&'static Signature> {
    SIGNATURES.iter().find(|signature| signature.name == name)
}
