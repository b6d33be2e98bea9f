//! What a request to a URL found: by phases, each of which can fail on its own.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Certificate;
use crate::domain::words::words;

words! {
    /// A phase of a probe, in their order.
    Phase {
        /// The host's addresses.
        Dns => "dns",
        /// A connection to one of them.
        Connect => "connect",
        /// The handshake, with the certificate checked.
        Tls => "tls",
        /// The request, up to the head of the answer.
        Http => "http",
    }
}

/// What a request to a URL found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// When it began.
    pub at: Timestamp,
    /// What it found.
    pub outcome: ProbeOutcome,
    /// How long each phase took.
    pub phases: Phases,
    /// The address that was connected to.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// Every address that the host has.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    /// The redirects that were followed, in order: the phases and the certificate are those of the first URL.
    #[serde(default)]
    pub hops: Vec<Hop>,
    /// The certificate that was shown; also one that does not hold.
    #[serde(default)]
    pub certificate: Option<Certificate>,
}

/// How long the phases took, in microseconds; none: not reached. The one that failed has the time until then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Until the host's addresses were known.
    pub dns: Option<u32>,
    /// Until the connection was there.
    pub connect: Option<u32>,
    /// Until the handshake was done.
    pub tls: Option<u32>,
    /// From the first byte sent to the head of the answer.
    pub http: Option<u32>,
}

/// An answer that led elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Its status code.
    pub code: u16,
    /// Where it led to.
    pub location: String,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProbeOutcome {
    /// An HTTP answer with this status code: the last one, where redirects were followed.
    Answered(u16),
    /// No answer: the phase that failed, and why.
    Failed {
        /// The phase.
        phase: Phase,
        /// Why.
        message: String,
    },
}

/// A past probe, as a line of small bars shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// When.
    pub at: Timestamp,
    /// Whether the URL worked.
    pub works: bool,
    /// How long all of it took, in microseconds.
    pub micros: u32,
}

/// A probe in short: what is told of it where not every measurement counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Whether the URL works.
    pub works: bool,
    /// `Answered`, `DnsFailed`, `ConnectFailed`, `TlsFailed`, `HttpFailed`, `StatusCode`.
    pub reason: String,
    /// In words; empty where all is well.
    pub message: String,
    /// When the first certificate of the chain that was shown ends to hold.
    pub certificate_ends: Option<Timestamp>,
}

impl Probe {
    /// Whether the URL works: an answer below 500 that is not a refusal of the ingress to know the host. 401 and 403 count: whoever
    /// asks for a login, and an allow-list that this machine is not on, prove that the route leads there.
    pub fn works(&self) -> bool {
        matches!(self.outcome, ProbeOutcome::Answered(code) if code < 500 && code != 404)
    }

    /// All phases together, in milliseconds, rounded.
    pub fn millis(&self) -> u32 {
        (self.micros() + 500) / 1_000
    }

    /// All phases together, in microseconds.
    pub fn micros(&self) -> u32 {
        let Phases { dns, connect, tls, http } = self.phases;
        [dns, connect, tls, http].into_iter().flatten().fold(0, u32::saturating_add)
    }

    /// It in one bar.
    pub fn beat(&self) -> Beat {
        Beat { at: self.at, works: self.works(), micros: self.micros() }
    }

    /// It in short.
    pub fn reach(&self) -> Reach {
        let (reason, message) = match &self.outcome {
            ProbeOutcome::Answered(_) if self.works() => ("Answered", String::new()),
            ProbeOutcome::Answered(code) => ("StatusCode", format!("it answers {code}")),
            ProbeOutcome::Failed { phase, message } => {
                let reason = match phase {
                    Phase::Dns => "DnsFailed",
                    Phase::Connect => "ConnectFailed",
                    Phase::Tls => "TlsFailed",
                    Phase::Http => "HttpFailed",
                };
                (reason, message.clone())
            }
        };
        Reach {
            works: self.works(),
            reason: reason.to_owned(),
            message,
            certificate_ends: self.certificate.as_ref().map(|found| found.earliest),
        }
    }
}
