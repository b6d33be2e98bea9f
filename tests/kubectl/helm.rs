//! helm: charts are installed, tested, upgraded, rolled back and taken away again.
//!
//! `STYRMIN_HELM` names the binary; without it the one beside the newest kubectl (`../helm/helm`), or on the PATH.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::ground::{Ground, texts};

cases! { a_release_lives_and_goes, a_failed_upgrade_is_rolled_back, templates_see_the_cluster }

/// How long helm may take, which waits for pods.
const LIMIT: Duration = Duration::from_secs(90);

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example.com}
spec:
  group: shop.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {
      size: {type: integer, default: 3}, colour: {type: string}}}}}}
";

const OBJECTS: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {colour: {{ .Values.colour }}}}
    spec:
      serviceAccountName: web
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: "styrmin/notes-web:{{ .Values.tag }}"
        ports: [{containerPort: 8080, name: http}]
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: password}}]
        readinessProbe: {periodSeconds: 1, httpGet: {path: /healthz, port: http}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http, name: http}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {COLOUR: {{ .Values.colour }}}
---
apiVersion: v1
kind: Secret
metadata: {name: password}
stringData: {PASSWORD: secret}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects: [{kind: ServiceAccount, name: web, namespace: {{ .Release.Namespace }}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{host: web.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, minReplicas: 1, maxReplicas: 4}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Mi}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
      containers: [{name: db, image: "styrmin/host:1", command: [sleep, "1000"], volumeMounts: [{name: data, mountPath: /data}]}]
---
apiVersion: shop.example.com/v1
kind: Widget
metadata: {name: web}
spec: {colour: {{ .Values.colour }}}
"#;

const HOOKS: &str = r#"apiVersion: batch/v1
kind: Job
metadata: {name: before, annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "styrmin/host:1", command: [echo, before]}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: after, annotations: {helm.sh/hook: "post-install,post-upgrade", helm.sh/hook-delete-policy: before-hook-creation}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "styrmin/host:1", command: [echo, after]}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: trial, annotations: {helm.sh/hook: test}}
spec: {restartPolicy: Never, containers: [{name: c, image: "styrmin/host:1", command: [echo, tried]}]}
"#;

/// A helm for the cluster of a case.
struct Helm<'a> {
    program: PathBuf,
    cluster: &'a Ground,
}

