//! An application as large as asked for, whose pods become ready or never do.

use std::collections::BTreeMap;

use styrmin::domain::{DriverRef, DriverVersion};
use styrmin::driver::load_files;

const SPEC: &str = "
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata: {name: block}
spec:
  version: 1.0.0
  supported_versions: '>=1.0,<3.0'
  default_version: 1.0.0
  components:
    web: {identifier: {label: {part: web}}}
  parameters:
    - {name: maps, label: ConfigMaps, kind: integer, default: 2}
    - {name: scene, label: What its pods do, kind: string, default: ''}
";

const MANIFEST: &str = "
apiVersion: v1
kind: Service
metadata: {name: '{{ deployment.name }}'}
spec:
  selector: {app: '{{ deployment.name }}', part: web}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: '{{ deployment.name }}', labels: {part: web}}
spec:
  replicas: 1
  progressDeadlineSeconds: 600
  selector: {matchLabels: {app: '{{ deployment.name }}', part: web}}
  template:
    metadata:
      labels: {app: '{{ deployment.name }}', part: web}
      annotations: {sandbox.styrmin.io/scene: '{{ parameters.scene }}'}
    spec:
      containers: [{name: web, image: 'example.org/block:{{ app.version }}'}]
{% for number in range(parameters.maps) %}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: '{{ deployment.name }}-{{ number }}'}
data: {version: '{{ app.version }}', number: '{{ number }}'}
{% endfor %}
";

/// The driver.
pub fn driver() -> DriverVersion {
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), SPEC.to_owned()),
        ("manifests/all.yaml.j2".to_owned(), MANIFEST.to_owned()),
    ]);
    load_files("bench", files).unwrap_or_else(|errors| panic!("{errors:?}")).version
}

/// Its name and version.
pub fn reference() -> DriverRef {
    DriverRef { name: "block".to_owned(), version: "1.0.0".to_owned() }
}
