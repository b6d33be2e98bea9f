//! A small application for tests: three kinds of objects, images that the sandbox simulates, nothing that takes time.

use std::collections::BTreeMap;

use styrmin::domain::{DriverRef, DriverVersion};
use styrmin::driver::load_files;

const SPEC: &str = "
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata:
  name: site
spec:
  version: 1.0.0
  supported_versions: '>=1.0,<3.0'
  default_version: 1.0.0
  components:
    web:
      identifier:
        label: {part: web}
  parameters:
    - {name: replicas, label: Replicas, kind: integer, default: 1}
    - {name: extra, label: An extra ConfigMap, kind: boolean, default: false}
    - {name: text, label: Text, kind: string, default: hello}
";

const MANIFEST: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: '{{ deployment.name }}'}
data: {text: '{{ parameters.text }}', version: '{{ app.version }}'}
---
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
  replicas: {{ parameters.replicas }}
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: '{{ deployment.name }}', part: web}}
  template:
    metadata: {labels: {app: '{{ deployment.name }}', part: web}}
    spec:
      containers:
        - name: web
          image: 'example.org/site:{{ app.version }}'
          envFrom: [{configMapRef: {name: '{{ deployment.name }}'}}]
";

const EXTRA: &str = "
{%- if parameters.extra %}
apiVersion: v1
kind: ConfigMap
metadata: {name: '{{ deployment.name }}-extra'}
data: {more: 'yes'}
{%- endif %}
";

/// The driver.
pub fn driver() -> DriverVersion {
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), SPEC.to_owned()),
        ("manifests/a.yaml.j2".to_owned(), MANIFEST.to_owned()),
        ("manifests/b.yaml.j2".to_owned(), EXTRA.to_owned()),
    ]);
    load_files("test", files).unwrap_or_else(|errors| panic!("{errors:?}")).version
}

/// The same with a service that is reached from outside.
pub fn routed() -> DriverVersion {
    let service =
        "  services:\n    - {name: web, scope: external, port: 80, component: web}\n  parameters:\n";
    let spec = SPEC.replace("version: 1.0.0\n  supported", "version: 1.0.0-routed\n  supported");
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), spec.replace("  parameters:\n", service)),
        ("manifests/a.yaml.j2".to_owned(), MANIFEST.to_owned()),
    ]);
    load_files("test", files).unwrap_or_else(|errors| panic!("{errors:?}")).version
}

/// Its name and version.
pub fn reference() -> DriverRef {
    DriverRef { name: "site".to_owned(), version: "1.0.0".to_owned() }
}
