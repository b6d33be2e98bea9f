//! How much is in an emptyDir that has a limit.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::sandbox::object;
use crate::sandbox::schema::quantity::Quantity;

const BILLION: i128 = 1_000_000_000;

/// The pod's emptyDir volumes that have a limit: name and bytes.
fn limited(pod: &Value) -> impl Iterator<Item = (&str, &str, i128)> {
    object::list(pod, "/spec/volumes").iter().filter_map(|volume| {
        let text = volume.pointer("/emptyDir/sizeLimit")?.as_str()?;
        let limit = Quantity::parse(text)?.nanos() / BILLION;
        (limit > 0).then(|| (object::text(volume, "/name"), text, limit))
    })
}

/// `None`: no volume of the pod has a limit. Otherwise whether one is over it, and the sentence of a real kubelet.
pub(in crate::sandbox::kubelet) fn too_full(pod: &Value, own: &Path) -> Option<Result<(), String>> {
    let mut any = false;
    for (name, text, limit) in limited(pod) {
        any = true;
        if i128::from(size(&own.join(name))) > limit {
            return Some(Err(format!("Usage of EmptyDir volume \"{name}\" exceeds the limit \"{text}\". ")));
        }
    }
    any.then_some(Ok(()))
}

/// The bytes of all files below a directory; links are not followed.
fn size(directory: &Path) -> u64 {
    let mut sum = 0;
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => sum += size(&entry.path()),
            Ok(metadata) if metadata.is_file() => sum += metadata.len(),
            _ => {}
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_limited_volumes_are_measured() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("v/inner")).unwrap();
        fs::write(directory.path().join("v/inner/f"), [0; 1025]).unwrap();
        let pod = |source: Value| json!({"spec": {"volumes": [{"name": "v", "emptyDir": source}]}});
        assert_eq!(too_full(&pod(json!({})), directory.path()), None);
        assert_eq!(too_full(&pod(json!({"sizeLimit": "2Ki"})), directory.path()), Some(Ok(())));
        let full = too_full(&pod(json!({"sizeLimit": "1Ki"})), directory.path()).unwrap().unwrap_err();
        assert_eq!(full, "Usage of EmptyDir volume \"v\" exceeds the limit \"1Ki\". ");
    }
}
