//! What a probe that a person asked for found, in one sentence.

use crate::domain::Problem;
use crate::domain::route::{Phase, Probe, ProbeOutcome};

/// Says that a URL works, and how.
///
/// # Errors
/// It does not: what failed, why, and where to look.
pub fn sentence(url: &str, probe: &Probe) -> Result<String, Problem> {
    let failed = |why: String, next: &str| Err(Problem::new(format!("{url} does not work"), why, next));
    match &probe.outcome {
        ProbeOutcome::Answered(code) if probe.works() => {
            let redirects = match probe.hops.len() {
                0 => String::new(),
                1 => " after a redirect".to_owned(),
                several => format!(" after {several} redirects"),
            };
            Ok(format!("{url} answers {code}{redirects}, its first answer within {} ms", probe.millis()))
        }
        ProbeOutcome::Answered(404) => failed(
            "it answers 404".to_owned(),
            "look whether the ingress has taken the route, and whether the application knows this path",
        ),
        ProbeOutcome::Answered(code) => failed(
            format!("it answers {code}"),
            "look at the endpoints and the logs of the application behind it",
        ),
        ProbeOutcome::Failed { phase, message } => {
            let next = match phase {
                Phase::Dns => "make a DNS record for the host, or wait until it has spread",
                Phase::Connect => {
                    "look whether the ingress controller runs, and whether its port can be reached from here"
                }
                Phase::Tls => "look at the certificate in the details of the route",
                Phase::Http => "look at the ingress controller, and at the application behind the route",
            };
            failed(format!("{} failed: {message}", phase.as_str()), next)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::route::{Hop, Phases};

    fn probe(outcome: ProbeOutcome, hops: usize) -> Probe {
        let hop = Hop { code: 302, location: "http://b".to_owned() };
        Probe {
            at: Timestamp::UNIX_EPOCH,
            outcome,
            phases: Phases { http: Some(12_400), connect: Some(600), ..Phases::default() },
            address: None,
            addresses: Vec::new(),
            hops: vec![hop; hops],
            certificate: None,
        }
    }

    #[test]
    fn what_works_is_a_sentence_and_what_does_not_a_problem() {
        let good = sentence("http://a", &probe(ProbeOutcome::Answered(200), 2)).unwrap();
        assert_eq!(good, "http://a answers 200 after 2 redirects, its first answer within 13 ms");
        let bad = sentence("http://a", &probe(ProbeOutcome::Answered(503), 0)).unwrap_err();
        assert_eq!((bad.what.as_str(), bad.why.as_str()), ("http://a does not work", "it answers 503"));
        let failed = ProbeOutcome::Failed {
            phase: Phase::Connect,
            message: "10.0.0.1:80 refused the connection".to_owned(),
        };
        let bad = sentence("http://a", &probe(failed, 0)).unwrap_err();
        assert_eq!(bad.why, "connect failed: 10.0.0.1:80 refused the connection");
        assert!(bad.next.contains("ingress controller"), "{bad}");
    }
}
