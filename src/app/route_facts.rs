//! What is known of routes beyond what is watched: the certificates in the Secrets that they name, and Gateways of other namespaces.
//! Each is read when it is first wanted, when something that is watched says that it changed, and again after a while.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cluster::{self, Cluster, ClusterError};
use crate::domain::object::{Detail, GatewayDetail};
use crate::domain::route::Certificate;
use crate::domain::world::Application;
use crate::domain::{ObjectKey, ObjectSummary, labels};
use crate::ingress;
use crate::reconcile::Gateways;

/// After this time a Secret is read again, though nothing said that it changed.
const CALM: Duration = Duration::from_secs(600);
/// The same for what was not there, or could not be read, and for Gateways.
const SOON: Duration = Duration::from_secs(30);
/// How many are read at once.
const PARALLEL: usize = 4;

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// The certificate in a Secret, by namespace and name.
    Certificate(String, String),
    /// A Gateway, by namespace and name.
    Gateway(String, String),
    /// A namespace: whose it is.
    Namespace(String),
}

/// What is to be read, each with a text that changes when it is to be read anew.
pub type Wants = BTreeMap<Want, String>;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The certificate in a Secret.
    Certificate(Box<Certificate>),
    /// A Gateway.
    Gateway(Box<GatewayDetail>),
    /// A namespace.
    Namespace {
        /// The environment that it was made for; none: others made it.
        owner: Option<String>,
    },
    /// It does not exist.
    Missing,
    /// It is not what it should be, or cannot be read: why.
    Bad(String),
}

/// What is known.
pub type Facts = Arc<BTreeMap<Want, Fact>>;

/// The Gateways among the facts.
pub fn gateways(facts: &Facts) -> Gateways {
    let gateway = |(want, fact): (&Want, &Fact)| match (want, fact) {
        (Want::Gateway(namespace, name), Fact::Gateway(gateway)) => {
            Some((format!("{namespace}/{name}"), GatewayDetail::clone(gateway)))
        }
        _ => None,
    };
    facts.iter().filter_map(gateway).collect()
}

/// A Secret as a route names it: in the route's namespace, unless it is said otherwise.
pub fn secret<'a>(namespace: &'a str, named: &'a str) -> (&'a str, &'a str) {
    named.split_once('/').unwrap_or((namespace, named))
}

/// What the routes of an application want to have read.
pub fn wants(application: &Application) -> Wants {
    let mut wants = Wants::new();
    for route in &application.routes {
        if let Some(certificate) = &route.certificate {
            let (namespace, name) = secret(&application.namespace, &certificate.secret);
            let want = Want::Certificate(namespace.to_owned(), name.to_owned());
            wants.insert(
                want,
                versions(&application.objects, |object| match &object.detail {
                    Detail::Certificate { secret, .. } => *secret == name,
                    _ => object.key.kind == "Secret" && object.key.name == name,
                }),
            );
        }
        if let Some((namespace, name)) = route.gateway() {
            let is_watched = |object: &ObjectSummary| {
                matches!(object.detail, Detail::Gateway(_))
                    && (object.key.namespace.as_str(), object.key.name.as_str()) == (namespace, name)
            };
            if !application.objects.iter().any(is_watched) {
                let want = Want::Gateway(namespace.to_owned(), name.to_owned());
                let its = |object: &ObjectSummary| Some(&object.key) == route.object.as_ref();
                wants.insert(want, versions(&application.objects, its));
            }
        }
    }
    wants
}

/// The versions of the objects that tell of a change.
fn versions(objects: &[ObjectSummary], tells: impl Fn(&ObjectSummary) -> bool) -> String {
    let telling = objects.iter().filter(|object| tells(object));
    telling.map(|object| format!("{} {}\n", object.key, object.resource_version)).collect()
}

/// What was last read, and when it is due again.
#[derive(Default)]
struct Reads(BTreeMap<Want, (String, Instant)>);

impl Reads {
    fn due(&self, wants: &Wants, now: Instant) -> Vec<Want> {
        let is_due = |(want, version): &(&Want, &String)| {
            self.0.get(want).is_none_or(|(read, next)| read != *version || *next <= now)
        };
        wants.iter().filter(is_due).map(|(want, _)| want.clone()).collect()
    }

