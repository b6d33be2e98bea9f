//! Acting as somebody else: the `Impersonate-…` headers, each of which must be allowed.

use std::collections::BTreeMap;

use http::HeaderMap;

use super::attributes::Attributes;
use super::{ANONYMOUS, AUTHENTICATED, Identity, UNAUTHENTICATED, tokens};
use crate::sandbox::api::Api;
use crate::sandbox::status::Status;

const AUTHENTICATION: &str = "authentication.k8s.io";
const PREFIX: &str = "impersonate-";
const EXTRA: &str = "impersonate-extra-";

/// Who is meant.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    user: String,
    uid: String,
    groups: Vec<String>,
    extra: BTreeMap<String, Vec<String>>,
}

/// Who acts: the sender, or whom they may act as.
///
/// # Errors
/// 403 when the sender may not be that user, group, uid or extra value; 500 when groups are named and no user.
pub fn resolve(api: &Api, sender: Identity, headers: &HeaderMap) -> Result<Identity, Status> {
    let Some(wanted) = read(headers)? else { return Ok(sender) };
    for asked in questions(&wanted) {
        let decision = api.authorize(&sender, &asked);
        if !decision.allowed {
            return Err(asked.refusal(&sender, &decision.reason));
        }
    }
    Ok(identity(wanted))
}

/// Reads the headers; `None` when there are none.
fn read(headers: &HeaderMap) -> Result<Option<Wanted>, Status> {
    let mut wanted = Wanted::default();
    let mut any = false;
    for (name, value) in headers {
        let name = name.as_str();
        if !name.starts_with(PREFIX) {
            continue;
        }
        let value = std::str::from_utf8(value.as_bytes())
            .map_err(|_| Status::bad_request(format!("the header {name} is not UTF-8")))?
            .to_owned();
        any = true;
        match name {
            "impersonate-user" if wanted.user.is_empty() => wanted.user = value,
            "impersonate-uid" if wanted.uid.is_empty() => wanted.uid = value,
            "impersonate-group" => wanted.groups.push(value),
            _ => {
                if let Some(key) = name.strip_prefix(EXTRA) {
                    wanted.extra.entry(unescaped(key)).or_default().push(value);
                }
            }
        }
    }
    let besides = !wanted.uid.is_empty() || !wanted.groups.is_empty() || !wanted.extra.is_empty();
    if wanted.user.is_empty() && besides {
        let text = "requested a group, a uid or extra values without impersonating a user";
        return Err(Status::new(500, "InternalError", text));
    }
    Ok((any && !wanted.user.is_empty()).then_some(wanted))
}

/// Keys of extra values are percent-encoded, as a header's name knows few letters.
fn unescaped(key: &str) -> String {
    let pairs = crate::sandbox::streaming::decode_pairs(&format!("{}=", key.replace('+', "%2B")));
    pairs.into_iter().next().map_or_else(|| key.to_owned(), |(name, _)| name)
}

/// Everything that must be allowed, in the order in which it is asked.
fn questions(wanted: &Wanted) -> Vec<Attributes> {
    let ask = |group: &str, resource: &str, name: &str| Attributes {
        verb: "impersonate".to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        name: name.to_owned(),
        ..Attributes::default()
    };
    let mut asked = vec![match tokens::account_of(&wanted.user) {
        Some((namespace, name)) => {
            Attributes { namespace: namespace.to_owned(), ..ask("", "serviceaccounts", name) }
        }
        None => ask("", "users", &wanted.user),
    }];
    asked.extend(wanted.groups.iter().map(|group| ask("", "groups", group)));
    for (key, values) in &wanted.extra {
        asked.extend(values.iter().map(|value| Attributes {
            subresource: key.clone(),
            ..ask(AUTHENTICATION, "userextras", value)
        }));
    }
    if !wanted.uid.is_empty() {
        asked.push(ask(AUTHENTICATION, "uids", &wanted.uid));
    }
    asked
}

/// The identity that is taken on: an account brings its groups, and everybody but the anonymous user is authenticated.
fn identity(wanted: Wanted) -> Identity {
    let Wanted { user: name, uid, mut groups, extra } = wanted;
    if groups.is_empty()
        && let Some((namespace, _)) = tokens::account_of(&name)
    {
        groups = tokens::account_groups(namespace);
    }
    let has = |group: &str| groups.iter().any(|own| own == group);
    if name == ANONYMOUS {
        if !has(UNAUTHENTICATED) {
            groups.push(UNAUTHENTICATED.to_owned());
        }
    } else if !has(AUTHENTICATED) && !has(UNAUTHENTICATED) {
        groups.push(AUTHENTICATED.to_owned());
    }
    Identity { name, uid, groups, extra }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, http::HeaderValue::from_static(value));
        }
        headers
    }

    fn taken(pairs: &[(&'static str, &'static str)]) -> Identity {
        identity(read(&headers(pairs)).unwrap().unwrap())
    }

    #[test]
    fn everybody_but_the_anonymous_user_is_authenticated() {
        assert_eq!(taken(&[("impersonate-user", "ann")]).groups, [AUTHENTICATED]);
        let grouped = taken(&[("impersonate-user", "ann"), ("impersonate-group", "a")]);
        assert_eq!(grouped.groups, ["a", AUTHENTICATED]);
        assert_eq!(taken(&[("impersonate-user", ANONYMOUS)]).groups, [UNAUTHENTICATED]);
        let account = taken(&[("impersonate-user", "system:serviceaccount:n:a")]);
        assert_eq!(account.groups, ["system:serviceaccounts", "system:serviceaccounts:n", AUTHENTICATED]);
    }

    #[test]
    fn every_header_is_a_question() {
        let wanted = read(&headers(&[
            ("impersonate-user", "system:serviceaccount:n:a"),
            ("impersonate-group", "g"),
            ("impersonate-uid", "1"),
            ("impersonate-extra-acme.com%2fteam", "red"),
        ]));
        let asked: Vec<String> = questions(&wanted.unwrap().unwrap())
            .into_iter()
            .map(|a| format!("{}|{}/{}|{}|{}", a.group, a.resource, a.subresource, a.namespace, a.name))
            .collect();
        assert_eq!(
            asked,
            [
                "|serviceaccounts/|n|a",
                "|groups/||g",
                "authentication.k8s.io|userextras/acme.com/team||red",
                "authentication.k8s.io|uids/||1",
            ]
        );
    }

    #[test]
    fn a_group_needs_a_user() {
        assert_eq!(read(&headers(&[("impersonate-group", "g")])).unwrap_err().code, 500);
        assert_eq!(read(&headers(&[("accept", "g")])).unwrap(), None);
        assert_eq!(read(&headers(&[("impersonate-user", "")])).unwrap(), None);
    }
}
