//! Reads certificates: what they are for, who signed them, until when they hold. Keys are never looked at.

use std::net::IpAddr;

use jiff::Timestamp;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

use crate::domain::names;
use crate::domain::route::Certificate;
use crate::domain::text::plain;

/// How many labels a wildcard's name has at least: `*.org` is for nobody, as browsers see it.
const WILDCARD_LABELS: usize = 3;

/// What the certificates in `pem` say, the server's own first, as `tls.crt` of a Secret has them. Whatever else lies there is
/// skipped.
///
/// # Errors
/// There is no certificate in it, or a damaged one: why, in words that go on after the place's name.
pub fn read(pem: &[u8]) -> Result<Certificate, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|error| format!("it cannot be read as PEM: {error}"))?;
    from_chain(&chain)
}

/// What a chain of certificates says, in DER, the server's own first.
///
/// # Errors
/// It is empty, or one of them is damaged.
pub fn from_chain(chain: &[impl AsRef<[u8]>]) -> Result<Certificate, String> {
    let Some((own, others)) = chain.split_first() else {
        return Err("there is no certificate in it".to_owned());
    };
    let mut certificate = describe(&parse(own.as_ref())?, own.as_ref());
    for other in others {
        certificate.earliest =
            certificate.earliest.min(moment(parse(other.as_ref())?.validity().not_after.timestamp()));
    }
    Ok(certificate)
}

/// Whether a certificate is for this host name or address, as those who check it see it: its common name does not count, and a
/// wildcard stands for exactly one label above at least two.
pub fn covers(certificate: &Certificate, host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return certificate.names.iter().any(|name| name.parse() == Ok(address));
    }
    let host = bare.trim_end_matches('.').to_ascii_lowercase();
    certificate.names.iter().any(|name| matches(&name.to_ascii_lowercase(), &host))
}

fn matches(name: &str, host: &str) -> bool {
    if name == host {
        return true;
    }
    let above = name.strip_prefix("*.").filter(|_| name.split('.').count() >= WILDCARD_LABELS);
    let label = above.and_then(|above| host.strip_suffix(above)?.strip_suffix('.'));
    label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
}

/// One certificate.
pub(super) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, String> {
    match X509Certificate::from_der(der) {
        Ok((_, certificate)) => Ok(certificate),
        Err(error) => Err(format!("it holds a damaged certificate: {error}")),
    }
}

/// What one certificate says by itself.
pub(super) fn describe(certificate: &X509Certificate<'_>, der: &[u8]) -> Certificate {
    let names = names_of(certificate);
    let common = common_name(certificate.subject());
    let subject = common.or_else(|| names.first().cloned()).unwrap_or_else(|| who(certificate.subject()));
    let validity = certificate.validity();
    let not_after = moment(validity.not_after.timestamp());
    Certificate {
        subject,
        issuer: who(certificate.issuer()),
        names,
        not_before: moment(validity.not_before.timestamp()),
        not_after,
        earliest: not_after,
        fingerprint: names::digest(der),
    }
}

/// Somebody as people read it: the common name with the organisation, or whatever there is.
pub(super) fn who(name: &X509Name<'_>) -> String {
    let organisation = name.iter_organization().find_map(|found| found.as_str().ok()).map(plain);
    match (common_name(name), organisation) {
        (Some(common), Some(organisation)) if !common.contains(&organisation) => {
            format!("{common} ({organisation})")
        }
        (Some(common), _) => common,
        (None, Some(organisation)) => organisation,
        (None, None) => match plain(&name.to_string()) {
            all if all.is_empty() => "somebody without a name".to_owned(),
            all => all,
        },
    }
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    name.iter_common_name().find_map(|found| found.as_str().ok()).map(plain).filter(|name| !name.is_empty())
}

fn names_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    extension.value.general_names.iter().filter_map(name_of).collect()
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(plain(name)),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// A moment in seconds since 1970; what lies beyond all calendars ("for ever", in the year 9999) is the last one there is.
fn moment(seconds: i64) -> Timestamp {
    let end = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(seconds).unwrap_or(end)
}

#[cfg(test)]
mod tests;
