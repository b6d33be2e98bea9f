//! What the fields say, checked: an environment as it is to be.

use std::collections::BTreeMap;

use super::super::asking::Asking;
use super::fields::{DETECT, ISOLATION, OWN, gateway_text};
use crate::domain::names::check_label;
use crate::domain::route::{
    Block, GatewayRef, Isolation, IssuerRef, Peer, RouteKind, Routing, TlsSource, Via, check_host,
};
use crate::domain::{DedicatedIngress, Environment};

type Wrong = (&'static str, String);

/// The environment that the fields make, on the cluster of that name; what they do not ask for stays as it was before.
///
/// # Errors
/// The field that is wrong, and what is wrong with it.
pub fn environment(
    before: Option<&Environment>,
    asking: &Asking,
    cluster: &str,
) -> Result<Environment, Wrong> {
    let mut wanted = match before {
        Some(before) => before.clone(),
        None => {
            let name = asking.text("name");
            check_label("environment", &name).map_err(|problem| ("name", problem.why))?;
            Environment::new(&name, cluster, &name)
        }
    };
    for (name, error) in judge(asking) {
        if let Some(error) = error {
            return Err((name, error));
        }
    }
    wanted.fqdn_suffix = optional(asking.text("suffix"));
    wanted.ip_whitelist = asking.lines("allow");
    wanted.production = asking.is_on("production");
    let own = asking.text("ingress") == OWN;
    let annotations = pairs(&asking.lines("balancer")).map_err(|error| ("balancer", error))?;
    wanted.dedicated_ingress = own.then_some(DedicatedIngress { service_annotations: annotations });
    let kind = RouteKind::parse(&asking.text("kind"));
    if !own && kind != Some(RouteKind::HttpRoute) {
        wanted.ingress_class = optional(asking.text("class"));
    }
    wanted.routing = routing(&wanted.routing, kind, asking)?;
    Ok(wanted)
}

fn routing(before: &Routing, kind: Option<RouteKind>, asking: &Asking) -> Result<Routing, Wrong> {
    let peers = asking.lines("allow-from");
    let peers: Result<Vec<Peer>, String> = peers.iter().map(|line| peer(line)).collect();
    let isolation = ISOLATION.into_iter().find(|(name, _)| *name == asking.text("isolation"));
    let isolation = isolation.map(|(_, isolation)| isolation);
    // what was never said is not said now, as long as it means the same
    let isolation = isolation.filter(|it| *it != Isolation::Off || before.isolation.is_some());
    let gateway = gateway(&asking.text("gateway")).map_err(|error| ("gateway", error))?;
    let known = before.via.as_ref().and_then(|via| via.gateway.as_ref());
    let via = match gateway {
        Some(gateway) if known.map(gateway_text).as_deref() != Some(&gateway_text(&gateway)) => {
            Some(Via { kind: RouteKind::HttpRoute, gateway: Some(gateway), ..Via::unknown() })
        }
        // a Gateway that is named no more is found out
        None if kind == Some(RouteKind::HttpRoute) && known.is_some() => None,
        // whoever changed something else about the ingress: the plan finds out anew who answers
        _ => before.via.clone(),
    };
    let tls = tls(asking)?;
    Ok(Routing {
        kind,
        via,
        redirect: redirect(before, &tls, asking),
        tls,
        listeners: before.listeners.clone(),
        isolation,
        allow_from: peers.map_err(|error| ("allow-from", error))?,
        annotations: pairs(&asking.lines("annotations")).map_err(|error| ("annotations", error))?,
        unprobed: !asking.is_on("probes"),
    })
}

/// Whether http is sent on; what was never said is not said now, as long as it means the same.
fn redirect(before: &Routing, tls: &TlsSource, asking: &Asking) -> Option<bool> {
    let now = before.redirect.unwrap_or(!before.has_https());
    let is_asked = !tls.is_off();
    if is_asked && asking.is_on("redirect") != now { Some(!now) } else { before.redirect }
}

fn optional(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn tls(asking: &Asking) -> Result<TlsSource, Wrong> {
    let name = asking.text("certificate");
    let named = || match name.is_empty() {
        true => Err(("certificate", "a name is needed".to_owned())),
        false => Ok(name.clone()),
    };
    Ok(match asking.text("tls").as_str() {
        "Secret" => TlsSource::Secret(named()?),
        "issuer" => TlsSource::Issuer(IssuerRef { name: named()?, cluster_wide: false }),
        "cluster issuer" => TlsSource::Issuer(IssuerRef { name: named()?, cluster_wide: true }),
        "the controller's own" => TlsSource::Controller,
        _ => TlsSource::Off,
    })
}

/// What is wrong with each field that can be judged by itself, however much of it was typed.
pub fn judge(asking: &Asking) -> [(&'static str, Option<String>); 7] {
    let suffix = asking.text("suffix");
    let first = |name: &str, check: fn(&str) -> Result<(), String>| {
        let lines = asking.lines(name);
        lines.iter().find_map(|line| check(line).err().map(|why| format!("'{line}': {why}")))
    };
    let certificate = asking.text("certificate");
    let name = certificate.split('.').find_map(|part| check_label("it", part).err());
    [
        ("suffix", check_host(&suffix).err().filter(|_| !suffix.is_empty())),
        ("gateway", gateway(&asking.text("gateway")).err()),
        ("balancer", pairs(&asking.lines("balancer")).err()),
        ("annotations", pairs(&asking.lines("annotations")).err()),
        ("certificate", name.filter(|_| !certificate.is_empty()).map(|problem| problem.why)),
        ("allow", first("allow", |line| Block::read(line).map(drop))),
        ("allow-from", first("allow-from", |line| peer(line).map(drop))),
    ]
}

/// `namespace:NAME`, with labels of the pods behind it where only some are meant; `cidr:BLOCK`.
fn peer(line: &str) -> Result<Peer, String> {
    if let Some(block) = line.strip_prefix("cidr:") {
        let block = block.trim();
        return Block::read(block).map(|_| Peer::Cidr(block.to_owned()));
    }
    let Some(rest) = line.strip_prefix("namespace:") else {
        return Err("it begins neither with namespace: nor with cidr:".to_owned());
    };
    let (name, labels) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    if name != "*" {
        check_label("namespace", name).map_err(|problem| problem.why)?;
    }
    let labels = labels.split([',', ' ']).filter(|label| !label.is_empty());
    let pods = labels.map(|label| {
        let pair = label.split_once('=').filter(|(key, _)| !key.is_empty());
        pair.map(|(key, value)| (key.to_owned(), value.to_owned()))
            .ok_or_else(|| format!("'{label}' is no KEY=VALUE"))
    });
    Ok(Peer::Namespace { name: name.to_owned(), pods: pods.collect::<Result<_, _>>()? })
}

/// `NAMESPACE/NAME`, and `/LISTENER` where one is meant; none: nothing is said. Whether it speaks https the cluster knows.
fn gateway(text: &str) -> Result<Option<GatewayRef>, String> {
    if text.is_empty() || text == DETECT {
        return Ok(None);
    }
    let parts: Vec<&str> = text.split('/').map(str::trim).collect();
    let (namespace, name, section) = match parts.as_slice() {
        [namespace, name] => (namespace, name, None),
        [namespace, name, section] => (namespace, name, Some((*section).to_owned())),
        _ => return Err("it is no NAMESPACE/NAME".to_owned()),
    };
    if parts.iter().any(|part| part.is_empty()) {
        return Err("a part of it is missing: NAMESPACE/NAME, or NAMESPACE/NAME/LISTENER".to_owned());
    }
    check_label("namespace", namespace).map_err(|problem| problem.why)?;
    Ok(Some(GatewayRef {
        namespace: (*namespace).to_owned(),
        name: (*name).to_owned(),
        section,
        https: false,
    }))
}

/// `KEY: VALUE` a line.
fn pairs(lines: &[String]) -> Result<BTreeMap<String, String>, String> {
    let mut pairs = BTreeMap::new();
    for line in lines {
        let pair = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")));
        let Some((key, value)) = pair.filter(|(key, _)| !key.trim().is_empty()) else {
            return Err(format!("'{line}' is no KEY: VALUE"));
        };
        let key = key.trim();
        if key.contains(char::is_whitespace) {
            return Err(format!("'{key}' has a space: no annotation has such a key"));
        }
        if pairs.insert(key.to_owned(), value.trim().to_owned()).is_some() {
            return Err(format!("'{key}' stands there twice"));
        }
    }
    Ok(pairs)
}
