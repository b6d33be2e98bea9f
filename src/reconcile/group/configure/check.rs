//! Whether what is said of an environment or a cluster can be: its place, names, labels, limits. Pure. What is said of routes is
//! looked at by [`crate::ingress::check`].

use std::collections::BTreeMap;

use crate::domain::names::{check_key, check_label, check_subdomain, is_label_text};
use crate::domain::route::check_host;
use crate::domain::{ClusterKind, ClusterRecord, Environment, Problem, labels};

/// Namespaces in which the cluster itself lives: what keeps connections away from an environment would cut it off.
const RESERVED: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "styrmin-system"];

/// Looks through everything that is said of an environment. `others` are all that are recorded on its cluster, `before` is it as
/// it is recorded.
///
/// # Errors
/// The first thing that cannot be.
pub fn environment(
    wanted: &Environment,
    before: Option<&Environment>,
    others: &[Environment],
) -> Result<(), Problem> {
    check_label("environment", &wanted.name)?;
    check_label("namespace", &wanted.namespace)?;
    check_place(wanted, before, others)?;
    if let Some(class) = &wanted.ingress_class {
        subdomain("the ingress class", class)?;
    }
    check_labels(&wanted.labels)?;
    check_quota(&wanted.quota)?;
    let mut ingress = wanted.dedicated_ingress.iter().flat_map(|ingress| ingress.service_annotations.keys());
    ingress.try_for_each(|key| qualified("the annotation", key))
}

/// Whether an environment can be made in its namespace. `others` are all that are recorded on its cluster.
///
/// # Errors
/// The namespace is the cluster's own, or another environment's.
pub fn new_place(wanted: &Environment, others: &[Environment]) -> Result<(), Problem> {
    check_place(wanted, None, others)
}

/// Looks through what is said of a cluster.
///
/// # Errors
/// The first thing that cannot be.
pub fn cluster(wanted: &ClusterRecord, before: &ClusterRecord) -> Result<(), Problem> {
    if wanted.kind != before.kind || wanted.name != before.name {
        return Err(Problem::new(
            format!("{} stays the cluster that it is", before.name),
            "its name and how it is reached come from where it was connected",
            "connect the other one with its kubeconfig and context",
        ));
    }
    let ports = |record: &ClusterRecord| (record.ingress_port, record.ingress_tls_port);
    if wanted.kind == ClusterKind::Sandbox && ports(wanted) != ports(before) {
        return Err(Problem::new(
            "the sandbox's ingress has the ports that it listens on",
            "they are recorded anew whenever the sandbox starts",
            "start it with --ingress-port and --ingress-tls-port",
        ));
    }
    if [wanted.ingress_port, wanted.ingress_tls_port].contains(&Some(0)) {
        return Err(Problem::new("0 is no port of an ingress", "nothing can be reached there", "name it"));
    }
    if let Some(suffix) = &wanted.fqdn_suffix {
        check_host(suffix.trim_matches('.')).map_err(|why| {
            let next = "write a domain, without scheme and port: apps.example.org";
            Problem::new(format!("'{suffix}' cannot be the suffix"), why, next)
        })?;
    }
    wanted.storage_class.iter().try_for_each(|class| subdomain("the storage class", class))
}

fn check_place(
    wanted: &Environment,
    before: Option<&Environment>,
    others: &[Environment],
) -> Result<(), Problem> {
    let namespace = &wanted.namespace;
    if let Some(before) = before.filter(|before| before.namespace != *namespace) {
        return Err(Problem::new(
            format!("{} stays in the namespace {}", wanted.name, before.namespace),
            "what runs cannot move to another namespace",
            format!("clone it: styrmin environment clone {} NAME", wanted.name),
        ));
    }
    if before.is_none() && RESERVED.contains(&namespace.as_str()) {
        return Err(Problem::new(
            format!("{} cannot be in the namespace {namespace}", wanted.name),
            "the cluster itself, or Styrmin, lives there",
            "choose another namespace",
        ));
    }
    let taken = others.iter().find(|other| other.name != wanted.name && other.namespace == *namespace);
    match taken {
        None => Ok(()),
        Some(other) => Err(Problem::new(
            format!("{} cannot be in the namespace {namespace}", wanted.name),
            format!("the environment {} is there", other.name),
            "choose another namespace",
        )),
    }
}

fn subdomain(what: &str, name: &str) -> Result<(), Problem> {
    check_subdomain(name).map_err(|why| {
        Problem::new(
            format!("'{name}' cannot name {what}"),
            why,
            "use lower-case letters, digits, '-' and '.'",
        )
    })
}

