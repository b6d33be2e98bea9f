//! Query parameters.

use serde_json::Value;

use crate::sandbox::schema::causes::Causes;
use crate::sandbox::status::Status;
use crate::sandbox::streaming::decode_pairs;

/// The parameters of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`.
    pub fn parse(text: &str) -> Self {
        Self(decode_pairs(text))
    }

    /// A parameter, empty when it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// Whether a parameter is there at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// A boolean parameter, as Go reads it; absent is false.
    pub fn flag(&self, name: &str) -> bool {
        self.has(name) && !matches!(self.text(name), "false" | "0" | "False" | "FALSE" | "f" | "F")
    }

    /// A number, `None` when the parameter is absent or empty.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Status> {
        match self.text(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                Status::bad_request(format!("the query parameter {name} must be a number, not {text:?}"))
            }),
        }
    }

    /// `resourceVersion`; `None` when it is absent or empty.
    ///
    /// # Errors
    /// 400 when it is no number.
    pub fn revision(&self) -> Result<Option<u64>, Status> {
        match self.text("resourceVersion") {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Status::bad_request(format!("resourceVersion: Invalid value: {text:?}"))),
        }
    }

    /// Whether nothing may be stored. `All` is the only value that there is.
    ///
    /// # Errors
    /// 422 for any other value.
    pub fn dry_run(&self, options: &str) -> Result<bool, Status> {
        let asked = self.0.iter().filter(|(key, value)| key == "dryRun" && !value.is_empty());
        dry_run(options, &asked.map(|(_, value)| value.as_str()).collect::<Vec<_>>())
    }

    /// Checks the parameters of a list against each other.
    ///
    /// # Errors
    /// 422 with causes, 400 for a continue token together with a resourceVersion.
    pub fn check_list(&self) -> Result<(), Status> {
        let rule = self.text("resourceVersionMatch");
        let at = "resourceVersionMatch";
        let mut causes = Causes::default();
        if !rule.is_empty() {
            if self.text("resourceVersion").is_empty() {
                causes.forbidden(at, "resourceVersionMatch is forbidden unless resourceVersion is provided");
            }
            if !self.text("continue").is_empty() {
                causes.forbidden(at, "resourceVersionMatch is forbidden when continue is provided");
            }
            if !matches!(rule, "Exact" | "NotOlderThan") {
                causes.unsupported(at, &Value::from(rule), ["Exact", "NotOlderThan", ""]);
            }
            if rule == "Exact" && self.text("resourceVersion") == "0" {
                causes.forbidden(at, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
            }
        }
        if self.has("sendInitialEvents") {
            causes.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
        }
        refuse("ListOptions", causes)?;
        let continued = !self.text("continue").is_empty();
        if continued && !matches!(self.text("resourceVersion"), "" | "0") {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        Ok(())
    }

    /// Checks the parameters of a watch against each other.
    ///
    /// # Errors
    /// 422 with causes.
    pub fn check_watch(&self) -> Result<(), Status> {
        let rule = self.text("resourceVersionMatch");
        let at = "resourceVersionMatch";
        let mut causes = Causes::default();
        let initial = self.has("sendInitialEvents");
        if initial && rule != "NotOlderThan" {
            causes.forbidden(at, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }
        if !rule.is_empty() {
            if !initial {
                causes.forbidden(
                    at,
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                );
            }
            if rule != "NotOlderThan" {
                causes.unsupported(at, &Value::from(rule), ["NotOlderThan"]);
            }
            if !self.text("continue").is_empty() {
                causes.forbidden(at, "resourceVersionMatch is forbidden when continue is provided");
            }
        }
        refuse("ListOptions", causes)
    }
}

/// 422 for options with something wrong in them.
///
/// # Errors
/// 422 with the causes, if there are any.
pub fn refuse(options: &str, causes: Causes) -> Result<(), Status> {
    causes.finish("meta.k8s.io", options, "")
}

/// What the values of `dryRun` say.
///
/// # Errors
/// 422 for a value that is not `All`.
pub fn dry_run(options: &str, values: &[&str]) -> Result<bool, Status> {
    let mut causes = Causes::default();
    if values.iter().any(|value| *value != "All") {
        causes.unsupported("dryRun", &Value::from(values), ["All"]);
    }
    refuse(options, causes)?;
    Ok(!values.is_empty())
}

/// Decodes one percent-encoded path segment.
pub fn decode(segment: &str) -> String {
    // A plus sign is a plus sign in a path.
    decode_pairs(&format!("{}=", segment.replace('+', "%2B").replace('=', "%3D").replace('&', "%26")))
        .into_iter()
        .next()
        .map(|(name, _)| name)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read() {
        let query = Query::parse("watch=1&limit=5&labelSelector=a%3Db%2Cc&dryRun=All&follow=false");
        assert!(query.flag("watch") && !query.flag("follow") && !query.flag("other"));
        assert_eq!(query.number("limit"), Ok(Some(5)));
        assert_eq!(query.text("labelSelector"), "a=b,c");
        assert_eq!(query.dry_run("CreateOptions"), Ok(true));
        assert!(Query::parse("limit=x").number("limit").is_err());
        let refused = Query::parse("dryRun=All&dryRun=Some").dry_run("PatchOptions").unwrap_err();
        let text = r#"PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["All","Some"]: supported values: "All""#;
        assert_eq!(refused.message, text);
        assert_eq!(decode("a%2Fb+c"), "a/b+c");
    }
}
