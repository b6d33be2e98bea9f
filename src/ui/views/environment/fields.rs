//! The fields of the form, with what is said of an environment filled in. Which there are follows from what is chosen in others.

use std::collections::BTreeMap;

use super::super::asking::{Asking, choice, lines, text, toggle};
use super::super::deploy::Field;
use crate::domain::route::{GatewayRef, Isolation, Peer, RouteKind, Routing, TlsSource};
use crate::domain::{ClusterRecord, Environment};
use crate::ui::text_field::TextField;
use crate::ui::text_lines::TextLines;

/// An ingress that is there for all.
pub const SHARED: &str = "shared";
/// An ingress of its own.
pub const OWN: &str = "its own";
/// The kind is found out.
pub const DETECT: &str = "found out";

/// Certificates come from nowhere: http only.
pub const NO_TLS: &str = "off";
/// They come from a Secret.
pub const SECRET: &str = "Secret";
/// cert-manager makes them, by an Issuer.
pub const ISSUER: &str = "issuer";
/// The same, by a ClusterIssuer.
pub const CLUSTER_ISSUER: &str = "cluster issuer";
/// The controller has them.
pub const CONTROLLER: &str = "the controller's own";
/// Where certificates come from, as the form has it.
const TLS: [&str; 5] = [NO_TLS, SECRET, ISSUER, CLUSTER_ISSUER, CONTROLLER];
/// Http is sent on to https: somebody says so.
pub const SENT_ON: &str = "yes";
/// It is not: somebody says so.
pub const NOT_SENT_ON: &str = "no";
/// Nobody says it of an environment that has https.
const AS_IT_DOES: &str = "as the controller does";
/// Nobody says it of an environment that has none yet: the plan decides once it gains https.
const WHERE_POSSIBLE: &str = "yes, where possible";
/// What is kept away, as the form has it.
pub const ISOLATION: [(&str, Isolation); 3] =
    [("nothing", Isolation::Off), ("what comes in", Isolation::Inbound), ("both ways", Isolation::Both)];

/// All fields; those of a new environment begin with its name.
pub fn all(before: Option<&Environment>, asking: &Asking, cluster: Option<&ClusterRecord>) -> Vec<Field> {
    let blank = Environment::new("", "", "");
    let known = before.unwrap_or(&blank);
    let mut fields = Vec::new();
    if before.is_none() {
        let help = "a DNS label; its namespace has the same name";
        fields.push(text("name", "Name", help, TextField::default()));
    }
    fields.push(suffix(known, cluster));
    ingress(known, asking, &mut fields);
    certificates(known, asking, &mut fields);
    redirect(known, asking, &mut fields);
    access(known, before.is_none(), &mut fields);
    let probed = "each URL is requested now and then, and its certificate is looked at";
    fields.push(toggle("probes", "Probes", probed, !known.routing.unprobed));
    let production = "its changes ask for more before they are written";
    fields.push(toggle("production", "Production", production, known.production));
    fields
}

fn suffix(known: &Environment, cluster: Option<&ClusterRecord>) -> Field {
    let of_cluster = cluster.and_then(|record| record.fqdn_suffix.as_deref());
    let help = match of_cluster {
        Some(suffix) => format!("host names end with it; empty: the cluster's, {suffix}"),
        None => {
            "host names end with it; the cluster has none: without one there are no host names".to_owned()
        }
    };
    let field = TextField::new(known.fqdn_suffix.as_deref().unwrap_or_default());
    let field = field.with_placeholder(if of_cluster.is_some() { "as the cluster has it" } else { "none" });
    text("suffix", "Host suffix", &help, field)
}

/// What a choice holds, or will hold once it is there.
fn chosen(asking: &Asking, name: &str, otherwise: &str) -> String {
    Some(asking.text(name)).filter(|held| !held.is_empty()).unwrap_or_else(|| otherwise.to_owned())
}

/// Who answers for its routes.
fn ingress(known: &Environment, asking: &Asking, fields: &mut Vec<Field>) {
    let now = if known.dedicated_ingress.is_some() { OWN } else { SHARED };
    let help = "shared: one that the cluster has; its own: a Traefik that is deployed with the environment";
    fields.push(choice("ingress", "Ingress", help, ([SHARED, OWN].map(str::to_owned).to_vec(), now)));
    let kinds = std::iter::once(DETECT).chain(RouteKind::ALL.iter().map(|kind| kind.as_str()));
    let kind = known.routing.kind.map_or(DETECT, RouteKind::as_str);
    let help = "the kind of object that routes are written as; found out: what the cluster has";
    fields.push(choice("kind", "Route kind", help, (kinds.map(str::to_owned).collect(), kind)));
    if chosen(asking, "kind", kind) == RouteKind::HttpRoute.as_str() {
        let gateway = known.routing.via.as_ref().and_then(|via| via.gateway.as_ref());
        let field = TextField::new(&gateway.map(GatewayRef::to_string).unwrap_or_default());
        let help = "NAMESPACE/NAME, and /LISTENER where one is meant; empty: the one that takes its routes";
        fields.push(text("gateway", "Gateway", help, field.with_placeholder("found out")));
    } else if chosen(asking, "ingress", now) == SHARED {
        let field = TextField::new(known.ingress_class.as_deref().unwrap_or_default());
        let help = "the ingress class; empty: the cluster's default";
        fields.push(text("class", "Class", help, field.with_placeholder("the default one")));
    }
    if chosen(asking, "ingress", now) == OWN {
        let annotations = known.dedicated_ingress.as_ref().map(|own| pairs(&own.service_annotations));
        let help = "annotations of its Service, which say what load balancer it gets: KEY: VALUE, one a line";
        fields.push(lines(
            "balancer",
            "Load balancer",
            help,
            several(&annotations.unwrap_or_default(), "the one that the cluster gives"),
        ));
    }
    let help = "annotations of every route, for external-dns or a controller: KEY: VALUE, one a line";
    fields.push(lines(
        "annotations",
        "Annotations",
        help,
        several(&pairs(&known.routing.annotations), "none"),
    ));
}

