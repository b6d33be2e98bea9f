//! Volumes as directories, and mounts as symbolic links below a container's root directory.
//!
//! Nothing can be mounted without privileges: a mount at `/data` is the link `<root>/data`, and the container is told its
//! root in `STYRMIN_ROOT`. Known images look paths up there; of host programs, arguments that begin with a mount path are
//! replaced by the volume's directory. Read-only mounts are not enforced, and an emptyDir in memory is on the disk.
//! Volumes that are made of files ([`payload`]) follow their sources while the pod runs ([`atomic`]); what is mounted by
//! `subPath` does not, as on a real node.

mod atomic;
mod payload;
mod usage;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::environment::Sources;
use super::expand::expand;
use crate::sandbox::object;
pub(super) use payload::is_made_of_files;
pub(super) use usage::too_full;

/// Volume name → its directory.
pub(super) type Volumes = HashMap<String, PathBuf>;

/// Makes the directories of a pod's volumes: `own` for those that live with the pod, `claims` for persistent ones. Files that
/// have changed are changed.
/// The error is a sentence for the event `FailedMount`.
pub(super) fn prepare(sources: &Sources<'_>, own: &Path, claims: &Path) -> Result<Volumes, String> {
    let mut volumes = Volumes::new();
    for volume in object::list(sources.pod, "/spec/volumes") {
        let name = volume["name"].as_str().unwrap_or_default();
        let directory = join(own, name).ok_or_else(|| format!("{name:?} is no volume name"))?;
        let failed = |why: String| format!("MountVolume.SetUp failed for volume {name:?} : {why}");
        let directory = fill(sources, volume, directory, claims).map_err(failed)?;
        volumes.insert(name.to_owned(), directory);
    }
    Ok(volumes)
}

fn fill(sources: &Sources<'_>, volume: &Value, directory: PathBuf, claims: &Path) -> Result<PathBuf, String> {
    let said = |error: io::Error| error.to_string();
    if let Some(payload) = payload::read(sources, volume)? {
        return atomic::write(&directory, &payload, sources.api.now()).map(|_| directory).map_err(said);
    }
    if volume["persistentVolumeClaim"].is_object() {
        let name = object::text(volume, "/persistentVolumeClaim/claimName");
        let directory = claims.join(claim_uid(sources, name)?);
        return fs::create_dir_all(&directory).map(|()| directory).map_err(said);
    }
    if volume["emptyDir"].is_object() {
        return fs::create_dir_all(&directory).map(|()| directory).map_err(said);
    }
    let kind = volume.as_object().and_then(|map| map.keys().find(|key| *key != "name").cloned());
    Err(format!("the sandbox does not implement volumes of kind {}", kind.unwrap_or_default()))
}

/// The uid of a claim that is bound.
fn claim_uid(sources: &Sources<'_>, name: &str) -> Result<String, String> {
    let claim = sources.api.get("persistentvolumeclaims", object::namespace(sources.pod), name);
    let claim = claim.ok_or_else(|| format!("persistentvolumeclaim \"{name}\" not found"))?;
    if object::text(&claim, "/status/phase") != "Bound" {
        return Err(format!("persistentvolumeclaim \"{name}\" is not bound"));
    }
    Ok(object::uid(&claim).to_owned())
}

/// A volume in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// `/data`.
    pub(super) path: String,
    /// The directory, or file, that is there.
    pub(super) source: PathBuf,
}

/// Where a container's mounts come from and go to.
pub(super) struct Place<'a> {
    /// The pod's volumes.
    pub(super) volumes: &'a Volumes,
    /// The directory that stands for `/`.
    pub(super) root: &'a Path,
    /// For copies of files that are mounted by `subPath`.
    pub(super) copies: &'a Path,
}

/// Links a container's mounts below its root. `lookup` gives variables for `subPathExpr`.
pub(super) fn mount<'a>(
    container: &Value,
    place: &Place<'_>,
    lookup: impl Fn(&str) -> Option<&'a str>,
) -> Result<Vec<Mount>, String> {
    let mut mounts = Vec::new();
    for (index, mount) in object::list(container, "/volumeMounts").iter().enumerate() {
        let (name, path) = (object::text(mount, "/name"), object::text(mount, "/mountPath"));
        let volume = place
            .volumes
            .get(name)
            .ok_or_else(|| format!("volume {name:?} is not among the pod's volumes"))?;
        let inner = match object::text(mount, "/subPathExpr") {
            "" => object::text(mount, "/subPath").to_owned(),
            text => expand(text, &lookup),
        };
        let source = match inner.as_str() {
            "" => volume.clone(),
            inner => sub_path(volume, inner, &place.copies.join(index.to_string()))?,
        };
        let target = join(place.root, path).filter(|target| target != place.root);
        let target = target.ok_or_else(|| format!("mountPath {path:?} cannot be used"))?;
        link(&source, &target).map_err(|error| format!("{path}: {error}"))?;
        mounts.push(Mount { path: format!("/{}", path.trim_matches('/')), source });
    }
    Ok(mounts)
}

/// What is at a path in a volume: itself, or, where updates would pull it away, a copy as it is now.
fn sub_path(volume: &Path, inner: &str, copy: &Path) -> Result<PathBuf, String> {
    let failed = |error: io::Error| format!("failed to prepare subPath {inner:?}: {error}");
    let source = join(volume, inner).ok_or_else(|| format!("subPath {inner:?} leads out of the volume"))?;
    if volume.join("..data").exists() {
        if copy.is_dir() {
            fs::remove_dir_all(copy).map_err(failed)?;
        }
        copy_all(&source, copy).map_err(failed)?;
        return Ok(copy.to_owned());
    }
    if !source.exists() {
        fs::create_dir_all(&source).map_err(failed)?;
    }
    Ok(source)
}

fn copy_all(source: &Path, target: &Path) -> io::Result<()> {
    if !source.is_dir() {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        // An earlier copy may not be writable.
        fs::remove_file(target).ok();
        return fs::copy(source, target).map(drop);
    }
    fs::create_dir_all(target)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        copy_all(&entry.path(), &target.join(entry.file_name()))?;
    }
    Ok(())
}

fn link(source: &Path, target: &Path) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::read_link(target) {
        Ok(present) if present == source => return Ok(()),
        Ok(_) => fs::remove_file(target)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // A directory that an earlier mount below it has made.
        Err(_) => fs::remove_dir(target)?,
    }
    std::os::unix::fs::symlink(source, target)
}

/// `path` below `base`; `None` when it would leave it.
pub(super) fn join(base: &Path, path: &str) -> Option<PathBuf> {
    let mut joined = base.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => joined.push(part),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    Some(joined)
}

/// An argument of a host program: one that begins with a mount path is led into the volume itself, not to the link, so that
/// `tar -c /data` finds files.
pub(super) fn translate(argument: &str, mounts: &[Mount]) -> String {
    let inside = |mount: &Mount| {
        let rest = argument.strip_prefix(mount.path.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| join(&mount.source, rest)).flatten()
    };
    let longest = mounts.iter().filter(|mount| inside(mount).is_some()).max_by_key(|mount| mount.path.len());
    match longest.and_then(inside) {
        Some(path) => path.to_string_lossy().into_owned(),
        None => argument.to_owned(),
    }
}

#[cfg(test)]
mod tests;
