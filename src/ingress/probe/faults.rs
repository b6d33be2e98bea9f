//! What is wrong with the certificates that a server shows, in words that a person can act on.

use jiff::Timestamp;
use tokio_rustls::rustls;
use tokio_rustls::rustls::CertificateError;
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::prelude::X509Certificate;

use super::roots::Roots;
use super::{some, tls};
use crate::domain::route::Certificate;
use crate::ingress::certificate::{covers, describe, parse, who};

/// What was shown, and what it should have been.
pub(super) struct Shown<'a> {
    /// The server's own certificate first.
    pub(super) chain: &'a [CertificateDer<'static>],
    pub(super) host: &'a str,
    pub(super) roots: &'a Roots,
    pub(super) now: Timestamp,
}

/// A certificate of the chain.
struct Link<'a> {
    parsed: X509Certificate<'a>,
    says: Certificate,
}

impl Link<'_> {
    fn is_signed_by_itself(&self) -> bool {
        self.parsed.subject().as_raw() == self.parsed.issuer().as_raw()
    }
}

/// Everything that is wrong, most pressing first; `error` is what the check said, which stops at the first thing.
pub(super) fn told(shown: &Shown<'_>, error: &rustls::Error) -> String {
    let links: Result<Vec<Link<'_>>, String> = shown.chain.iter().map(link).collect();
    let links = match links {
        Ok(links) => links,
        Err(why) => return format!("what it shows cannot be read: {why}"),
    };
    let Some(own) = links.first() else { return "it shows no certificate".to_owned() };
    let mut faults = Vec::new();
    faults.extend(dates("the certificate", &own.says, shown.now));
    faults.extend(names(&own.says, shown.host));
    faults.extend(trust(shown, &links, error));
    for link in &links[1..] {
        let whose = format!("the certificate of {} in its chain", link.says.subject);
        faults.extend(dates(&whose, &link.says, shown.now));
    }
    if faults.is_empty() && own.parsed.is_ca() {
        faults.push("the certificate is that of an authority, which cannot serve a host".to_owned());
    }
    if faults.is_empty() { tls::plain(error) } else { faults.join("; ") }
}

fn link<'a>(der: &'a CertificateDer<'static>) -> Result<Link<'a>, String> {
    let parsed = parse(der)?;
    let says = describe(&parsed, der);
    Ok(Link { parsed, says })
}

fn dates(whose: &str, says: &Certificate, now: Timestamp) -> Option<String> {
    if now > says.not_after {
        return Some(format!("{whose} expired on {}", minute(says.not_after)));
    }
    (now < says.not_before).then(|| {
        format!(
            "{whose} holds only from {} on (if that is past, this machine's clock is wrong)",
            minute(says.not_before)
        )
    })
}

fn names(says: &Certificate, host: &str) -> Option<String> {
    if covers(says, host) {
        return None;
    }
    if says.names.is_empty() {
        return Some(format!("the certificate is for no host at all, and not for {host}"));
    }
    Some(format!("the certificate is for {}, and not for {host}", some(&says.names)))
}

/// Follows the chain from the server's own certificate to the one whose signer was not shown, by names.
fn trust(shown: &Shown<'_>, links: &[Link<'_>], error: &rustls::Error) -> Option<String> {
    let mut last = links.first()?;
    // a chain cannot be longer than what was shown: the bound is for those that name each other in a circle
    for _ in links {
        let next = links.iter().find(|link| link.parsed.subject().as_raw() == last.parsed.issuer().as_raw());
        match next {
            Some(next)
                if !last.is_signed_by_itself() && !shown.roots.knows(last.parsed.issuer().as_raw()) =>
            {
                last = next
            }
            _ => break,
        }
    }
    let issuer = who(last.parsed.issuer());
    if shown.roots.knows(last.parsed.issuer().as_raw()) {
        let other_key = matches!(
            error,
            rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature
            )
        );
        return other_key.then(|| {
            format!("it is signed with another key than that of the {issuer} whom this machine trusts (an older one?)")
        });
    }
    let advice = if shown.roots.is_empty() {
        " (it trusts nobody: no root certificates were found; install ca-certificates, or set SSL_CERT_FILE)"
    } else {
        ""
    };
    let is_own = last.says.fingerprint == links[0].says.fingerprint;
    Some(match (is_own, last.is_signed_by_itself()) {
        (true, true) => {
            format!("the certificate is self-signed: nobody whom this machine trusts vouches for it{advice}")
        }
        (true, false) => format!(
            "the chain is incomplete: the server does not send the certificate of {issuer}, who signed its own, and this machine \
             does not know it{advice}"
        ),
        (false, _) => format!("it is signed by {issuer}, whom this machine does not trust{advice}"),
    })
}

/// `2026-11-01 12:00 UTC`.
fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
