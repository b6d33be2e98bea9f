//! What is said of an environment in words, and what it inherits: the same for the command line and the cockpit.

use std::collections::BTreeMap;

use super::Environment;
use crate::domain::route::{Isolation, Peer, TlsSource};
use crate::domain::{ClusterRecord, DriftMode};

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Where it is, and what limits it.
    Place,
    /// How it is reached.
    Routes,
    /// By whom.
    Access,
    /// What is kept of it.
    Backups,
}

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The environment.
    Own,
    /// The cluster: it is inherited.
    Cluster,
    /// Nobody: so it is where nothing is said.
    Nobody,
}

/// Something that is said of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it is about.
    pub about: About,
    /// One word or two: `suffix`.
    pub label: &'static str,
    /// What is said, on one line.
    pub value: String,
    /// Who says it.
    pub source: Source,
}

impl Told {
    fn new(about: About, label: &'static str, value: String, said: bool) -> Self {
        Self { about, label, value, source: if said { Source::Own } else { Source::Nobody } }
    }

    /// What is said, and from where it is when it is inherited: `apps.example.org (the cluster's)`.
    pub fn text(&self) -> String {
        match self.source {
            Source::Cluster => format!("{} (the cluster's)", self.value),
            Source::Own | Source::Nobody => self.value.clone(),
        }
    }
}

/// Everything that is said of an environment, but its name, in the order of its page.
pub fn told(environment: &Environment, cluster: Option<&ClusterRecord>) -> Vec<Told> {
    let routing = &environment.routing;
    let yes = |said: bool, yes: &str, no: &str| if said { yes } else { no }.to_owned();
    let is_named = environment.namespace != environment.name;
    let fact = Told::new;
    let mut told = vec![
        fact(About::Place, "namespace", environment.namespace.clone(), is_named),
        fact(About::Place, "production", yes(environment.production, "yes", "no"), environment.production),
        suffix(environment, cluster),
        fact(About::Routes, "ingress", ingress(environment), environment.dedicated_ingress.is_some()),
        fact(
            About::Routes,
            "routes",
            answers(environment),
            routing.via.is_some()
                || environment.ingress_class.is_some()
                || environment.dedicated_ingress.is_some(),
        ),
        fact(About::Routes, "tls", tls(&routing.tls), !routing.tls.is_off()),
        fact(About::Routes, "redirect", routing.redirect_text().to_owned(), routing.redirect.is_some()),
        fact(
            About::Access,
            "allowed",
            list(&environment.ip_whitelist, "everybody"),
            !environment.ip_whitelist.is_empty(),
        ),
        fact(About::Access, "isolation", isolation(environment), routing.isolation.is_some()),
        fact(About::Routes, "annotations", pairs(&routing.annotations), !routing.annotations.is_empty()),
        fact(About::Routes, "probes", yes(routing.unprobed, "off", "on"), routing.unprobed),
        fact(About::Place, "labels", pairs(&environment.labels), !environment.labels.is_empty()),
        fact(About::Place, "quota", pairs(&environment.quota), !environment.quota.is_empty()),
        fact(
            About::Place,
            "drift",
            environment.drift.as_str().to_owned(),
            environment.drift != DriftMode::default(),
        ),
    ];
    told.extend(inherited(cluster));
    let location = environment.backup_location.clone();
    let assigned = location.is_some();
    told.push(fact(About::Backups, "backups", location.unwrap_or_else(|| "-".to_owned()), assigned));
    told
}

/// What only the cluster says, where it does.
fn inherited(cluster: Option<&ClusterRecord>) -> Vec<Told> {
    let Some(cluster) = cluster else { return Vec::new() };
    let of_cluster = |about, label, value| Told { about, label, value, source: Source::Cluster };
    let ports = [("http", cluster.ingress_port), ("https", cluster.ingress_tls_port)];
    let ports: Vec<String> =
        ports.into_iter().filter_map(|(name, port)| Some(format!("{name} {}", port?))).collect();
    let storage = cluster.storage_class.clone().map(|class| of_cluster(About::Place, "storage", class));
    let ports = (!ports.is_empty()).then(|| of_cluster(About::Routes, "ports", ports.join(", ")));
    storage.into_iter().chain(ports).collect()
}

