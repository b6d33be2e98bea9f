//! Making the inside of a container: its root directory, volumes, environment, argv.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::environment::Sources;
use super::expand::expand;
use super::pod::PodRecord;
use super::process::{Inside, install_commands};
use super::termination;
use super::volumes::{self, Place, Volumes, join};
use super::{Node, api_access};
use crate::sandbox::images::KnownImage;
use crate::sandbox::object;

/// How often the files of volumes are compared with what they are made from, beside every change: tokens grow old.
pub(super) const REFRESH: Duration = Duration::from_secs(60);

/// Makes the directories of the pod's volumes.
///
/// # Errors
/// A sentence for the event `FailedMount`.
pub(super) fn volumes(node: &Node, record: &PodRecord) -> Result<Volumes, String> {
    let pod = &pod(node, record);
    let own = record.directory.join("volumes");
    volumes::prepare(&sources(node, record, pod)?, &own, &node.claims())
}

/// Makes a container's inside, and its argv.
///
/// # Errors
/// A sentence for `CreateContainerConfigError`.
pub(super) fn inside(
    node: &Node,
    record: &PodRecord,
    name: &str,
    image: KnownImage,
) -> Result<(Arc<Inside>, Vec<String>), String> {
    let pod = pod(node, record);
    let volumes = volumes(node, record)?;
    let missing = || format!("there is no container {name:?}");
    let container = container(&pod, name).ok_or_else(missing)?;
    let containers = record.directory.join("containers");
    let root = join(&containers, name).filter(|root| *root != containers);
    let root = root.ok_or_else(|| format!("{name:?} is no container name"))?;
    let failed = |error: std::io::Error| format!("{}: {error}", root.display());
    std::fs::create_dir_all(root.join("tmp")).map_err(failed)?;
    let mut environment = machine(node, record, &pod, &root)?;
    lend(&image, &mut environment, &root);
    environment.extend(sources(node, record, &pod)?.resolve(container)?);
    let variable = |name: &str| environment.get(name).map(String::as_str);
    let copies = record.directory.join("volume-subpaths").join(name);
    let place = Place { volumes: &volumes, root: &root, copies: &copies };
    let mut mounts = volumes::mount(container, &place, variable)?;
    mounts.extend(termination::prepare(container, &root)?);
    let directory = match object::text(container, "/workingDir") {
        "" => root.clone(),
        path => join(&root, path).ok_or_else(|| format!("workingDir {path:?} leads out of the container"))?,
    };
    std::fs::create_dir_all(&directory).map_err(failed)?;
    let words = |pointer: &str| -> Vec<String> {
        object::texts(container, pointer).iter().map(|word| expand(word, variable)).collect()
    };
    let argv = image.argv(&words("/command"), &words("/args"));
    let inside = Inside { image, environment, root, directory, mounts };
    install_commands(&inside, &node.options.executable).map_err(|error| error.to_string())?;
    Ok((Arc::new(inside), argv))
}

/// The pod as its containers are made.
fn pod(node: &Node, record: &PodRecord) -> Arc<Value> {
    match node.options.api_server {
        Some(_) => api_access::with_volume(&node.api, record.pod()),
        None => record.pod(),
    }
}

/// What a container has from its image.
fn lend(image: &KnownImage, environment: &mut BTreeMap<String, String>, root: &std::path::Path) {
    let address = environment.get("POD_IP").cloned().unwrap_or_default();
    environment.extend(image.variables(&address).into_iter().map(|(name, value)| (name.to_owned(), value)));
    if let (Some(programs), Some(path)) = (image.programs(), environment.get_mut("PATH")) {
        let own = root.join("usr/local/bin").to_string_lossy().into_owned();
        let rest = path.strip_prefix(&own).unwrap_or(path).trim_start_matches(':').to_owned();
        *path = format!("{own}:{}:{rest}", programs.display());
    }
}

fn container<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    ["/spec/containers", "/spec/initContainers"]
        .iter()
        .flat_map(|pointer| object::list(pod, pointer))
        .find(|container| container["name"] == name)
}

/// Whether everything that a container's environment names is there, for one that has no process.
///
/// # Errors
/// A sentence for `CreateContainerConfigError`.
pub(super) fn check(node: &Node, record: &PodRecord, container: &Value) -> Result<(), String> {
    sources(node, record, &record.pod())?.resolve(container).map(drop)
}

fn sources<'a>(node: &'a Node, record: &PodRecord, pod: &'a Value) -> Result<Sources<'a>, String> {
    let address = record.address().ok_or("the pod has no address")?;
    Ok(Sources {
        api: &node.api,
        pod,
        address,
        node_address: node.network.node_address(),
        tokens: &node.tokens,
    })
}

/// What a container runtime and the sandbox set: the pod's own variables come over it.
fn machine(
    node: &Node,
    record: &PodRecord,
    pod: &Value,
    root: &std::path::Path,
) -> Result<BTreeMap<String, String>, String> {
    let hosts = node.hosts.path(&record.namespace).map_err(|error| format!("the hosts file: {error}"))?;
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".into());
    let address = record.address().ok_or("the pod has no address")?;
    let hostname = match object::text(pod, "/spec/hostname") {
        "" => record.name.as_str(),
        name => name,
    };
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let variables = [
        ("PATH", format!("{}:{path}", text(root.join("usr/local/bin")))),
        ("HOME", text(root.to_owned())),
        ("TMPDIR", text(root.join("tmp"))),
        ("HOSTNAME", hostname.to_owned()),
        ("POD_IP", address.to_string()),
        ("STYRMIN_ROOT", text(root.to_owned())),
        ("STYRMIN_HOSTS", text(hosts)),
        ("STYRMIN_LIFELINE", text(node.lifeline.clone())),
    ];
    let server = node.options.api_server.map(api_access::variables);
    let variables = variables.into_iter().chain(server.into_iter().flatten());
    Ok(variables.map(|(name, value)| (name.to_owned(), value)).collect())
}