fn check_labels(all: &BTreeMap<String, String>) -> Result<(), Problem> {
    for (key, value) in all {
        qualified("the label", key)?;
        let ours =
            key == labels::MANAGED_BY || key.ends_with(labels::GROUP) || key.starts_with(labels::GROUP);
        if ours || key.starts_with("kubernetes.io/") {
            let next = "choose another label";
            let why = "Styrmin, or Kubernetes, writes it itself";
            return Err(Problem::new(format!("the label '{key}' cannot be chosen"), why, next));
        }
        if !value.is_empty() && !is_label_text(value) {
            return Err(Problem::new(
                format!("'{value}' cannot be the value of the label '{key}'"),
                "it is longer than 63 characters, or has others than letters, digits, '-', '_' and '.'",
                "choose another value",
            ));
        }
    }
    Ok(())
}

/// A key of labels, annotations and limits: a name, with a domain and a slash before it or not.
fn qualified(what: &str, key: &str) -> Result<(), Problem> {
    check_key(key).map_err(|why| {
        let next = "write NAME or DOMAIN/NAME, the name with letters, digits, '-', '_' and '.'";
        Problem::new(format!("'{key}' cannot name {what}"), why, next)
    })
}

fn check_quota(quota: &BTreeMap<String, String>) -> Result<(), Problem> {
    for (key, value) in quota {
        // `count/deployments.apps`, `gold.storageclass.storage.k8s.io/requests.storage`
        qualified("a limit", key)?;
        if !is_quantity(value) {
            return Err(Problem::new(
                format!("'{value}' cannot be the limit of {key}"),
                "it is no quantity of Kubernetes",
                "write a number, with a unit where it needs one: 4, 500m, 2Gi",
            ));
        }
    }
    Ok(())
}

fn is_quantity(text: &str) -> bool {
    const UNITS: [&str; 15] = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi"];
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let is_number = number.parse::<f64>().is_ok() && number.starts_with(|c: char| c.is_ascii_digit());
    is_number && (UNITS.contains(&unit) || unit == "Ei")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(change: impl FnOnce(&mut Environment)) -> String {
        let before = Environment::new("demo", "c", "demo");
        let mut wanted = before.clone();
        change(&mut wanted);
        let others = [before.clone(), Environment::new("live", "c", "live")];
        environment(&wanted, Some(&before), &others)
            .map_or_else(|problem| problem.to_string(), |()| String::new())
    }

    #[test]
    fn what_can_be_said_is_taken() {
        let told = wrong(|wanted| {
            wanted.ingress_class = Some("nginx-internal.example".into());
            wanted.labels.insert("pod-security.kubernetes.io/enforce".into(), "baseline".into());
            wanted.quota.insert("requests.memory".into(), "4Gi".into());
            wanted.quota.insert("count/deployments.apps".into(), "10".into());
        });
        assert_eq!(told, "");
    }

    #[test]
    fn what_cannot_be_is_named() {
        type Change = fn(&mut Environment);
        let table: [(Change, &str); 5] = [
            (|it| it.namespace = "other".into(), "stays in the namespace demo"),
            (|it| it.ingress_class = Some("No Class".into()), "cannot name the ingress class"),
            (|it| drop(it.labels.insert("a b".into(), String::new())), "cannot name the label"),
            (|it| drop(it.labels.insert("styrmin.io/environment".into(), "x".into())), "cannot be chosen"),
            (|it| drop(it.quota.insert("pods".into(), "many".into())), "limit of pods"),
        ];
        for (change, part) in table {
            let told = wrong(change);
            assert!(told.contains(part), "'{part}' is not in: {told}");
        }
    }

    #[test]
    fn a_new_environment_has_a_namespace_of_its_own() {
        let others = [Environment::new("live", "c", "live")];
        let told = |namespace: &str| {
            environment(&Environment::new("new", "c", namespace), None, &others).unwrap_err().to_string()
        };
        assert!(told("live").contains("the environment live is there"));
        assert!(told("kube-system").contains("the cluster itself"));
        assert!(environment(&Environment::new("new", "c", "elsewhere"), None, &others).is_ok());
        // the same of one that is made by the way
        let by_the_way = |name: &str| new_place(&Environment::new(name, "c", name), &others);
        assert!(RESERVED.iter().all(|name| by_the_way(name).is_err()) && by_the_way("elsewhere").is_ok());
    }

    #[test]
    fn a_cluster_stays_what_it_is() {
        let before = ClusterRecord {
            name: "sandbox".into(),
            kind: ClusterKind::Sandbox,
            fqdn_suffix: None,
            storage_class: None,
            ingress_port: Some(8480),
            ingress_tls_port: None,
        };
        let set = |change: fn(&mut ClusterRecord)| {
            let mut wanted = before.clone();
            change(&mut wanted);
            cluster(&wanted, &before)
        };
        assert!(set(|it| it.fqdn_suffix = Some("example.org".into())).is_ok());
        assert!(set(|it| it.ingress_port = Some(80)).unwrap_err().next.contains("--ingress-port"));
        assert!(set(|it| it.fqdn_suffix = Some("https://x.org".into())).is_err());
        assert!(set(|it| it.storage_class = Some("A".into())).is_err());
        assert!(set(|it| it.name = "other".into()).is_err());
    }
}
