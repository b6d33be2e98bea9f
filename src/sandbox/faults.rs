//! Faults on purpose: what a network and an API server do on a bad day, by rule, so that it can be tested and shown.
//!
//! Every HTTP request passes [`Faults::through`], whether it comes through the pipe or over TLS. Controllers and the kubelet do not:
//! it is the client's courage that is on trial. Rules are counted and their dice are seeded, so that a failure can be repeated.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};

use super::access::attributes::Attributes;
use super::api::http::{Server, asked, parse_route};
use super::api::random::Random;
use super::body::Body;
use super::clock::Clock;

mod body;
mod rule;
mod skew;
#[cfg(test)]
mod tests;

pub use rule::{Cut, Fault, Refusal, Rule, Scenario, ScenarioError, Verb, When};
pub use skew::SkewedClock;

/// The faults of one sandbox. Without rules it costs one lock per request. Cheap to clone.
#[derive(Clone)]
pub struct Faults(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    clock: Arc<SkewedClock>,
}

#[derive(Default)]
struct State {
    rules: Vec<Counted>,
    random: Option<Random>,
}

/// A rule, and how many requests it has matched.
struct Counted {
    rule: Rule,
    matched: u64,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("rules", &self.state().rules.len()).finish_non_exhaustive()
    }
}

impl Faults {
    /// No faults yet; time goes as `clock` says.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), clock: Arc::new(SkewedClock::new(clock)) }))
    }

    /// The sandbox's time: the clock that it was given, and the skew of the scenario.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock.clone()
    }

    /// From now on these rules hold, and no others; every count begins anew.
    pub fn play(&self, scenario: Scenario) {
        self.0.clock.set(scenario.clock_skew);
        let mut state = self.state();
        state.random = Some(Random::new(scenario.seed));
        state.rules = scenario.rules.into_iter().map(|rule| Counted { rule, matched: 0 }).collect();
    }

    /// One rule alone.
    pub fn play_rule(&self, rule: Rule) {
        self.play(Scenario { rules: vec![rule], ..Scenario::default() });
    }

    /// From now on everything goes well.
    pub fn end(&self) {
        self.play(Scenario::default());
    }

    /// How many requests the rules have matched so far, one number per rule.
    pub fn matched(&self) -> Vec<u64> {
        self.state().rules.iter().map(|counted| counted.matched).collect()
    }

    /// Answers a request by `server`, with the faults that are its lot. `Err` means: cut the connection.
    ///
    /// # Errors
    /// The connection is to be cut without an answer, as a rule says.
    pub async fn through<B>(&self, server: &Server, request: Request<B>) -> io::Result<Response<Body>>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let lot = match self.is_quiet() {
            true => Vec::new(),
            false => self.lot(&asked(&parse_route(request.uri().path()), &request)),
        };
        for fault in &lot {
            match fault {
                Fault::Delay(pause) => tokio::time::sleep(*pause).await,
                Fault::Drop(Cut::Before) => return Err(cut()),
                Fault::Status(refusal) => return Ok(refusal.response()),
                _ => {}
            }
        }
        let mut response = server.handle(request).await;
        for fault in lot {
            response = match fault {
                Fault::Drop(Cut::After) => return Err(cut()),
                fault => body::change(response, &fault),
            };
        }
        Ok(response)
    }

    fn is_quiet(&self) -> bool {
        self.state().rules.is_empty()
    }

    /// What happens to a request: every rule that matches counts it, and those whose turn it is strike.
    fn lot(&self, asked: &Attributes) -> Vec<Fault> {
        let mut state = self.state();
        let State { rules, random } = &mut *state;
        let random = random.get_or_insert_with(|| Random::new(0));
        let mut lot = Vec::new();
        for counted in rules.iter_mut().filter(|counted| counted.rule.matches(asked)) {
            counted.matched += 1;
            if counted.rule.when.strikes(counted.matched, random) {
                lot.push(counted.rule.fault.clone());
            }
        }
        lot
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "cut by a fault rule of the sandbox")
}