fn suffix(environment: &Environment, cluster: Option<&ClusterRecord>) -> Told {
    let (value, source) = match (environment.suffix(None), environment.suffix(cluster)) {
        (Some(own), _) => (own.to_owned(), Source::Own),
        (None, Some(inherited)) => (inherited.to_owned(), Source::Cluster),
        (None, None) => (domain(None), Source::Nobody),
    };
    Told { about: About::Routes, label: "suffix", value, source }
}

/// A domain as it is shown.
pub fn domain(suffix: Option<&str>) -> String {
    suffix.filter(|suffix| !suffix.is_empty()).unwrap_or("none: no host names").to_owned()
}

/// Whether it shares an ingress controller, and which load balancer its own one gets.
fn ingress(environment: &Environment) -> String {
    match &environment.dedicated_ingress {
        None => "shared".to_owned(),
        Some(own) => format!("of its own; load balancer: {}", pairs(&own.service_annotations)),
    }
}

/// Who answers for its routes: `Ingress of class public (traefik.io/ingress-controller)`.
pub fn answers(environment: &Environment) -> String {
    match (&environment.routing.via, &environment.ingress_class) {
        (Some(via), _) => via.to_string(),
        // from before it was recorded who answers
        (None, _) if environment.dedicated_ingress.is_some() => "Ingress, answered by its own".to_owned(),
        (None, Some(class)) => format!("Ingress of class {class}"),
        (None, None) => "Ingress of the default class".to_owned(),
    }
}

/// Where certificates come from, as it is typed: `cluster-issuer:letsencrypt`.
pub fn tls(source: &TlsSource) -> String {
    match source {
        TlsSource::Off => "off".to_owned(),
        TlsSource::Secret(name) => format!("secret:{name}"),
        TlsSource::Issuer(issuer) if issuer.cluster_wide => format!("cluster-issuer:{}", issuer.name),
        TlsSource::Issuer(issuer) => format!("issuer:{}", issuer.name),
        TlsSource::Controller => "controller".to_owned(),
    }
}

fn isolation(environment: &Environment) -> String {
    match Isolation::in_force(environment.routing.isolation) {
        None => Isolation::Off.as_str().to_owned(),
        Some(isolation) => {
            let peers: Vec<String> = environment.routing.allow_from.iter().map(Peer::to_string).collect();
            let others = if peers.is_empty() { "" } else { "; others that may: " };
            format!("{}{others}{}", isolation.as_str(), peers.join(", "))
        }
    }
}

/// Who may reach its pods and be reached by them, one sentence each; none: nothing is kept away. `controller` is the namespace that
/// the ingress controller's pods are in; none: nobody knows them.
pub fn policies(environment: &Environment, controller: Option<&str>) -> Vec<String> {
    let Some(isolation) = Isolation::in_force(environment.routing.isolation) else { return Vec::new() };
    let both = isolation == Isolation::Both;
    let among =
        if both { "reach each other, and nobody outside" } else { "reach each other, and everybody outside" };
    let mut policies = vec![format!("its pods {among}")];
    if both {
        policies.push("names (DNS) are resolved wherever that is done".to_owned());
    }
    policies.push(match (&environment.dedicated_ingress, controller) {
        (Some(_), _) => {
            "its own ingress reaches the ports of external services, and everybody reaches it".to_owned()
        }
        (None, Some(namespace)) => {
            format!("the ingress controller in {namespace} reaches the ports of external services")
        }
        (None, None) => {
            "everybody reaches the ports of external services: nobody knows which pods the controller's are"
                .to_owned()
        }
    });
    let peers: Vec<String> = environment.routing.allow_from.iter().map(Peer::to_string).collect();
    if !peers.is_empty() {
        let way = if both { "reach all pods and are reached" } else { "reach all pods" };
        policies.push(format!("{} {way}", peers.join(", ")));
    }
    policies
}