impl<'a> Helm<'a> {
    /// `None` when there is no binary, or when this is not the kubectl that brings it.
    fn of(cluster: &'a Ground) -> Option<Self> {
        if let Some(named) = std::env::var_os("STYRMIN_HELM").map(PathBuf::from).filter(|path| path.is_file())
        {
            return Some(Self { program: named, cluster });
        }
        let beside = |kubectl: &Path| Some(kubectl.parent()?.parent()?.join("helm/helm"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = beside(cluster.program())
            .into_iter()
            .chain(std::env::split_paths(&path).map(|folder| folder.join("helm")))
            .find(|path| path.is_file());
        if program.is_none() {
            println!("skipped: no helm for kubectl 1.{}", cluster.minor);
        }
        Some(Self { program: program?, cluster })
    }

    /// Runs it; what it said, and whether it was content.
    async fn run(&self, line: &str) -> (bool, String) {
        let mut command = Command::new(&self.program);
        self.cluster.surround(&mut command);
        command.args(line.split_whitespace()).stdin(Stdio::null());
        let output = tokio::time::timeout(LIMIT, command.output()).await;
        let output = output.unwrap_or_else(|_| panic!("helm {line}: takes too long")).unwrap();
        let (told, complained) = texts(&output);
        (output.status.success(), told + &complained)
    }

    async fn ok(&self, line: &str) -> String {
        let (content, told) = self.run(line).await;
        assert!(content, "helm {line}\n{told}");
        told
    }

    /// Writes a chart into the home of the case.
    fn chart(&self, templates: &[(&str, &str)], definition: Option<&str>) {
        let folder = self.cluster.home().join("chart");
        std::fs::create_dir_all(folder.join("templates")).unwrap();
        std::fs::write(folder.join("Chart.yaml"), "apiVersion: v2\nname: shop\nversion: 0.1.0\n").unwrap();
        std::fs::write(folder.join("values.yaml"), "replicas: 1\ntag: 1.0.0\ncolour: green\n").unwrap();
        for (name, text) in templates {
            std::fs::write(folder.join("templates").join(name), text).unwrap();
        }
        if let Some(definition) = definition {
            std::fs::create_dir_all(folder.join("crds")).unwrap();
            std::fs::write(folder.join("crds/widgets.yaml"), definition).unwrap();
        }
    }
}

async fn a_release_lives_and_goes(kubectl: &Ground) {
    let Some(helm) = Helm::of(kubectl) else { return };
    helm.chart(&[("objects.yaml", OBJECTS), ("hooks.yaml", HOOKS)], Some(DEFINITION));
    let told = helm.ok("install shop chart -n shop --create-namespace --wait --timeout 60s").await;
    assert!(told.contains("STATUS: deployed"), "{told}");
    let colour = "get -n shop cm settings -o jsonpath={.data.COLOUR}";
    assert_eq!(kubectl.ok(colour).await, "green");
    assert_eq!(kubectl.ok("get -n shop widget web -o jsonpath={.spec.size}").await, "3");
    assert_eq!(
        kubectl.ok("get -n shop jobs -o name").await.trim(),
        "job.batch/after",
        "a hook that succeeded goes"
    );
    let told = helm.ok("test shop -n shop --logs").await;
    assert!(told.contains("Succeeded") && told.contains("tried"), "{told}");
    helm.ok("upgrade shop chart -n shop --set colour=blue,replicas=2 --wait --timeout 60s").await;
    assert_eq!(kubectl.ok(colour).await, "blue");
    // helm looks at the new pods only
    kubectl.ok("rollout status -n shop deployment web --timeout=50s").await;
    assert_eq!(kubectl.ok("get -n shop deploy web -o jsonpath={.status.readyReplicas}").await, "2");
    let manifest = kubectl.file("manifest.yaml", &helm.ok("get manifest shop -n shop").await);
    kubectl.ok(&format!("diff -n shop -f {manifest}")).await;
    helm.ok("rollback shop 1 -n shop --wait --timeout 60s").await;
    assert_eq!(kubectl.ok(colour).await, "green");
    let history = helm.ok("history shop -n shop").await;
    assert!(history.contains("Rollback to 1"), "{history}");
    assert!(helm.ok("list -A").await.contains("shop-0.1.0"));
    helm.ok("uninstall shop -n shop --wait --timeout 60s").await;
    let left =
        kubectl.ok("get -n shop deploy,sts,svc,ing,pdb,hpa,pvc,role,rolebinding,secret,widget -o name").await;
    assert_eq!(left, "");
}

async fn a_failed_upgrade_is_rolled_back(kubectl: &Ground) {
    let Some(helm) = Helm::of(kubectl) else { return };
    helm.chart(&[("objects.yaml", OBJECTS)], Some(DEFINITION));
    helm.ok("install shop chart --wait --timeout 60s").await;
    // no such version of the image: the pods never come, and the earlier release is put back
    let (content, told) =
        helm.run("upgrade shop chart --set tag=9.9.9,colour=red --atomic --timeout 15s").await;
    assert!(!content && told.contains("rolled back"), "{told}");
    assert_eq!(kubectl.ok("get cm settings -o jsonpath={.data.COLOUR}").await, "green");
    let image = "get deploy web -o jsonpath={.spec.template.spec.containers[0].image}";
    assert_eq!(kubectl.ok(image).await, "styrmin/notes-web:1.0.0");
    assert!(helm.ok("history shop").await.contains("Rollback to 1"));
}

async fn templates_see_the_cluster(kubectl: &Ground) {
    let Some(helm) = Helm::of(kubectl) else { return };
    let template = r#"apiVersion: v1
kind: ConfigMap
metadata: {name: seen}
data:
  namespaces: '{{ range (lookup "v1" "Namespace" "" "").items }}{{ .metadata.name }} {{ end }}'
  ingress: '{{ .Capabilities.APIVersions.Has "networking.k8s.io/v1/Ingress" }}'
  minor: '{{ .Capabilities.KubeVersion.Minor }}'
"#;
    helm.chart(&[("seen.yaml", template)], None);
    let told = helm.ok("install seen chart --dry-run=server").await;
    assert!(told.contains("kube-system"), "{told}");
    kubectl.refused("get cm seen", "").await;
    helm.ok("install seen chart").await;
    assert_eq!(kubectl.ok("get cm seen -o jsonpath={.data.ingress}").await, "true");
    let node = kubectl.ok("get node -o jsonpath={.items[0].status.nodeInfo.kubeletVersion}").await;
    let minor = kubectl.ok("get cm seen -o jsonpath={.data.minor}").await;
    assert!(
        node.starts_with(&format!("v1.{minor}.")),
        "the node and the server say the same: {node}, {minor}"
    );
}
