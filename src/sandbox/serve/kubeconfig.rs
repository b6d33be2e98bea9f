//! The kubeconfig that lets kubectl and everything else in.

use std::net::SocketAddr;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Credentials, ServeError, files};

/// The name of the cluster, of the user and of the context.
const NAME: &str = "styrmin-sandbox";

/// What is known of a kubeconfig of ours that is there already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kubeconfig {
    /// Where the sandbox listened.
    pub address: Option<SocketAddr>,
    namespace: Option<String>,
}

impl Kubeconfig {
    /// Reads the file at `path`; one that does not exist is as good as an empty one of ours.
    ///
    /// # Errors
    /// [`ServeError::Foreign`] when it speaks of anything but sandboxes; it cannot be read.
    pub fn of_ours(path: &Path) -> Result<Self, ServeError> {
        let Some(text) = files::read(path)? else { return Ok(Self::default()) };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        understand(&text).ok_or_else(|| ServeError::Foreign { path: path.to_owned() })
    }

    /// Puts a kubeconfig for a sandbox at `address` in place, with mode 0600; the namespace that a person chose in it stays.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(
        &self,
        path: &Path,
        address: SocketAddr,
        credentials: &Credentials,
    ) -> Result<(), ServeError> {
        files::write(path, &self.text(address, credentials))
    }

    fn text(&self, address: SocketAddr, credentials: &Credentials) -> String {
        let authority = STANDARD.encode(&credentials.certificates.authority);
        let token = &credentials.token;
        let namespace = self.namespace.as_ref().map(|name| format!("    namespace: {}\n", quoted(name)));
        let namespace = namespace.unwrap_or_default();
        format!(
            "# Written by `styrmin sandbox serve` at every start. It holds a token that may do everything: keep it to yourself.
apiVersion: v1
kind: Config
clusters:
- name: {NAME}
  cluster:
    server: https://{address}
    certificate-authority-data: {authority}
users:
- name: {NAME}
  user:
    token: {token}
contexts:
- name: {NAME}
  context:
    cluster: {NAME}
    user: {NAME}
{namespace}current-context: {NAME}
"
        )
    }
}

/// A text as a JSON string, which YAML reads as well.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What a kubeconfig says when every name in it is ours.
fn understand(text: &str) -> Option<Kubeconfig> {
    let value: Value = serde_saphyr::from_str(text).ok()?;
    if value.get("kind").and_then(Value::as_str) != Some("Config") {
        return None;
    }
    let mut entries = 0;
    for list in ["clusters", "users", "contexts"] {
        for entry in value.get(list).and_then(Value::as_array).into_iter().flatten() {
            if entry.get("name").and_then(Value::as_str) != Some(NAME) {
                return None;
            }
            entries += 1;
        }
    }
    let server = value.pointer("/clusters/0/cluster/server").and_then(Value::as_str);
    let address = server.and_then(|server| server.strip_prefix("https://")?.parse().ok());
    let namespace = value.pointer("/contexts/0/context/namespace").and_then(Value::as_str).map(str::to_owned);
    (entries > 0).then_some(Kubeconfig { address, namespace })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials::fresh("2026-01-01T00:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        let empty = Kubeconfig::of_ours(&path).unwrap();
        assert_eq!(empty, Kubeconfig::default());
        let address = "[::1]:6443".parse().unwrap();
        empty.write(&path, address, &credentials()).unwrap();
        let read = Kubeconfig::of_ours(&path).unwrap();
        assert_eq!(read.address, Some(address));
    }

    #[test]
    fn the_namespace_of_the_context_stays() {
        let credentials = credentials();
        let chosen = Kubeconfig { address: None, namespace: Some("demo".into()) };
        let address = "127.0.0.1:1".parse().unwrap();
        let read = understand(&chosen.text(address, &credentials)).unwrap();
        assert_eq!(read.namespace.as_deref(), Some("demo"));
    }

    #[test]
    fn anything_else_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        let other = "kind: Config\nclusters:\n- name: production\n  cluster: {server: https://10.0.0.1}\n";
        for text in [other, "kind: Config\n", "hello", "{", "kind: Pod\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(Kubeconfig::of_ours(&path), Err(ServeError::Foreign { .. })), "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