fn certificates(known: &Environment, asking: &Asking, fields: &mut Vec<Field>) {
    let (now, name) = tls(&known.routing);
    let help = "where certificates come from; off: http only";
    fields.push(choice("tls", "TLS", help, (TLS.map(str::to_owned).to_vec(), now)));
    let chosen = chosen(asking, "tls", now);
    let name = if chosen == now { name } else { "" };
    let (label, help) = match chosen.as_str() {
        SECRET => ("Secret", "of type kubernetes.io/tls, in its namespace, for all of its hosts"),
        ISSUER => ("Issuer", "cert-manager's, in its namespace: one certificate per route"),
        CLUSTER_ISSUER => ("Cluster issuer", "cert-manager's: one certificate per route"),
        _ => return,
    };
    fields.push(text("certificate", label, help, TextField::new(name)));
}

/// Where certificates come from, as the form has it, and the name that goes with it.
fn tls(routing: &Routing) -> (&'static str, &str) {
    match &routing.tls {
        TlsSource::Off => (NO_TLS, ""),
        TlsSource::Secret(name) => (SECRET, name),
        TlsSource::Issuer(issuer) if issuer.cluster_wide => (CLUSTER_ISSUER, &issuer.name),
        TlsSource::Issuer(issuer) => (ISSUER, &issuer.name),
        TlsSource::Controller => (CONTROLLER, ""),
    }
}

/// Lines of text, and what stands in them while there are none.
fn several(held: &str, placeholder: &'static str) -> TextLines {
    let mut lines = TextLines::new(held);
    lines.set_placeholder(placeholder);
    lines
}

/// Who may reach it.
fn access(known: &Environment, new: bool, fields: &mut Vec<Field>) {
    let help =
        "blocks of addresses that may reach its URLs, such as 10.0.0.0/8, one a line; empty: everybody";
    fields.push(lines("allow", "Open to", help, several(&known.ip_whitelist.join("\n"), "everybody")));
    let otherwise = if new { Isolation::Inbound } else { Isolation::Off };
    let now = known.routing.isolation.unwrap_or(otherwise);
    let names = ISOLATION.map(|(name, _)| name.to_owned()).to_vec();
    let now = ISOLATION.iter().find(|(_, it)| *it == now).map_or(ISOLATION[0].0, |(name, _)| name);
    let help = "what network policies keep away from its pods: what comes in but for its own namespace and the ingress; or what goes out as well";
    fields.push(choice("isolation", "Keep away", help, (names, now)));
    let peers: Vec<String> = known.routing.allow_from.iter().map(Peer::to_string).collect();
    let help = "who may reach its pods all the same, one a line: namespace:NAME, namespace:NAME KEY=VALUE,…, cidr:BLOCK";
    fields.push(lines("allow-from", "But let in", help, several(&peers.join("\n"), "nobody else")));
}

fn pairs(map: &BTreeMap<String, String>) -> String {
    map.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join("\n")
}

/// Whether http is sent on, where there is https. What nobody said comes first: what it means follows from whether the environment
/// has https already or gains it.
fn redirect(known: &Environment, asking: &Asking, fields: &mut Vec<Field>) {
    let routing = &known.routing;
    let (now, _) = tls(routing);
    if chosen(asking, "tls", now) == NO_TLS && !is_at_secure_gateway(routing, asking) {
        return;
    }
    let (unsaid, help) = if routing.has_https() {
        (AS_IT_DOES, "plain http is sent on to https; no: a controller that does so by itself is told not to")
    } else {
        (WHERE_POSSIBLE, "plain http is sent on to https; where possible: the plan says so if it cannot be")
    };
    let now = match routing.redirect {
        Some(true) => SENT_ON,
        Some(false) => NOT_SENT_ON,
        None => unsaid,
    };
    let options = [unsaid, SENT_ON, NOT_SENT_ON].map(str::to_owned).to_vec();
    fields.push(choice("redirect", "Redirect", help, (options, now)));
}

/// Whether the routes are at a Gateway that has https by itself, and no other kind was chosen for them.
fn is_at_secure_gateway(routing: &Routing, asking: &Asking) -> bool {
    let kind = chosen(asking, "kind", routing.kind.map_or(DETECT, RouteKind::as_str));
    let via = routing.via.as_ref().filter(|via| via.kind == RouteKind::HttpRoute);
    let is_secure = via.and_then(|via| via.gateway.as_ref()).is_some_and(|gateway| gateway.https);
    is_secure && (kind == DETECT || kind == RouteKind::HttpRoute.as_str())
}
