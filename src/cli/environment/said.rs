//! What can be said of an environment, as options: what is not named stays as it is.

use std::collections::BTreeMap;
use std::str::FromStr;

use clap::Args;

use crate::cli::ending::{Refusal, usage};
use crate::domain::route::{GatewayRef, Isolation, IssuerRef, Peer, RouteKind, TlsSource, Via};
use crate::domain::{DriftMode, Environment};

/// Everything that can be said.
#[derive(Debug, Args)]
pub struct Said {
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    ingress: Ingress,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    routes: Routes,
    #[command(flatten)]
    rest: Rest,
}

/// Host names.
#[derive(Debug, Args)]
struct Hosts {
    /// The domain of its host names [default: the cluster's]
    #[arg(long, value_name = "DOMAIN", conflicts_with = "no_suffix")]
    suffix: Option<String>,
    /// Host names as the cluster says
    #[arg(long)]
    no_suffix: bool,
}

/// Who answers for the routes.
#[derive(Debug, Args)]
struct Ingress {
    /// The ingress class that it shares with others
    #[arg(long, value_name = "NAME", conflicts_with = "no_ingress_class")]
    ingress_class: Option<String>,
    /// No class in particular: the cluster's default one
    #[arg(long)]
    no_ingress_class: bool,
    /// What its routes are written as: ingress, http-route, ingress-route, or detect
    #[arg(long, value_name = "KIND", value_parser = kind)]
    route_kind: Option<Kind>,
    /// The Gateway that its HTTPRoutes attach to: its routes are written as http-route
    #[arg(long, value_name = "NS/NAME[/LISTENER]", value_parser = GatewayRef::from_str)]
    gateway: Option<GatewayRef>,
    /// An ingress controller of its own (Traefik), deployed as its application `ingress`
    #[arg(long, conflicts_with = "shared_ingress")]
    dedicated_ingress: bool,
    /// The ingress of the cluster, shared with others
    #[arg(long)]
    shared_ingress: bool,
    /// An annotation of its own ingress's Service, which says what load balancer it gets; KEY- takes one away (repeatable)
    #[arg(
        long = "load-balancer-annotation",
        value_name = "KEY=VALUE",
        value_parser = entry,
        conflicts_with = "shared_ingress"
    )]
    load_balancer_annotations: Vec<Entry>,
}

/// Who may reach it.
#[derive(Debug, Args)]
struct Access {
    /// The addresses from which it may be reached, in place of those before (repeatable)
    #[arg(long = "allow", value_name = "CIDR", conflicts_with = "allow_all")]
    allow: Vec<String>,
    /// From everywhere
    #[arg(long)]
    allow_all: bool,
    /// Which connections of its pods are kept away: off, inbound, both
    #[arg(long, value_name = "WHICH", value_parser = isolation)]
    isolation: Option<Isolation>,
    /// Who may reach its pods all the same, in place of those before: namespace:NAME, namespace:NAME KEY=VALUE,…, cidr:BLOCK (repeatable)
    #[arg(long = "allow-from", value_name = "PEER", value_parser = Peer::from_str, conflicts_with = "no_allow_from")]
    allow_from: Vec<Peer>,
    /// Nobody in particular
    #[arg(long)]
    no_allow_from: bool,
}

/// What its routes have.
#[derive(Debug, Args)]
struct Routes {
    /// Where certificates come from: off, secret:NAME, issuer:NAME, cluster-issuer:NAME, controller
    #[arg(long, value_name = "SOURCE", value_parser = tls)]
    tls: Option<TlsSource>,
    /// Whether plain http is sent on to https: on, off [default: on, once there is https]
    #[arg(long, value_name = "WHETHER", value_parser = on)]
    redirect: Option<bool>,
    /// An annotation of every route; KEY- takes one away (repeatable)
    #[arg(long = "route-annotation", value_name = "KEY=VALUE", value_parser = entry)]
    route_annotations: Vec<Entry>,
    /// Whether its URLs are asked whether they work: on, off
    #[arg(long, value_name = "WHETHER", value_parser = on)]
    probes: Option<bool>,
}

