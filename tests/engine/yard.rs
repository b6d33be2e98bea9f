//! An application for tests that can be made to go wrong in many ways by its parameters.

use std::collections::BTreeMap;

use styrmin::domain::{DriverRef, DriverVersion};
use styrmin::driver::load_files;

const SPEC: &str = "
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata:
  name: yard
spec:
  version: VERSION
  supported_versions: '>=1.0,<3.0'
  default_version: 1.0.0
  components:
    db:
      identifier:
        label: {part: db}
    web:
      identifier:
        label: {part: web}
  parameters:
    - {name: text, label: Text, kind: string, default: hello}
    - {name: port, label: Port of the service, kind: integer, default: 80}
    - {name: scene, label: What the web pods play, kind: string, default: ''}
    - {name: patience, label: Progress deadline, kind: integer, default: 600}
    - {name: generation, label: A label in the selector, kind: string, default: a}
    - {name: headless, label: Whether the service has no address, kind: boolean, default: false}
    - {name: job, label: What a job says, kind: string, default: ''}
    - {name: extra, label: The name of one more ConfigMap, kind: string, default: ''}
    - {name: broken, label: An object that is not valid, kind: boolean, default: false}
    - {name: node, label: The node of the web pods, kind: string, default: ''}
";

const MANIFEST: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: '{{ deployment.name }}'}
data: {text: '{{ parameters.text }}'}
---
apiVersion: v1
kind: Service
metadata: {name: '{{ deployment.name }}'}
spec:
  {%- if parameters.headless %}
  clusterIP: None
  {%- endif %}
  selector: {app: '{{ deployment.name }}', part: web}
  ports: [{port: {{ parameters.port }}}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: '{{ deployment.name }}-data'}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: '{{ deployment.name }}-db', labels: {part: db}}
spec:
  replicas: 1
  selector: {matchLabels: {app: '{{ deployment.name }}', part: db}}
  template:
    metadata: {labels: {app: '{{ deployment.name }}', part: db}}
    spec:
      containers: [{name: db, image: 'example.org/db:1', volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: '{{ deployment.name }}-data'}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: '{{ deployment.name }}-web', labels: {part: web}}
spec:
  replicas: 1
  progressDeadlineSeconds: {{ parameters.patience }}
  selector: {matchLabels: {app: '{{ deployment.name }}', part: web, generation: '{{ parameters.generation }}'}}
  template:
    metadata:
      labels: {app: '{{ deployment.name }}', part: web, generation: '{{ parameters.generation }}'}
      annotations: {sandbox.styrmin.io/scene: '{{ parameters.scene }}'}
    spec:
      {%- if parameters.node %}
      nodeSelector: {kubernetes.io/hostname: '{{ parameters.node }}'}
      {%- endif %}
      containers:
        - name: web
          image: 'example.org/web:{{ app.version }}'
          env: [{name: TEXT, valueFrom: {configMapKeyRef: {name: '{{ deployment.name }}', key: text}}}]
{%- if parameters.job %}
---
apiVersion: batch/v1
kind: Job
metadata: {name: '{{ deployment.name }}-job'}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: job, image: 'styrmin/host:1', command: [echo, '{{ parameters.job }}']}]
{%- endif %}
{%- if parameters.extra %}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: '{{ parameters.extra }}'}
data: {text: '{{ parameters.text }}'}
{%- endif %}
{%- if parameters.broken %}
---
apiVersion: v1
kind: Service
metadata: {name: '{{ deployment.name }}-broken'}
spec: {ports: [{port: 0}]}
{%- endif %}
";

/// The driver.
pub fn driver() -> DriverVersion {
    of_version("1.0.0")
}

/// The same under another version.
pub fn of_version(version: &str) -> DriverVersion {
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), SPEC.replace("VERSION", version)),
        ("manifests/a.yaml.j2".to_owned(), MANIFEST.to_owned()),
    ]);
    load_files("test", files).unwrap_or_else(|errors| panic!("{errors:?}")).version
}

/// Its name and version.
pub fn reference() -> DriverRef {
    DriverRef { name: "yard".to_owned(), version: "1.0.0".to_owned() }
}
