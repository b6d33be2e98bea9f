//! `styrmin driver load SOURCE`.

use clap::Args;
use serde_json::json;

use super::findings::{Findings, Severity};
use super::{Output, Subject, remark};
use crate::app;
use crate::app::drivers::Recorded;
use crate::domain::Problem;

/// Arguments of `driver load`.
#[derive(Debug, Args)]
pub struct LoadArguments {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &LoadArguments) -> Result<bool, Problem> {
    let (source, toolbox) = arguments.subject.open()?;
    let load = app::block_on(async { toolbox.load(&source).await.map_err(Problem::from) })?;
    load.warnings.iter().for_each(|warning| remark(&format!("warning: {warning}")));
    let mut findings = Findings::default();
    findings.add(Severity::Warning, load.warnings);
    let version = &load.version;
    let (word, sentence) = match load.recorded {
        Recorded::New => ("New", "New"),
        Recorded::Known => ("Known", "Known already, nothing was changed"),
        Recorded::Replaced => ("Replaced", "It takes the place of the one that was built in before"),
    };
    let value = json!({
        "driver": version.reference,
        "source": version.source,
        "digest": version.digest,
        "outcome": word,
        "warnings": findings.json(),
    });
    arguments.output.print(&value, || {
        super::printable(&format!("{} from {}\n{sentence}.\n", version.reference, version.source))
    })?;
    Ok(true)
}