/// What else there is.
#[derive(Debug, Args)]
struct Rest {
    /// It is a production environment: more is asked before something is done to it
    #[arg(long, conflicts_with = "no_production")]
    production: bool,
    /// It is none
    #[arg(long)]
    no_production: bool,
    /// A label of its namespace; KEY- takes one away (repeatable)
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = entry)]
    labels: Vec<Entry>,
    /// A limit of its namespace, as a ResourceQuota has them; KEY- takes one away (repeatable)
    #[arg(long = "quota", value_name = "KEY=AMOUNT", value_parser = entry)]
    quota: Vec<Entry>,
    /// What is done about drift: correct, warn, ignore
    #[arg(long, value_name = "MODE", value_parser = drift)]
    drift: Option<DriftMode>,
}

/// A key with its value; none: it is taken away.
type Entry = (String, Option<String>);

/// A kind of route; none: the one that fits the cluster.
type Kind = Option<RouteKind>;

impl Said {
    /// Puts what is said into an environment.
    ///
    /// # Errors
    /// It is about an ingress that the environment would not have, or contradicts itself.
    pub fn apply(self, environment: &mut Environment) -> Result<(), Refusal> {
        let Self { hosts, ingress, access, routes, rest } = self;
        put(&mut environment.fqdn_suffix, hosts.suffix, hosts.no_suffix);
        ingress.apply(environment)?;
        if access.allow_all || !access.allow.is_empty() {
            environment.ip_whitelist = access.allow;
        }
        let routing = &mut environment.routing;
        routing.isolation = access.isolation.or(routing.isolation);
        if access.no_allow_from || !access.allow_from.is_empty() {
            routing.allow_from = access.allow_from;
        }
        if let Some(tls) = routes.tls {
            routing.tls = tls;
        }
        routing.redirect = routes.redirect.or(routing.redirect);
        change(&mut routing.annotations, routes.route_annotations);
        if let Some(probes) = routes.probes {
            routing.unprobed = !probes;
        }
        environment.production = rest.production || (environment.production && !rest.no_production);
        change(&mut environment.labels, rest.labels);
        change(&mut environment.quota, rest.quota);
        environment.drift = rest.drift.unwrap_or(environment.drift);
        Ok(())
    }
}

impl Ingress {
    fn apply(self, environment: &mut Environment) -> Result<(), Refusal> {
        put(&mut environment.ingress_class, self.ingress_class, self.no_ingress_class);
        if self.shared_ingress {
            environment.dedicated_ingress = None;
        }
        if self.dedicated_ingress {
            environment.dedicated_ingress.get_or_insert_default();
        }
        match &mut environment.dedicated_ingress {
            Some(own) => change(&mut own.service_annotations, self.load_balancer_annotations),
            None if self.load_balancer_annotations.is_empty() => {}
            None => {
                return Err(usage(
                    format!("{} has no load balancer of its own", environment.name),
                    "--load-balancer-annotation is about the Service of an ingress of its own, and it shares one",
                    "say --dedicated-ingress too, or leave the annotation out",
                ));
            }
        }
        if let (Some(kind), Some(gateway)) = (self.route_kind, &self.gateway)
            && kind != Some(RouteKind::HttpRoute)
        {
            return Err(usage(
                format!("The routes of {} cannot attach to a Gateway", environment.name),
                format!(
                    "--gateway {} is for HTTPRoutes, and --route-kind says another kind",
                    gateway.whole()
                ),
                "leave one of the two out, or say --route-kind http-route",
            ));
        }
        let routing = &mut environment.routing;
        if let Some(kind) = self.route_kind {
            routing.kind = kind;
            // said anew, it is found out anew
            routing.via = match (kind, routing.via.take()) {
                (Some(RouteKind::HttpRoute), via) => via,
                // so that it is, also where it was not before
                (None, None) => Some(Via::unknown()),
                _ => None,
            };
        }
        if let Some(gateway) = self.gateway {
            routing.kind = Some(RouteKind::HttpRoute);
            routing.via = Some(Via::of_gateway(gateway));
        }
        Ok(())
    }
}

fn put(field: &mut Option<String>, said: Option<String>, taken: bool) {
    if taken || said.is_some() {
        *field = said;
    }
}

fn change(map: &mut BTreeMap<String, String>, entries: Vec<Entry>) {
    for (key, value) in entries {
        match value {
            Some(value) => drop(map.insert(key, value)),
            None => drop(map.remove(&key)),
        }
    }
}