    fn note(&mut self, want: &Want, version: &str, fact: &Fact, now: Instant) {
        let is_calm = matches!(fact, Fact::Certificate(_) | Fact::Namespace { .. });
        let pause = if is_calm { CALM } else { SOON };
        self.0.insert(want.clone(), (version.to_owned(), now + pause));
    }

    fn keep(&mut self, wants: &BTreeSet<Want>) {
        self.0.retain(|want, _| wants.contains(want));
    }

    fn next(&self) -> Option<Instant> {
        self.0.values().map(|(_, next)| *next).min()
    }
}

/// Reads until `stop`.
pub async fn run(
    cluster: Cluster,
    mut wanted: watch::Receiver<Wants>,
    facts: watch::Sender<Facts>,
    stop: CancellationToken,
) {
    let mut reads = Reads::default();
    loop {
        let wants = wanted.borrow_and_update().clone();
        reads.keep(&wants.keys().cloned().collect());
        let due = reads.due(&wants, Instant::now());
        let cluster = &cluster;
        let read = futures::stream::iter(due)
            .map(|want| async move { (read(cluster, &want).await, want) })
            .buffer_unordered(PARALLEL)
            .collect::<Vec<_>>();
        let read = tokio::select! {
            () = stop.cancelled() => return,
            read = read => read,
        };
        let mut next = BTreeMap::clone(&facts.borrow());
        next.retain(|want, _| wants.contains_key(want));
        for (fact, want) in read {
            let version = wants.get(&want).map(String::as_str).unwrap_or_default();
            reads.note(&want, version, &fact, Instant::now());
            next.insert(want, fact);
        }
        facts.send_if_modified(|held| {
            let changed = **held != next;
            *held = Arc::new(next);
            changed
        });
        tokio::select! {
            () = stop.cancelled() => return,
            changed = wanted.changed() => if changed.is_err() { return },
            () = sleep_until(reads.next()) => {}
        }
    }
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn read(cluster: &Cluster, want: &Want) -> Fact {
    let read = match want {
        Want::Certificate(namespace, name) => cluster.certificate_in(namespace, name).await.map(certificate),
        Want::Gateway(namespace, name) => cluster.get(&gateway_key(namespace, name)).await.map(|found| {
            match found.map(|found| cluster::summary(&found).detail) {
                Some(Detail::Gateway(gateway)) => Fact::Gateway(Box::new(gateway)),
                _ => Fact::Missing,
            }
        }),
        Want::Namespace(name) => cluster
            .get(&namespace_key(name))
            .await
            .map(|found| found.map_or(Fact::Missing, |found| Fact::Namespace { owner: owner(&found) })),
    };
    match read {
        Ok(fact) => fact,
        Err(ClusterError::NotFound { .. } | ClusterError::Unserved { .. }) => Fact::Missing,
        Err(error) => Fact::Bad(format!("cannot be read: {}", error.problem().why)),
    }
}

fn certificate(pem: Option<Vec<u8>>) -> Fact {
    let Some(pem) = pem else { return Fact::Missing };
    match ingress::certificate::read(&pem) {
        Ok(certificate) => Fact::Certificate(Box::new(certificate)),
        Err(why) => Fact::Bad(format!("has no certificate in tls.crt: {why}")),
    }
}

/// The environment that a namespace is of, and goes with.
fn owner(namespace: &Value) -> Option<String> {
    let all = &namespace["metadata"]["labels"];
    labels::environment_of(|name| all[name].as_str()).map(str::to_owned)
}

fn namespace_key(name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "v1".to_owned(),
        kind: "Namespace".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    }
}

