//! `services`: where each service of the driver is, inside and outside of the environment.

use serde_json::{Map, Value, json};

use super::{ContextSources, Settings, service_name};
use crate::domain::driver::{ServiceScope, ServiceSpec, TlsSpec};
use crate::domain::route::{ExtraHost, IssuerRef, RouteKind, Routing, TlsSource, check_host};
use crate::domain::{Environment, Problem, suggest};
use crate::ingress::{self, Hosts};

/// The services by name.
///
/// # Errors
/// A host name that was added is none, or for no service that can have one.
pub(super) fn resolve(
    sources: &ContextSources<'_>,
    settings: &Settings<'_>,
) -> Result<Map<String, Value>, Problem> {
    let specs = &sources.driver.spec.services;
    let extra = extra_hosts(sources)?;
    let of = |spec: &ServiceSpec| -> Vec<&str> {
        let mine = extra.iter().filter(|(service, _)| *service == spec.name);
        mine.map(|(_, host)| *host).collect()
    };
    Ok(specs.iter().map(|spec| (spec.name.clone(), service(spec, sources, settings, &of(spec)))).collect())
}

/// The host names of a driver's service as `deployment` (its name and uid) under the domain `suffix`.
///
/// Environments of which nothing is said that instances are made with keep the readable names that they had: of two deployments of one driver, both
/// would have the same.
pub fn service_hosts(
    environment: &Environment,
    (deployment, uid): (&str, &str),
    service: &str,
    suffix: &str,
) -> Hosts {
    let named = match environment.routing.is_of_before() {
        true => service.to_owned(),
        false => service_name(deployment, service),
    };
    let primary = ingress::hosts(service, uid, &environment.name, suffix).primary;
    Hosts { primary, ..ingress::hosts(&named, uid, &environment.name, suffix) }
}

/// The host names that were added, each with its service.
fn extra_hosts<'a>(sources: &ContextSources<'a>) -> Result<Vec<(&'a str, &'a str)>, Problem> {
    let draft = &sources.deployment.draft;
    let mut found: Vec<(&str, &str)> = Vec::new();
    for extra in &draft.hosts {
        let refuse = |why: String, next: String| {
            Problem::new(format!("'{}' cannot be a host name of '{}'", extra.host, draft.name), why, next)
        };
        check_host(&extra.host)
            .map_err(|why| refuse(why, "give a DNS name, such as wiki.example.org".to_owned()))?;
        if found.iter().any(|(_, host)| *host == extra.host) {
            return Err(refuse("it stands twice".to_owned(), "name it once".to_owned()));
        }
        let service = service_of(sources, extra).map_err(|(why, next)| refuse(why, next))?;
        found.push((service, &extra.host));
    }
    Ok(found)
}

/// The service that a host name was added to; why not, and what to do, when there is none.
fn service_of<'a>(sources: &ContextSources<'a>, extra: &ExtraHost) -> Result<&'a str, (String, String)> {
    let driver = sources.driver;
    let external: Vec<&'a str> = driver
        .spec
        .services
        .iter()
        .filter(|spec| spec.scope == ServiceScope::External)
        .map(|spec| spec.name.as_str())
        .collect();
    match &extra.service {
        Some(name) => external.iter().find(|known| *known == name).copied().ok_or_else(|| {
            let inside = driver.spec.services.iter().any(|spec| spec.name == *name);
            let what = if inside { "is internal" } else { "is not among its services" };
            (format!("'{name}' {what} in {}", driver.reference), suggest::hint(name, external))
        }),
        None => match external.as_slice() {
            [only] => Ok(only),
            [] => Err((
                format!("{} has no external service", driver.reference),
                "take the host name away".to_owned(),
            )),
            several => Err((
                format!("{} has several external services", driver.reference),
                format!("say which: {}", several.join(", ")),
            )),
        },
    }
}

fn service(
    spec: &ServiceSpec,
    sources: &ContextSources<'_>,
    settings: &Settings<'_>,
    extra: &[&str],
) -> Value {
    let deployment = sources.deployment;
    let name = &deployment.draft.name;
    let external = spec.scope == ServiceScope::External;
    let hosts = settings
        .fqdn_suffix
        .filter(|_| external)
        .map(|suffix| service_hosts(sources.environment, (name, &deployment.uid), &spec.name, suffix));
    let tls = if external { tls(spec, &sources.environment.routing) } else { TlsSource::Off };
    let [http, https] = settings.ingress_ports;
    let (secure, port) = if tls.is_off() { (false, http) } else { (true, https) };
    let reachable = |host: &str| match host {
        "" => String::new(),
        host => ingress::url(host, secure, port, &spec.path),
    };
    let (primary, readable) = hosts.map(|hosts| (hosts.primary, hosts.readable)).unwrap_or_default();
    let extra: Vec<&str> =
        extra.iter().copied().filter(|host| *host != primary && *host != readable).collect();
    let opened = if readable.is_empty() { extra.first().copied().unwrap_or_default() } else { &readable };
    let mut service = json!({
        "name": spec.name,
        "host": service_name(name, &spec.name),
        "kind": spec.kind,
        "scope": if external { "external" } else { "internal" },
        "port": spec.port,
        "target_port": spec.target_port.unwrap_or(spec.port),
        "component": spec.component,
        "path": spec.path,
        "primary_url": reachable(&primary),
        "url": reachable(opened),
        "primary_fqdn": primary,
        "human_readable_fqdn": readable,
    });
    // Absent where there is nothing, so that contexts from before stay as they were.
    if !extra.is_empty() {
        service["hosts"] = json!(extra);
    }
    if !tls.is_off() {
        service["tls"] = json!(tls);
    }
    service
}

/// Where the certificate of a service comes from: what its driver says wins over its environment. Environments of which nothing is
/// said answer on http, as they did; and a Gateway speaks https or does not.
fn tls(spec: &ServiceSpec, routing: &Routing) -> TlsSource {
    if routing.is_of_before() {
        return TlsSource::Off;
    }
    if let Some(via) = routing.via.as_ref().filter(|via| via.kind == RouteKind::HttpRoute) {
        let https = via.gateway.as_ref().is_some_and(|gateway| gateway.https);
        return if https { TlsSource::Controller } else { TlsSource::Off };
    }
    match &spec.tls {
        Some(TlsSpec { secret: Some(name), .. }) => TlsSource::Secret(name.clone()),
        Some(TlsSpec { issuer: Some(name), cluster_wide, .. }) => {
            TlsSource::Issuer(IssuerRef { name: name.clone(), cluster_wide: *cluster_wide })
        }
        _ => routing.tls.clone(),
    }
}