/// `KEY=VALUE`, or `KEY-`.
fn entry(text: &str) -> Result<Entry, String> {
    match (text.split_once('='), text.strip_suffix('-')) {
        (Some((key, value)), _) if !key.is_empty() => Ok((key.to_owned(), Some(value.to_owned()))),
        (None, Some(key)) if !key.is_empty() => Ok((key.to_owned(), None)),
        _ => Err("expected KEY=VALUE, or KEY- to take it away".to_owned()),
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    match text {
        "ingress" => Ok(Some(RouteKind::Ingress)),
        "http-route" => Ok(Some(RouteKind::HttpRoute)),
        "ingress-route" => Ok(Some(RouteKind::IngressRoute)),
        "detect" => Ok(None),
        _ => Err("expected ingress, http-route, ingress-route or detect".to_owned()),
    }
}

fn isolation(text: &str) -> Result<Isolation, String> {
    Isolation::parse(text).ok_or_else(|| "expected off, inbound or both".to_owned())
}

fn tls(text: &str) -> Result<TlsSource, String> {
    let issuer = |name: &str, cluster_wide| IssuerRef { name: name.to_owned(), cluster_wide };
    match text.split_once(':') {
        None if text == "off" => Ok(TlsSource::Off),
        None if text == "controller" => Ok(TlsSource::Controller),
        Some(("secret", name)) if !name.is_empty() => Ok(TlsSource::Secret(name.to_owned())),
        Some(("issuer", name)) if !name.is_empty() => Ok(TlsSource::Issuer(issuer(name, false))),
        Some(("cluster-issuer", name)) if !name.is_empty() => Ok(TlsSource::Issuer(issuer(name, true))),
        _ => Err("expected off, secret:NAME, issuer:NAME, cluster-issuer:NAME or controller".to_owned()),
    }
}

fn on(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("expected on or off".to_owned()),
    }
}

