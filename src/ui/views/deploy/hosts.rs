//! Host names that an application is to answer to beside its own: `host`, or `service=host` where it has several services.

use super::field::{Asks, Entry, Field};
use crate::domain::driver::{ServiceScope, ServiceSpec};
use crate::domain::route::{ExtraHost, check_host};
use crate::domain::{DeploymentDraft, DriverVersion};
use crate::ui::text_field::TextField;

/// What the field is kept by when the driver changes; no parameter has such a name.
pub const NAME: &str = "extra hosts";

fn external(driver: &DriverVersion) -> impl Iterator<Item = &ServiceSpec> {
    driver.spec.services.iter().filter(|service| service.scope == ServiceScope::External)
}

/// The field, for a driver that has anything to be reached at: with what was typed before, else what was asked for.
pub fn field(
    driver: &DriverVersion,
    asked: Option<&DeploymentDraft>,
    before: Option<&Field>,
) -> Option<Field> {
    let services: Vec<&str> = external(driver).map(|service| service.name.as_str()).collect();
    let help = match services.as_slice() {
        [] => return None,
        [_] => "beside its own: HOST, several with commas between them".to_owned(),
        several => {
            format!("beside its own: SERVICE=HOST, several with commas; services: {}", several.join(", "))
        }
    };
    let text = asked.map(|draft| plain(&draft.hosts)).unwrap_or_default();
    let entry = Entry::Text(TextField::new(&text).with_placeholder("none"));
    let mut field = Field::new(Asks::Hosts, "Extra hosts", &help, entry);
    if let Some(before) = before.filter(|before| before.asks == Asks::Hosts) {
        field.entry = before.entry.clone();
        field.error = read(&field.text(), driver).err();
    }
    Some(field)
}

/// Hosts as they are typed.
fn plain(hosts: &[ExtraHost]) -> String {
    let one = |extra: &ExtraHost| match &extra.service {
        Some(service) => format!("{service}={}", extra.host),
        None => extra.host.clone(),
    };
    hosts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The hosts that a text names.
///
/// # Errors
/// What is wrong with the first one that cannot be.
pub fn read(text: &str, driver: &DriverVersion) -> Result<Vec<ExtraHost>, String> {
    let services: Vec<&str> = external(driver).map(|service| service.name.as_str()).collect();
    let mut hosts: Vec<ExtraHost> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (service, host) = match part.split_once('=') {
            Some((service, host)) => (Some(service.trim()), host.trim()),
            None => (None, part),
        };
        check_host(host).map_err(|why| format!("'{host}': {why}"))?;
        match service {
            Some(name) if !services.contains(&name) => {
                let known = services.join(", ");
                return Err(format!("'{name}' is no service for the outside; there is {known}"));
            }
            None if services.len() > 1 => {
                return Err(format!("'{host}': say which service it is for, as {}={host}", services[0]));
            }
            _ => {}
        }
        if hosts.iter().any(|known| known.host == host) {
            return Err(format!("'{host}' stands there twice"));
        }
        hosts.push(ExtraHost { service: service.map(str::to_owned), host: host.to_owned() });
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;

    fn driver(services: &[&str]) -> DriverVersion {
        let mut driver = (*sample::drivers()[0]).clone();
        let model = driver.spec.services[0].clone();
        let one = |name: &&str| ServiceSpec { name: (*name).to_owned(), ..model.clone() };
        driver.spec.services = services.iter().map(one).collect();
        driver
    }

    #[test]
    fn hosts_are_read_and_shown_as_they_were_typed() {
        let (one, two) = (driver(&["web"]), driver(&["web", "api"]));
        let host = |service: Option<&str>, host: &str| ExtraHost {
            service: service.map(Into::into),
            host: host.into(),
        };
        assert_eq!(read(" , ", &one), Ok(vec![]));
        let hosts = read("a.example.org,web=b.example.org ", &one).unwrap();
        assert_eq!(hosts, [host(None, "a.example.org"), host(Some("web"), "b.example.org")]);
        assert_eq!(plain(&hosts), "a.example.org, web=b.example.org");
        assert_eq!(read("api=a.example.org", &two), Ok(vec![host(Some("api"), "a.example.org")]));
    }

    #[test]
    fn what_cannot_be_a_host_is_told() {
        let (one, two) = (driver(&["web"]), driver(&["web", "api"]));
        for (text, driver, says) in [
            ("https://a.example.org", &one, "scheme"),
            ("a.example.org:80", &one, "port"),
            ("*.example.org", &one, "wildcard"),
            ("db=a.example.org", &one, "there is web"),
            ("a.example.org", &two, "web=a.example.org"),
            ("a.example.org, a.example.org", &one, "twice"),
        ] {
            let error = read(text, driver).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_driver_without_services_for_the_outside_is_not_asked() {
        assert!(field(&driver(&[]), None, None).is_none());
        let mut inside = driver(&["web"]);
        inside.spec.services[0].scope = ServiceScope::Internal;
        assert!(field(&inside, None, None).is_none());
        let asked = DeploymentDraft {
            hosts: vec![ExtraHost { service: None, host: "a.example.org".into() }],
            ..DeploymentDraft::default()
        };
        let shown = field(&driver(&["web"]), Some(&asked), None).unwrap();
        assert_eq!(shown.text(), "a.example.org");
    }
}
