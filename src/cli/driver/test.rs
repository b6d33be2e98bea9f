//! `styrmin driver test SOURCE`.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{Choices, Output, Subject, remark, table};
use crate::app;
use crate::app::drivers::trial::{Answer, Outcome, Part, Trial, describe};
use crate::domain::{DriverRef, Problem};

/// Arguments of `driver test`.
#[derive(Debug, Args)]
pub struct TestArguments {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    choices: Choices,
    /// How long it may take to become healthy, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &TestArguments) -> Result<bool, Problem> {
    let (source, toolbox) = arguments.subject.open()?;
    let (reference, outcome) = app::block_on(async {
        let loaded = toolbox.read(&source).await.map_err(Problem::from)?;
        loaded.warnings.iter().for_each(|warning| remark(&format!("warning: {warning}")));
        let reference = loaded.version.reference.clone();
        remark(&format!("{reference} is deployed on a sandbox of its own …"));
        let trial = Trial {
            driver: loaded.version,
            version: arguments.choices.version.clone(),
            parameters: arguments.choices.parameters(),
            patience: Duration::from_secs(arguments.timeout),
            tell: remark,
        };
        Ok::<_, Problem>((reference, trial.run().await?))
    })?;
    arguments.output.print(&value(&reference, &outcome), || text(&reference, &outcome))?;
    Ok(outcome.problem.is_none())
}

fn value(reference: &DriverRef, outcome: &Outcome) -> Value {
    let component = |part: &Part| {
        json!({
            "name": part.name,
            "health": part.health.as_str(),
            "why": part.why,
            "ready": part.pods.0,
            "desired": part.pods.1,
            "simulated": part.simulated,
        })
    };
    let url = |answer: &Answer| {
        json!({
            "service": answer.service,
            "url": answer.url,
            "works": answer.probe.as_ref().map(crate::domain::route::Probe::works),
            "answer": describe(answer.probe.as_ref()),
        })
    };
    json!({
        "driver": reference,
        "version": outcome.version,
        "passed": outcome.problem.is_none(),
        "objects": outcome.objects,
        "components": outcome.components.iter().map(component).collect::<Vec<_>>(),
        "urls": outcome.urls.iter().map(url).collect::<Vec<_>>(),
        "problem": outcome.problem,
    })
}

fn text(reference: &DriverRef, outcome: &Outcome) -> String {
    let mut rows = Vec::new();
    for part in &outcome.components {
        let (ready, desired) = part.pods;
        let simulated = if part.simulated { "simulated: no process runs" } else { "" };
        let why = part.why.clone().unwrap_or_else(|| simulated.to_owned());
        rows.push(vec![
            part.name.clone(),
            part.health.as_str().to_owned(),
            format!("{ready}/{desired}"),
            why,
        ]);
    }
    let mut text = format!("{reference}, application {}, {} objects\n", outcome.version, outcome.objects);
    text += &table(&rows);
    for answer in &outcome.urls {
        let told = match &answer.probe {
            None if outcome.problem.is_none() => "is not asked: nothing real is behind it".to_owned(),
            probe => describe(probe.as_ref()),
        };
        text += &super::printable(&format!("{} {told}\n", answer.url));
    }
    match &outcome.problem {
        None => text + "passed\n",
        Some(problem) => text + &super::printable(&format!("failed: {problem}\n")),
    }
}
