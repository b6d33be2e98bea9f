//! `spec.helm`.

use crate::domain::driver::HelmChart;
use crate::driver::content::Content;
use crate::driver::reader::{Fields, Report};

pub(super) const FIELDS: [&str; 5] = ["location", "chart", "version", "values", "values_template"];

/// The template of the values where none is named. There may be no such file.
const VALUES: &str = "values.j2.yml";

/// The chart.
pub(super) fn read(spec: &Fields<'_>, content: &Content, report: &mut Report<'_>) -> Option<HelmChart> {
    let node = spec.get("helm")?;
    let fields = Fields::open(node, "spec.helm", &["main", "renderer"], report);
    renderer(&fields, report);
    let main = fields.require("main", report)?;
    let fields = Fields::open(main, "spec.helm.main", &FIELDS, report);
    let chart = HelmChart {
        location: fields.required_text("location", report).unwrap_or_default(),
        chart: fields.optional_text("chart", report),
        version: fields.optional_text("version", report),
        values: values(&fields, content, report),
    };
    if chart.location.is_empty() {
        return Some(chart);
    }
    if chart.is_remote() {
        check_remote(&fields, &chart, report);
    } else {
        check_local(&fields, &chart, content, report);
    }
    Some(chart)
}

/// `renderer`: `styrmin` renders the chart itself; handing it to Flux is refused until that exists.
fn renderer(fields: &Fields<'_>, report: &mut Report<'_>) {
    if fields.get("renderer").is_none() {
        return;
    }
    if super::one_of(fields, "renderer", &["styrmin", "flux"], report).as_deref() == Some("flux") {
        let message = "spec.helm.renderer is 'flux': handing a chart to a HelmRelease is not supported yet";
        report.error(fields.place_of("renderer"), message, "leave it out: the chart is rendered in process");
    }
}

fn values(fields: &Fields<'_>, content: &Content, report: &mut Report<'_>) -> String {
    let name = if fields.get("values_template").is_some() { "values_template" } else { "values" };
    let Some(values) = fields.optional_text(name, report) else { return VALUES.to_owned() };
    let path = values.strip_prefix("./").unwrap_or(&values).to_owned();
    if !content.texts.contains_key(&path) {
        let hint = report.hint(&path, content.texts.keys().map(String::as_str));
        let message = format!("{}: the driver has no file '{path}'", fields.path_of(name));
        report.error(fields.place_of(name), message, hint);
    }
    path
}

fn check_remote(fields: &Fields<'_>, chart: &HelmChart, report: &mut Report<'_>) {
    let place = fields.place_of("location");
    let address = chart.location.split_once("://").map_or("", |(_, rest)| rest);
    let host = address.split('/').next().unwrap_or("");
    if host.is_empty() || chart.location.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let message = format!("spec.helm.main.location is '{}', which names no host", chart.location);
        report.error(place, message, "expected such as oci://registry.example.org/charts/wiki");
    }
    if host.contains('@') {
        let message = "spec.helm.main.location has credentials in it, which a driver is no place for";
        report.error(place, message, "leave them out: your own of docker and helm are used");
    }
    if chart.location.starts_with("http://") {
        let message = "spec.helm.main.location is not encrypted: anybody on the way can change the chart";
        report.warn(place, message, "use https://");
    }
    let archive = !chart.location.starts_with("oci://") && is_archive(&chart.location);
    if chart.version.is_none() && !archive {
        report.error(fields.place, "spec.helm.main has no version", "pin the chart's version");
    }
    if chart.chart.is_some() && (archive || chart.location.starts_with("oci://")) {
        let message = "spec.helm.main.chart is ignored: the location names the chart already";
        report.warn(fields.place_of("chart"), message, "it is for HTTP repositories");
    }
}

/// A path inside the driver: a directory with a `Chart.yaml`, or an archive.
fn check_local(fields: &Fields<'_>, chart: &HelmChart, content: &Content, report: &mut Report<'_>) {
    let place = fields.place_of("location");
    let location = &chart.location;
    let path = chart.local_path().unwrap_or("");
    let found = match path {
        _ if is_archive(path) => content.binaries.contains_key(path),
        _ => content.texts.contains_key(&format!("{path}/Chart.yaml")),
    };
    let leaves = location.starts_with('/') || path.split('/').any(|part| part == "..");
    if leaves || location.contains("://") {
        let message = format!("spec.helm.main.location is '{location}', which is outside of the driver");
        let hint = "expected oci://…, https://…, or a chart's directory or .tgz inside the driver";
        report.error(place, message, hint);
    } else if matches!(path, "" | ".") {
        let message = format!("spec.helm.main.location is '{location}', the driver's own directory");
        report.error(place, message, "put the chart into a directory of its own, such as ./chart");
    } else if !found {
        let missing = if is_archive(path) { path.to_owned() } else { format!("{path}/Chart.yaml") };
        let message = format!("spec.helm.main.location is '{location}', and the driver has no {missing}");
        let charts: Vec<&str> = charts(content).collect();
        let hint = match report.hint(path, charts) {
            hint if hint.is_empty() => {
                "expected oci://…, https://…, or a chart's directory or .tgz inside the driver".to_owned()
            }
            hint => hint,
        };
        report.error(place, message, hint);
    }
}

/// The charts that a driver has, directories and archives.
fn charts(content: &Content) -> impl Iterator<Item = &str> {
    let directories = content.texts.keys().filter_map(|path| path.strip_suffix("/Chart.yaml"));
    let archives = content.binaries.keys().map(String::as_str).filter(|path| is_archive(path));
    directories.chain(archives).filter(|path| !path.contains("/charts/"))
}

fn is_archive(path: &str) -> bool {
    path.ends_with(".tgz") || path.ends_with(".tar.gz")
}
