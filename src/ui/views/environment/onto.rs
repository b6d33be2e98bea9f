//! What a person changed in the form, put into the record as it is now: others may have changed it while the form was open.

use crate::domain::Environment;

/// The record `newest` with what the form has otherwise than it had it when it was opened.
pub fn onto(newest: &Environment, before: &Environment, typed: Environment) -> Environment {
    let mut merged = newest.clone();
    take(&mut merged.fqdn_suffix, &before.fqdn_suffix, typed.fqdn_suffix);
    take(&mut merged.ingress_class, &before.ingress_class, typed.ingress_class);
    take(&mut merged.dedicated_ingress, &before.dedicated_ingress, typed.dedicated_ingress);
    take(&mut merged.ip_whitelist, &before.ip_whitelist, typed.ip_whitelist);
    take(&mut merged.production, &before.production, typed.production);
    let (routing, known, typed) = (&mut merged.routing, &before.routing, typed.routing);
    take(&mut routing.kind, &known.kind, typed.kind);
    take(&mut routing.via, &known.via, typed.via);
    take(&mut routing.tls, &known.tls, typed.tls);
    take(&mut routing.redirect, &known.redirect, typed.redirect);
    take(&mut routing.isolation, &known.isolation, typed.isolation);
    take(&mut routing.allow_from, &known.allow_from, typed.allow_from);
    take(&mut routing.annotations, &known.annotations, typed.annotations);
    take(&mut routing.unprobed, &known.unprobed, typed.unprobed);
    merged
}

fn take<T: PartialEq>(newest: &mut T, before: &T, typed: T) {
    if *before != typed {
        *newest = typed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::DriftMode;
    use crate::domain::route::{Isolation, TlsSource};

    #[test]
    fn what_others_changed_meanwhile_stays() {
        let before = Environment::new("demo", "c", "demo");
        let mut typed = before.clone();
        typed.fqdn_suffix = Some("a.example.org".into());
        typed.routing.tls = TlsSource::Controller;
        let mut newest = before.clone();
        newest.fqdn_suffix = Some("b.example.org".into());
        newest.backup_location = Some("nightly".into());
        newest.labels = [("team".to_owned(), "blue".to_owned())].into();
        newest.quota = [("pods".to_owned(), "4".to_owned())].into();
        newest.drift = DriftMode::Warn;
        newest.production = true;
        newest.routing.isolation = Some(Isolation::Inbound);
        let merged = onto(&newest, &before, typed);
        let mut expected = newest.clone();
        expected.fqdn_suffix = Some("a.example.org".into());
        expected.routing.tls = TlsSource::Controller;
        assert_eq!(merged, expected);
        assert_eq!(onto(&newest, &before, before.clone()), newest);
    }
}
