//! Hosts files: what DNS would say, one file per namespace.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::services::{Service, ServiceKey, Services};

/// The hosts files of all namespaces that were asked for.
#[derive(Debug)]
pub struct HostsFiles {
    directory: PathBuf,
    services: Arc<Services>,
    /// What was last written, per namespace.
    written: Mutex<HashMap<String, String>>,
}

impl HostsFiles {
    /// Files in `directory`.
    pub fn new(directory: &Path, services: Arc<Services>) -> Arc<Self> {
        Arc::new(Self { directory: directory.to_owned(), services, written: Mutex::default() })
    }

    /// The file of a namespace, written and from now on kept current.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn path(&self, namespace: &str) -> std::io::Result<PathBuf> {
        self.write(namespace)?;
        Ok(self.directory.join(namespace))
    }

    fn write(&self, namespace: &str) -> std::io::Result<()> {
        // Locked before looking: of two who write, the later one has seen what is newer.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let text = render(namespace, &self.services.all());
        if written.get(namespace) == Some(&text) {
            return Ok(());
        }
        std::fs::create_dir_all(&self.directory)?;
        // A reader never sees half a file.
        let new = self.directory.join(format!(".{namespace}.new"));
        std::fs::write(&new, &text)?;
        std::fs::rename(&new, self.directory.join(namespace))?;
        written.insert(namespace.to_owned(), text);
        Ok(())
    }

    /// Rewrites the files whenever Services change, until `stop`.
    pub(super) async fn run(&self, stop: CancellationToken) {
        let mut changes = self.services.changes();
        loop {
            let namespaces: Vec<String> =
                self.written.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
            for namespace in namespaces {
                if let Err(error) = self.write(&namespace) {
                    tracing::warn!(%error, namespace, "the hosts file cannot be written");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }
}

/// The hosts file of a namespace: its own Services by their bare names, every Service by its qualified ones. A headless
/// Service has the addresses of its ready endpoints, and their host names below its own.
fn render(namespace: &str, services: &[(ServiceKey, Arc<Service>)]) -> String {
    let mut text = String::from("# Kept current by the sandbox.\n");
    for ((home, name), service) in services {
        let names = |prefix: &str| {
            let qualified = format!("{prefix}{name}.{home}");
            let bare = if home == namespace { format!("{prefix}{name} ") } else { String::new() };
            format!("{bare}{qualified} {qualified}.svc {qualified}.svc.cluster.local")
        };
        if let Some(address) = service.address {
            text.push_str(&format!("{address} {}\n", names("")));
            continue;
        }
        for (address, hostname) in &service.endpoints {
            text.push_str(&format!("{address} {}\n", names("")));
            if let Some(hostname) = hostname {
                text.push_str(&format!("{address} {}\n", names(&format!("{hostname}."))));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn key(namespace: &str, name: &str) -> ServiceKey {
        (namespace.to_owned(), name.to_owned())
    }

    #[test]
    fn bare_names_are_those_of_the_own_namespace() {
        let service = |last| {
            Arc::new(Service { address: Some(Ipv4Addr::new(127, 9, 200, last)), ..Service::default() })
        };
        let headless = Arc::new(Service {
            endpoints: vec![(Ipv4Addr::new(127, 9, 1, 1), Some("db-0".into()))],
            ..Service::default()
        });
        let services = [
            (key("demo", "web"), service(1)),
            (key("other", "web"), service(2)),
            (key("demo", "db"), headless),
        ];
        let text = render("demo", &services);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "127.9.200.1 web web.demo web.demo.svc web.demo.svc.cluster.local",
                "127.9.200.2 web.other web.other.svc web.other.svc.cluster.local",
                "127.9.1.1 db db.demo db.demo.svc db.demo.svc.cluster.local",
                "127.9.1.1 db-0.db db-0.db.demo db-0.db.demo.svc db-0.db.demo.svc.cluster.local",
            ]
        );
    }
}
