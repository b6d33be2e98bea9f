//! `styrmin driver lint SOURCE`.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::json;

use super::findings::{Findings, Severity, count};
use super::{Output, Place, State};
use crate::app;
use crate::app::drivers::rendering::Rendering;
use crate::app::drivers::{Toolbox, Unreadable};
use crate::domain::{DriverVersion, Problem};
use crate::driver::Diagnostic;

/// Arguments of `driver lint`.
#[derive(Debug, Args)]
pub struct LintArguments {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &LintArguments) -> Result<bool, Problem> {
    let source = arguments.place.source()?;
    let toolbox = Toolbox::new(arguments.state.state_dir.as_deref())?;
    let mut findings = Findings::default();
    let read = app::block_on(async { toolbox.read(&source).await });
    let (shown, reference) = match read {
        Ok(loaded) => {
            findings.add(Severity::Warning, loaded.warnings);
            findings.add(Severity::Error, trials(&loaded.version));
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

/// What goes wrong when it is rendered with the defaults of its parameters, in each version that it knows.
fn trials(driver: &DriverVersion) -> Vec<Diagnostic> {
    if driver.spec.parameters.iter().any(|parameter| parameter.default.is_none()) {
        // what it needs is for whoever deploys it to say: `driver render --set` tries that
        return Vec::new();
    }
    let spec = &driver.spec;
    let versions: BTreeSet<&str> =
        [&spec.default_version].into_iter().chain(&spec.known_versions).map(String::as_str).collect();
    let mut found: Vec<Diagnostic> = Vec::new();
    for version in versions {
        let rendering = Rendering {
            version: Some(version.to_owned()),
            environment: "demo".to_owned(),
            fqdn_suffix: Some("localhost".to_owned()),
            ..Rendering::default()
        };
        let Err(problem) = rendering.of(driver) else { continue };
        for message in problem.why.lines() {
            // the same mistake in several versions is one
            if !found.iter().any(|known| known.message == message) {
                let hint = format!("rendered with version {version} and the defaults of its parameters");
                found.push(Diagnostic { message: message.to_owned(), hint, ..Diagnostic::default() });
            }
        }
    }
    found
}