fn drift(text: &str) -> Result<DriftMode, String> {
    DriftMode::parse(text).ok_or_else(|| "expected correct, warn or ignore".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        said: Said,
    }

    fn after(environment: &Environment, words: &[&str]) -> Environment {
        tried(environment, words).unwrap_or_else(|error| panic!("{error}"))
    }

    fn tried(environment: &Environment, words: &[&str]) -> Result<Environment, String> {
        let mut environment = environment.clone();
        let words = std::iter::once("x").chain(words.iter().copied());
        let alone = Alone::try_parse_from(words).map_err(|error| error.to_string())?;
        match alone.said.apply(&mut environment) {
            Ok(()) => Ok(environment),
            Err(Refusal::Usage(problem) | Refusal::Problem(problem)) => Err(problem.to_string()),
        }
    }

    #[test]
    fn annotations_make_no_ingress_of_its_own() {
        let demo = Environment::new("demo", "c", "demo");
        for words in [["--load-balancer-annotation=a-"], ["--load-balancer-annotation=a=b"]] {
            let told = tried(&demo, &words).unwrap_err();
            assert!(told.contains("demo has no load balancer of its own"), "{told}");
            assert!(told.contains("--dedicated-ingress"), "{told}");
        }
        let words =
            ["--dedicated-ingress", "--load-balancer-annotation=a=b", "--load-balancer-annotation=c=d"];
        let own = after(&demo, &words);
        let told = tried(&own, &["--shared-ingress", "--load-balancer-annotation=c=e"]).unwrap_err();
        assert!(told.contains("cannot be used with"), "{told}");
        let less = after(&own, &["--load-balancer-annotation=c-"]).dedicated_ingress.unwrap();
        assert_eq!(less.service_annotations, [("a".to_owned(), "b".to_owned())].into());
    }

    #[test]
    fn a_gateway_is_for_http_routes_only() {
        let demo = Environment::new("demo", "c", "demo");
        for kind in ["ingress", "ingress-route", "detect"] {
            let told =
                tried(&demo, &["--gateway=infra/public", &format!("--route-kind={kind}")]).unwrap_err();
            assert!(told.contains("infra/public is for HTTPRoutes"), "{told}");
        }
        let set = after(&demo, &["--gateway=infra/public", "--route-kind=http-route"]);
        assert_eq!(set, after(&demo, &["--gateway=infra/public"]));
        assert_eq!(set.routing.kind, Some(RouteKind::HttpRoute));
    }

    #[test]
    fn who_answers_is_asked_for() {
        let demo = Environment::new("demo", "c", "demo");
        let asked = after(&demo, &["--route-kind=detect"]);
        assert_eq!(asked.routing.via, Some(Via::unknown()));
        assert_eq!(after(&asked, &["--route-kind=detect"]).routing.via, None);
        assert_eq!(after(&demo, &["--route-kind=ingress"]).routing.via, None);
    }

    #[test]
    fn what_is_not_named_stays() {
        let demo = Environment::new("demo", "c", "demo");
        let words = [
            "--suffix=x.org",
            "--ingress-class=public",
            "--dedicated-ingress",
            "--load-balancer-annotation=a=b",
            "--allow=10.0.0.0/8",
            "--allow=::1/128",
            "--isolation=both",
            "--allow-from=namespace:monitoring",
            "--allow-from=namespace:ops app=prometheus",
            "--allow-from=cidr:192.0.2.0/24",
            "--tls=cluster-issuer:letsencrypt",
            "--redirect=on",
            "--route-annotation=c=d",
            "--probes=off",
            "--production",
            "--label=team=blue",
            "--quota=pods=4",
            "--drift=warn",
        ];
        let set = after(&demo, &words);
        assert_eq!(set.ip_whitelist, ["10.0.0.0/8", "::1/128"]);
        assert_eq!(set.dedicated_ingress.as_ref().unwrap().service_annotations["a"], "b");
        assert_eq!(set.routing.isolation, Some(Isolation::Both));
        let peers: Vec<String> = set.routing.allow_from.iter().map(Peer::to_string).collect();
        assert_eq!(peers, ["namespace:monitoring", "namespace:ops app=prometheus", "cidr:192.0.2.0/24"]);
        assert!(set.routing.unprobed && set.production && set.drift == DriftMode::Warn);
        assert_eq!(set.routing.redirect, Some(true));
        assert!(tried(&demo, &["--redirect=301"]).unwrap_err().contains("expected on or off"));
        assert_eq!(after(&set, &[]), set);
        let back = [
            "--no-suffix",
            "--no-ingress-class",
            "--shared-ingress",
            "--allow-all",
            "--isolation=off",
            "--no-allow-from",
            "--tls=off",
            "--redirect=off",
            "--route-annotation=c-",
            "--probes=on",
            "--no-production",
            "--label=team-",
            "--quota=pods-",
            "--drift=correct",
        ];
        let mut expected = demo.clone();
        expected.routing.isolation = Some(Isolation::Off);
        expected.routing.redirect = Some(false);
        expected.drift = DriftMode::Correct;
        assert_eq!(after(&set, &back), expected);
    }

    #[test]
    fn a_kind_or_a_gateway_that_is_named_is_looked_for_anew() {
        let mut demo = Environment::new("demo", "c", "demo");
        demo.routing.via = Some(Via {
            kind: RouteKind::Ingress,
            controller: "x".into(),
            class: None,
            gateway: None,
            namespace: None,
        });
        assert_eq!(after(&demo, &["--route-kind=detect"]).routing.via, None);
        let set = after(&demo, &["--gateway=infra/public/web"]).routing;
        assert_eq!(set.kind, Some(RouteKind::HttpRoute));
        assert_eq!(set.via.unwrap().gateway.unwrap().section.as_deref(), Some("web"));
    }

    #[test]
    fn bad_words_name_the_option() {
        for (word, why) in [
            ("--route-kind=route", "expected"),
            ("--gateway=public", "no NAMESPACE/NAME"),
            ("--gateway=a/b/c/d", "no NAMESPACE/NAME"),
            ("--gateway=/b", "missing"),
            ("--isolation=on", "expected"),
            ("--allow-from=monitoring", "neither namespace:"),
            ("--allow-from=cidr:", "no block"),
            ("--tls=secret", "expected"),
            ("--probes=yes", "expected"),
            ("--label=team", "expected"),
            ("--quota==4", "expected"),
            ("--drift=maybe", "expected"),
        ] {
            let error = Alone::try_parse_from(["x", word]).err().unwrap().to_string();
            let option = word.split('=').next().unwrap();
            assert!(error.contains(option) && error.contains(why), "{error}");
        }
    }
}
