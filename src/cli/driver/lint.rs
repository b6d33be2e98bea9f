//! `styrmin driver lint SOURCE`.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::json;

use super::findings::{Findings, Severity, count};
use super::{Output, Subject};
use crate::app;
use crate::app::drivers::Unreadable;
use crate::app::drivers::rendering::Rendering;
use crate::app::home::own_executable;
use crate::domain::driver::{ActionSpec, Hook, ParameterKind};
use crate::domain::{DriverVersion, Problem};
use crate::driver::{Diagnostic, SPEC_FILE};
use crate::hooks::{self, Worker};

/// Arguments of `driver lint`.
#[derive(Debug, Args)]
pub struct LintArguments {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &LintArguments) -> Result<bool, Problem> {
    let (source, toolbox) = arguments.subject.open()?;
    let mut findings = Findings::default();
    let read = app::block_on(async { toolbox.read(&source).await });
    let (shown, reference) = match read {
        Ok(loaded) => {
            findings.add(Severity::Warning, loaded.warnings);
            findings.add(Severity::Error, functions(&loaded.version)?);
            findings.add(Severity::Note, later(&loaded.version));
            try_out(&loaded.version, &mut findings);
            (loaded.version.source.clone(), Some(loaded.version.reference))
        }
        Err(Unreadable::Findings { source, findings: found }) => {
            let (errors, warnings): (Vec<_>, Vec<_>) = found.into_iter().partition(Diagnostic::is_error);
            findings.add(Severity::Error, errors);
            findings.add(Severity::Warning, warnings);
            (source, None)
        }
        Err(Unreadable::Problem(problem)) => return Err(problem),
    };
    let (errors, warnings) = (findings.count(Severity::Error), findings.count(Severity::Warning));
    let value = json!({
        "source": shown,
        "driver": reference,
        "findings": findings.json(),
        "errors": errors,
        "warnings": warnings,
    });
    arguments.output.print(&value, || {
        let name = reference.as_ref().map_or_else(|| shown.clone(), ToString::to_string);
        let summary = format!("{name}: {}, {}", count(errors, "error"), count(warnings, "warning"));
        findings.text() + &super::printable(&summary) + "\n"
    })?;
    Ok(errors == 0)
}

/// What will not work in the files of its actions. They are looked through in a process of their own.
fn functions(driver: &DriverVersion) -> Result<BTreeSet<Diagnostic>, Problem> {
    let files = driver.spec.actions.iter().map(ActionSpec::file);
    let files: BTreeSet<&str> = files.filter(|file| file.ends_with(".star")).collect();
    if files.is_empty() {
        return Ok(BTreeSet::new());
    }
    let worker = Worker::new(own_executable()?);
    // what several files load is looked through with each of them, and told once
    let found = files.into_iter().flat_map(|file| hooks::check(&worker, &driver.files, file));
    Ok(found.map(diagnostic).collect())
}

fn diagnostic(found: hooks::Finding) -> Diagnostic {
    let place = |number: u32| usize::try_from(number).unwrap_or_default();
    Diagnostic {
        file: found.file,
        line: place(found.line),
        column: place(found.column),
        message: found.message,
        ..Diagnostic::default()
    }
}

/// Actions whose moment never comes yet.
fn later(driver: &DriverVersion) -> impl Iterator<Item = Diagnostic> {
    let waiting = |hook: Option<Hook>| matches!(hook, Some(Hook::Backup | Hook::Restore));
    driver.spec.actions.iter().filter(move |action| waiting(action.hook)).map(|action| Diagnostic {
        file: SPEC_FILE.to_owned(),
        message: format!("the action '{}' runs with backups, which are not there yet", action.name),
        ..Diagnostic::default()
    })
}

/// Tries what it renders with the defaults of its parameters, in each version that it knows. For a secret without a default
/// something stands in; of other parameters only those who deploy it know the value.
fn try_out(driver: &DriverVersion, findings: &mut Findings) {
    let spec = &driver.spec;
    let open = spec.parameters.iter().filter(|parameter| parameter.default.is_none());
    let open: Vec<&str> = open
        .filter(|parameter| parameter.kind != ParameterKind::Secret)
        .map(|parameter| parameter.name.as_str())
        .collect();
    if !open.is_empty() {
        let message = format!("it is not rendered: no default says what {} may be", open.join(", "));
        findings
            .add(Severity::Warning, [finding(&message, "try it: styrmin driver render --set NAME=VALUE")]);
        return;
    }
    let versions: BTreeSet<&str> =
        [&spec.default_version].into_iter().chain(&spec.known_versions).map(String::as_str).collect();
    // the same in several versions is one
    let mut told = BTreeSet::new();
    for version in versions {
        let rendering = Rendering {
            version: Some(version.to_owned()),
            environment: "demo".to_owned(),
            fqdn_suffix: Some("localhost".to_owned()),
            ..Rendering::default()
        };
        let (severity, messages) = match rendering.of(driver) {
            Ok(rendered) => (Severity::Warning, rendered.warnings),
            Err(problem) => (Severity::Error, problem.why.lines().map(str::to_owned).collect()),
        };
        let hint = format!("rendered with version {version} and the defaults of its parameters");
        let new = messages.into_iter().filter(|message| told.insert(message.clone()));
        findings.add(severity, new.map(|message| finding(&message, &hint)));
    }
}

/// One of the driver as a whole.
fn finding(message: &str, hint: &str) -> Diagnostic {
    Diagnostic { message: message.to_owned(), hint: hint.to_owned(), ..Diagnostic::default() }
}