fn gateway_key(namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "gateway.networking.k8s.io/v1".to_owned(),
        kind: "Gateway".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(name: &str) -> Want {
        Want::Certificate("demo".to_owned(), name.to_owned())
    }

    fn held() -> Certificate {
        Certificate {
            subject: "a".to_owned(),
            issuer: "b".to_owned(),
            names: Vec::new(),
            not_before: jiff::Timestamp::UNIX_EPOCH,
            not_after: jiff::Timestamp::UNIX_EPOCH,
            earliest: jiff::Timestamp::UNIX_EPOCH,
            fingerprint: "f".to_owned(),
        }
    }

    #[test]
    fn a_secret_is_read_when_it_is_new_when_it_changed_and_after_a_while() {
        let now = Instant::now();
        let mut reads = Reads::default();
        let mut wants = Wants::from([(want("a"), "1".to_owned()), (want("b"), String::new())]);
        assert_eq!(reads.due(&wants, now), [want("a"), want("b")]);
        let held = Fact::Certificate(Box::new(held()));
        reads.note(&want("a"), "1", &held, now);
        reads.note(&want("b"), "", &Fact::Missing, now);
        assert!(reads.due(&wants, now).is_empty());
        assert_eq!(reads.due(&wants, now + SOON), [want("b")], "what was not there may be there now");
        assert_eq!(reads.due(&wants, now + CALM).len(), 2);
        wants.insert(want("a"), "2".to_owned());
        assert_eq!(reads.due(&wants, now), [want("a")], "something says that it changed");
        reads.keep(&BTreeSet::from([want("b")]));
        assert_eq!(reads.next(), Some(now + SOON));
    }

    #[test]
    fn a_secret_of_another_namespace_is_named_with_it() {
        assert_eq!(secret("demo", "wild"), ("demo", "wild"));
        assert_eq!(secret("demo", "infra/wild"), ("infra", "wild"));
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        let Fact::Bad(why) = certificate(Some(b"nothing".to_vec())) else { panic!("it was taken") };
        assert!(why.starts_with("has no certificate in tls.crt"), "{why}");
        assert_eq!(certificate(None), Fact::Missing);
    }

    #[test]
    fn a_namespace_of_a_deployment_is_of_no_environment() {
        let of = |labels: Value| {
            let namespace = serde_json::json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": "demo", "labels": labels}});
            owner(&namespace)
        };
        let mut marks = serde_json::json!({labels::MANAGED_BY: labels::MANAGER, labels::ENVIRONMENT: "demo"});
        assert_eq!(of(marks.clone()).as_deref(), Some("demo"));
        assert_eq!(of(serde_json::json!({labels::ENVIRONMENT: "demo"})), None, "others manage it");
        marks[labels::DEPLOYMENT] = "notes".into();
        assert_eq!(of(marks), None);
    }

    async fn until(facts: &mut watch::Receiver<Facts>, holds: impl Fn(Option<&Fact>) -> bool) {
        let found = facts.wait_for(|facts| holds(facts.get(&want("tls"))));
        tokio::time::timeout(Duration::from_secs(20), found).await.expect("it is read").unwrap();
    }

    fn tls(names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_secret_of_a_cluster_is_read_again_when_it_is_said_to_have_changed() {
        use crate::cluster::{ApplyOptions, Connection};
        use crate::sandbox::{Sandbox, SandboxOptions};
        use serde_json::json;

        let options = SandboxOptions::in_memory(7, "/bin/false");
        let sandbox = Sandbox::start(options).await.unwrap();
        let connection = Connection::from_service(sandbox.service(), "sandbox");
        let cluster = Cluster::new(connection, Arc::new(crate::domain::SystemClock));
        let (wants, asked) = watch::channel(Wants::from([(want("tls"), "0".to_owned())]));
        let (read, mut facts) = watch::channel(Facts::default());
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(cluster.clone(), asked, read, stop.clone()));
        until(&mut facts, |fact| fact == Some(&Fact::Missing)).await;
        for (round, host) in ["a.example.org", "b.example.org"].into_iter().enumerate() {
            let (certificate, key) = tls(&[host]);
            let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
                "metadata": {"name": "tls", "namespace": "demo"}, "stringData": {"tls.crt": certificate, "tls.key": key}});
            let place = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo"}});
            for object in [place, secret] {
                cluster.apply(&object, ApplyOptions::default()).await.unwrap();
            }
            wants.send_replace(Wants::from([(want("tls"), format!("{round} changed"))]));
            let names = [host.to_owned()];
            until(&mut facts, |fact| matches!(fact, Some(Fact::Certificate(held)) if held.names == names))
                .await;
        }
        wants.send_replace(Wants::new());
        until(&mut facts, |fact| fact.is_none()).await;
        stop.cancel();
        running.await.unwrap();
        sandbox.stop().await;
    }
}
