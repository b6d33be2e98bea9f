//! The chart of a driver that comes from elsewhere: pulled when the driver is loaded, and part of it from then on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::driver::{CHART_ARCHIVE, ChartPin};
use crate::domain::{DriverVersion, Problem};
use crate::driver::chart::Chart;
use crate::driver::fetch::{ChartArchive, ChartReference, Fetcher};

/// The chart that is to be pulled for a driver; none when it has all that it needs.
pub(super) fn missing(driver: &DriverVersion) -> Option<ChartReference> {
    let chart = driver.spec.helm.as_ref().filter(|chart| chart.is_remote() && driver.chart.is_none())?;
    Some(ChartReference {
        location: chart.location.clone(),
        chart: chart.chart.clone(),
        version: chart.version.clone(),
    })
}

/// Pulls what is missing.
///
/// # Errors
/// There is no such chart, its source does not give it, or it is none.
pub(super) async fn pull(fetcher: &Fetcher, driver: &mut DriverVersion) -> Result<(), Problem> {
    let Some(asked) = missing(driver) else { return Ok(()) };
    let archive = fetcher.chart(&asked).await?;
    pin(driver, archive).await
}

/// Takes what is missing from what was fetched before; whether it was there.
///
/// # Errors
/// What was fetched is no chart.
pub(super) async fn take(fetcher: &Fetcher, driver: &mut DriverVersion) -> Result<bool, Problem> {
    let Some(asked) = missing(driver) else { return Ok(true) };
    match fetcher.cached(&asked).await {
        Some(archive) => pin(driver, archive).await.map(|()| true),
        None => Ok(false),
    }
}

async fn pin(driver: &mut DriverVersion, archive: ChartArchive) -> Result<(), Problem> {
    let bytes = Arc::clone(&archive.bytes);
    // a chart is not to be sent between threads: what is needed of it is its version
    let read =
        tokio::task::spawn_blocking(move || Chart::from_archive(&bytes).map(|chart| chart.metadata.version));
    let version = match read.await {
        Ok(read) => read.map_err(|error| error.problem(&archive.origin))?,
        Err(error) => {
            let what = format!("The chart {} cannot be read", archive.origin);
            return Err(Problem::new(what, error.to_string(), "report this: it is a defect"));
        }
    };
    driver.pin_chart(ChartPin { origin: archive.origin, version, digest: archive.digest }, archive.bytes);
    Ok(())
}

/// Whether a driver that was just read has the files of one that is recorded: then it is that one, with the chart that was
/// pulled for it then.
pub(super) fn same_files(read: &DriverVersion, recorded: &DriverVersion) -> bool {
    let own = |driver: &DriverVersion| -> BTreeMap<String, Arc<[u8]>> {
        let binaries = driver.binaries.iter().filter(|(path, _)| *path != CHART_ARCHIVE);
        binaries.map(|(path, bytes)| (path.clone(), Arc::clone(bytes))).collect()
    };
    read.files == recorded.files && own(read) == own(recorded)
}