fn list(items: &[String], none: &str) -> String {
    if items.is_empty() { none.to_owned() } else { items.join(", ") }
}

fn pairs(map: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key}={value}")).collect();
    list(&pairs, "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ClusterKind, DedicatedIngress};

    fn cluster(suffix: Option<&str>) -> ClusterRecord {
        ClusterRecord {
            name: "c".into(),
            kind: ClusterKind::Sandbox,
            fqdn_suffix: suffix.map(str::to_owned),
            storage_class: None,
            ingress_port: None,
            ingress_tls_port: Some(8443),
        }
    }

    fn find(told: &[Told], label: &str) -> Told {
        told.iter().find(|it| it.label == label).unwrap().clone()
    }

    #[test]
    fn what_is_inherited_says_from_where() {
        let mut demo = Environment::new("demo", "c", "demo");
        let of = |demo: &Environment, record: &ClusterRecord| find(&told(demo, Some(record)), "suffix");
        assert_eq!(of(&demo, &cluster(Some("x.org"))).text(), "x.org (the cluster's)");
        assert_eq!(of(&demo, &cluster(None)).text(), "none: no host names");
        demo.fqdn_suffix = Some(String::new());
        assert_eq!(of(&demo, &cluster(Some("x.org"))).source, Source::Cluster, "empty is as if not said");
        demo.fqdn_suffix = Some("own.org".into());
        assert_eq!(of(&demo, &cluster(Some("x.org"))).text(), "own.org");
        let all = told(&demo, Some(&cluster(None)));
        assert_eq!(find(&all, "ports").text(), "https 8443 (the cluster's)");
        assert!(!all.iter().any(|it| it.label == "storage"), "the cluster says nothing of it");
        assert_eq!(find(&all, "tls").source, Source::Nobody);
    }

    #[test]
    fn an_ingress_of_its_own_answers_also_where_that_is_not_recorded() {
        let mut demo = Environment::new("demo", "c", "demo");
        let of = |demo: &Environment| find(&told(demo, None), "routes");
        assert_eq!(
            (of(&demo).text().as_str(), of(&demo).source),
            ("Ingress of the default class", Source::Nobody)
        );
        demo.dedicated_ingress = Some(DedicatedIngress::default());
        assert_eq!(
            (of(&demo).text().as_str(), of(&demo).source),
            ("Ingress, answered by its own", Source::Own)
        );
    }

    #[test]
    fn policies_are_told_by_what_is_let_in_and_out() {
        let mut demo = Environment::new("demo", "c", "demo");
        assert_eq!(policies(&demo, None), [] as [String; 0]);
        demo.routing.isolation = Some(Isolation::Inbound);
        demo.routing.allow_from = vec![Peer::Cidr("10.0.0.0/8".into())];
        let inbound = policies(&demo, Some("traefik")).join("\n");
        assert!(
            inbound.contains("everybody outside") && inbound.contains("controller in traefik"),
            "{inbound}"
        );
        assert!(inbound.ends_with("cidr:10.0.0.0/8 reach all pods") && !inbound.contains("DNS"), "{inbound}");
        demo.routing.isolation = Some(Isolation::Both);
        let both = policies(&demo, None).join("\n");
        assert!(both.contains("nobody outside") && both.contains("DNS"), "{both}");
        assert!(both.contains("everybody reaches the ports"), "nobody knows the controller's pods: {both}");
        demo.dedicated_ingress = Some(DedicatedIngress::default());
        assert!(policies(&demo, None).join("\n").contains("its own ingress reaches"));
    }
}
