//! `styrmin driver list`.

use clap::Args;
use serde_json::{Value, json};

use super::{Output, State, table};
use crate::app;
use crate::app::drivers::{Listed, Toolbox};
use crate::domain::Problem;

/// Arguments of `driver list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &ListArguments) -> Result<bool, Problem> {
    let toolbox = Toolbox::new(arguments.state.state_dir.as_deref())?;
    let listed = app::block_on(async { toolbox.list().await })?;
    let value: Value = listed.iter().map(value).collect();
    arguments.output.print(&value, || text(&listed))?;
    Ok(true)
}

fn value(listed: &Listed) -> Value {
    let driver = &listed.version;
    json!({
        "name": driver.reference.name,
        "version": driver.reference.version,
        "supportedVersions": driver.spec.supported_versions,
        "defaultVersion": driver.spec.default_version,
        "source": driver.source,
        "digest": driver.digest,
        "recorded": listed.recorded,
        "description": driver.spec.info.description,
    })
}

fn text(listed: &[Listed]) -> String {
    let heads = ["NAME", "VERSION", "DEPLOYS", "SUPPORTS", "SOURCE"].map(str::to_owned).to_vec();
    let rows = listed.iter().map(|listed| {
        let driver = &listed.version;
        let (name, version) = (driver.reference.name.clone(), driver.reference.version.clone());
        let spec = &driver.spec;
        vec![
            name,
            version,
            spec.default_version.clone(),
            spec.supported_versions.clone(),
            driver.source.clone(),
        ]
    });
    table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
}
