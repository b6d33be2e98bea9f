//! The ways to a cluster: the embedded sandbox (a tower service in this process), or a context of a kubeconfig.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{Request, Response};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use tower::{BoxError, Service};

use crate::domain::{ClusterKind, Problem};

use super::error::chain;

/// How long a connection attempt may take before the cluster counts as unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where Kubernetes puts the token of a pod's service account.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/// The name under which the cluster of this process's pod is recorded.
const POD_CLUSTER: &str = "in-cluster";

/// A client and the name under which its cluster is recorded. Nothing has been sent yet.
#[derive(Clone)]
pub struct Connection {
    /// The client: every request of this room goes through it.
    pub client: kube::Client,
    /// `sandbox`, or the kubeconfig's context.
    pub name: String,
    /// How the cluster is reached.
    pub kind: ClusterKind,
}

impl Connection {
    /// A connection over a service in this process: what the sandbox offers, or a test.
    pub fn from_service<S, B>(service: S, name: &str) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let client = kube::Client::new(service, "default");
        Self { client, name: name.to_owned(), kind: ClusterKind::Sandbox }
    }

    /// A connection to `context` (the current one when none is named) of the kubeconfig at `path` (`$KUBECONFIG`, then
    /// `~/.kube/config`, when none is given).
    ///
    /// # Errors
    /// When the file cannot be read or understood, or does not have the context.
    pub async fn from_kubeconfig(path: Option<&Path>, context: Option<&str>) -> Result<Self, Problem> {
        let file = describe(path);
        let kubeconfig = read(path, &file)?;
        let name = match context.map(str::to_owned).or_else(|| kubeconfig.current_context.clone()) {
            Some(name) if !name.is_empty() => name,
            _ => return Err(no_context(&file, &kubeconfig)),
        };
        if !kubeconfig.contexts.iter().any(|known| known.name == name) {
            return Err(unknown_context(&file, &name, &kubeconfig));
        }
        let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| broken_context(&file, &name, &chain(&error)))?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // who asks decides on another try, where a person sees it
        config.default_retry = false;
        let client =
            kube::Client::try_from(config).map_err(|error| broken_context(&file, &name, &chain(&error)))?;
        Ok(Self { client, name, kind: ClusterKind::Kubeconfig })
    }
}

impl Connection {
    /// Whether this process runs in a pod that may speak to its cluster.
    pub fn in_pod() -> bool {
        std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() && Path::new(POD_TOKEN).exists()
    }

    /// A connection to the cluster that this process's pod runs in, as its service account.
    ///
    /// # Errors
    /// When what Kubernetes puts into the pod is missing or broken.
    pub fn from_pod() -> Result<Self, Problem> {
        let broken = |why: String| {
            let next = "give the pod a service account with its token, or name a kubeconfig";
            Problem::new("the cluster of this pod cannot be used", why, next)
        };
        let mut config = kube::Config::incluster().map_err(|error| broken(chain(&error)))?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // who asks decides on another try, where a person sees it
        config.default_retry = false;
        let client = kube::Client::try_from(config).map_err(|error| broken(chain(&error)))?;
        Ok(Self { client, name: POD_CLUSTER.to_owned(), kind: ClusterKind::Kubeconfig })
    }
}

fn read(path: Option<&Path>, file: &str) -> Result<Kubeconfig, Problem> {
    let result = match path {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    result.map_err(|error| match error {
        KubeconfigError::ReadConfig(cause, path) => Problem::new(
            format!("the kubeconfig {} cannot be read", path.display()),
            cause.to_string(),
            "name another with --kubeconfig, or run without a cluster: styrmin --sandbox",
        ),
        KubeconfigError::FindPath => Problem::new(
            "there is no kubeconfig",
            "neither $KUBECONFIG nor a home directory is set",
            "name one with --kubeconfig, or run without a cluster: styrmin --sandbox",
        ),
        error => Problem::new(
            format!("the kubeconfig {file} is not valid"),
            chain(&error),
            "correct the file, or name another with --kubeconfig",
        ),
    })
}

fn describe(path: Option<&Path>) -> String {
    let found = path.map(Path::to_path_buf).or_else(|| std::env::var_os("KUBECONFIG").map(PathBuf::from));
    found.map_or_else(|| "~/.kube/config".to_owned(), |path| path.display().to_string())
}

fn no_context(file: &str, kubeconfig: &Kubeconfig) -> Problem {
    Problem::new(
        format!("the kubeconfig {file} names no current context"),
        known(kubeconfig),
        "choose one with --context",
    )
}

fn unknown_context(file: &str, name: &str, kubeconfig: &Kubeconfig) -> Problem {
    Problem::new(
        format!("the kubeconfig {file} has no context '{name}'"),
        known(kubeconfig),
        "choose one of them with --context",
    )
}

fn broken_context(file: &str, name: &str, why: &str) -> Problem {
    Problem::new(
        format!("the context '{name}' of {file} cannot be used"),
        why,
        "correct its cluster and its user in the kubeconfig, or choose another with --context",
    )
}

fn known(kubeconfig: &Kubeconfig) -> String {
    let names: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    if names.is_empty() {
        "it has no contexts at all".to_owned()
    } else {
        format!("it has: {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn problem(text: Option<&str>, context: Option<&str>) -> Problem {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let problem = Connection::from_kubeconfig(Some(&path), context).await.err().unwrap();
        assert!(problem.what.contains(&path.display().to_string()), "{problem}");
        assert!(!problem.next.is_empty());
        problem
    }

    const TWO: &str = "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n\
        users: [{name: u, user: {token: t}}]\ncontexts:\n- {name: one, context: {cluster: c, user: u}}\n\
        - {name: two, context: {cluster: absent, user: u}}\n";

    #[tokio::test]
    async fn missing_and_broken_files_are_named() {
        assert!(problem(None, None).await.what.contains("cannot be read"));
        assert!(problem(Some("clusters: [{"), None).await.what.contains("is not valid"));
    }

    #[tokio::test]
    async fn contexts_are_checked_and_listed() {
        let missing = problem(Some(TWO), Some("three")).await;
        assert!(missing.what.contains("no context 'three'") && missing.why.contains("one, two"), "{missing}");
        assert!(problem(Some(TWO), None).await.what.contains("names no current context"));
        assert!(problem(Some(TWO), Some("two")).await.what.contains("cannot be used"));
    }

    #[tokio::test]
    async fn a_good_context_connects_without_a_request() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        std::fs::write(&path, TWO).unwrap();
        let connection = Connection::from_kubeconfig(Some(&path), Some("one")).await.unwrap();
        assert_eq!((connection.name.as_str(), connection.kind), ("one", ClusterKind::Kubeconfig));
    }
}
