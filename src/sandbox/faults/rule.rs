//! The rules: which requests, when, and what happens to them. Read from YAML, or made by tests.

use std::time::Duration;

use http::Response;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};

use crate::sandbox::access::attributes::Attributes;
use crate::sandbox::api::http::refusal;
use crate::sandbox::api::random::Random;
use crate::sandbox::body::Body;
use crate::sandbox::status::Status;

/// A bad day: rules, and how wrong the sandbox's clock goes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Scenario {
    /// What the dice start from.
    pub seed: u64,
    /// How far the sandbox's clock is ahead (`5m`), or behind (`-90s`).
    pub clock_skew: SignedDuration,
    /// In the order in which they strike.
    pub rules: Vec<Rule>,
}

/// One rule. An empty list matches everything.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    #[serde(default)]
    pub verbs: Vec<Verb>,
    /// `pods`, `deployments.apps`, `pods/log`.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Namespaces.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Names of objects.
    #[serde(default)]
    pub names: Vec<String>,
    /// Which of the matching requests; every one when absent.
    #[serde(default)]
    pub when: When,
    /// What happens.
    pub fault: Fault,
}

/// The verbs of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// One object.
    Get,
    /// Many objects.
    List,
    /// Their changes.
    Watch,
    /// A new object; also what is posted to a subresource.
    Create,
    /// The whole object anew.
    Update,
    /// A part of it; also server-side apply.
    Patch,
    /// One object.
    Delete,
    /// Many objects.
    DeleteCollection,
}

impl Verb {
    fn is(self, asked: &Attributes) -> bool {
        let word = match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        };
        asked.verb == word
    }
}

/// Which of the requests that a rule matches, counted from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum When {
    /// Each one.
    #[default]
    Always,
    /// That one.
    Nth(u64),
    /// Every so many.
    Every(u64),
    /// So many at the beginning.
    First(u64),
    /// All but so many at the beginning.
    After(u64),
    /// By chance, between 0 and 1.
    Probability(f64),
}

impl When {
    /// Whether it is the turn of the request with this number.
    pub fn strikes(self, number: u64, random: &mut Random) -> bool {
        match self {
            Self::Always => true,
            Self::Nth(nth) => number == nth,
            Self::Every(every) => every > 0 && number.is_multiple_of(every),
            Self::First(first) => number <= first,
            Self::After(after) => number > after,
            // 53 bits: all that a double holds exactly.
            Self::Probability(chance) => ((random.number() >> 11) as f64) < chance * (1_u64 << 53) as f64,
        }
    }
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// It is refused, and not carried out.
    Status(Refusal),
    /// It waits before it is carried out.
    Delay(#[serde(deserialize_with = "duration")] Duration),
    /// Its connection is cut.
    Drop(Cut),
    /// Its answer breaks off after so many bytes.
    Truncate(usize),
    /// After so many events the watch stays open and says nothing more.
    Silence(usize),
    /// Every event of the watch comes twice.
    Duplicate,
    /// Each two events of the watch change places; an odd last one waits for the next.
    Reorder,
    /// After so many events the watch is told that its resourceVersion is too old.
    Expire(usize),
}

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    /// Before the request is carried out.
    Before,
    /// After it is carried out: the client cannot know.
    After,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refusal {
    /// 400 to 599.
    pub code: u16,
    /// For people; says that it was a rule when absent.
    pub message: Option<String>,
    /// When the client may try again.
    pub retry_after_seconds: Option<u64>,
}

impl Refusal {
    /// A refusal with the words of its code.
    pub fn new(code: u16) -> Self {
        Self { code, message: None, retry_after_seconds: None }
    }

    pub(super) fn response(&self) -> Response<Body> {
        let message = self.message.clone();
        let message = message.unwrap_or_else(|| format!("a fault rule of the sandbox answers {}", self.code));
        let mut status = Status::new(self.code, reason(self.code), message);
        if let Some(seconds) = self.retry_after_seconds {
            status.details = serde_json::json!({"retryAfterSeconds": seconds});
        }
        refusal(&status)
    }
}

/// The reason that goes with a code (`metav1.StatusReason`).
fn reason(code: u16) -> &'static str {
    match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        409 => "Conflict",
        410 => "Expired",
        413 => "RequestEntityTooLarge",
        422 => "Invalid",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "Unknown",
    }
}

impl Rule {
    /// This always happens to everything; narrow it by its fields.
    pub fn new(fault: Fault) -> Self {
        Self {
            verbs: Vec::new(),
            resources: Vec::new(),
            namespaces: Vec::new(),
            names: Vec::new(),
            when: When::Always,
            fault,
        }
    }

    /// Whether it is about such requests, read as they are for the authorizer; about health, version and discovery no rule is.
    /// What changes the events of a watch is about watches only.
    pub fn matches(&self, asked: &Attributes) -> bool {
        let of_watches =
            matches!(self.fault, Fault::Silence(_) | Fault::Duplicate | Fault::Reorder | Fault::Expire(_));
        let among = |list: &[String], value: &String| list.is_empty() || list.contains(value);
        let mut resource = asked.qualified();
        if !asked.subresource.is_empty() {
            resource = format!("{resource}/{}", asked.subresource);
        }
        asked.is_resource()
            && (!of_watches || Verb::Watch.is(asked))
            && (self.verbs.is_empty() || self.verbs.iter().any(|verb| verb.is(asked)))
            && among(&self.resources, &resource)
            && among(&self.namespaces, &asked.namespace)
            && among(&self.names, &asked.name)
    }

    fn check(&self) -> Result<(), String> {
        match self.when {
            When::Probability(chance) if !(0.0..=1.0).contains(&chance) => {
                return Err(format!("the probability {chance} is not between 0 and 1"));
            }
            When::Nth(0) | When::Every(0) => {
                return Err("requests are counted from 1: 0 never comes".to_owned());
            }
            _ => {}
        }
        match &self.fault {
            Fault::Status(refusal) if !(400..600).contains(&refusal.code) => {
                Err(format!("the status {} is no refusal: 400 to 599", refusal.code))
            }
            _ => Ok(()),
        }
    }
}

impl Scenario {
    /// Reads a scenario from YAML.
    ///
    /// # Errors
    /// With line and column where it is no YAML or no scenario; with the number of the rule where a value makes no sense.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self =
            serde_saphyr::from_str(text).map_err(|error| ScenarioError::Shape(error.to_string()))?;
        for (position, rule) in scenario.rules.iter().enumerate() {
            rule.check().map_err(|why| ScenarioError::Rule { number: position + 1, why })?;
        }
        Ok(scenario)
    }
}

/// Why a scenario cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// It cannot be read; says where.
    #[error("{0}")]
    Shape(String),
    /// A value makes no sense.
    #[error("rule {number}: {why}")]
    Rule {
        /// Which rule, from 1.
        number: usize,
        /// What is wrong.
        why: String,
    },
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let signed = SignedDuration::deserialize(deserializer)?;
    Duration::try_from(signed).map_err(|_| serde::de::Error::custom("a delay cannot be negative"))
}
