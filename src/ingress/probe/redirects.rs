//! Where answers lead, and when that has no end.

use url::Url;

use super::head::Head;
use super::{Failure, Phase};
use crate::domain::route::Hop;
use crate::domain::text;

/// The most redirects that are followed.
const HOPS_MAX: usize = 10;
/// The longest place that is shown, in characters.
const SHOWN_MAX: usize = 300;

/// The way of a request from answer to answer.
#[derive(Debug)]
pub(super) struct Trail {
    /// The URLs that were asked, in order; whether each answer set cookies.
    been: Vec<(Url, bool)>,
    hops: Vec<Hop>,
}

impl Trail {
    pub(super) fn new(first: Url) -> Self {
        Self { been: vec![(bare(first), false)], hops: Vec::new() }
    }

    /// Where an answer leads; none: it is the last one.
    pub(super) fn step(&mut self, head: &Head) -> Result<Option<Url>, Failure> {
        let (Some(location), 301..=303 | 307 | 308) = (&head.location, head.code) else { return Ok(None) };
        let Some((here, cookies)) = self.been.last_mut() else { return Ok(None) };
        *cookies = head.cookies;
        let next = here.join(location).map_err(|error| {
            let location: String = text::plain(location).chars().take(SHOWN_MAX).collect();
            Failure::new(Phase::Http, format!("it redirects to '{location}', which is no URL: {error}"))
        })?;
        let next = bare(next);
        self.hops.push(Hop { code: head.code, location: shown(&next) });
        if !matches!(next.scheme(), "http" | "https") {
            // an app of a phone, perhaps: whoever follows it leaves what can be asked
            return Ok(None);
        }
        if let Some(met) = self.been.iter().position(|(url, _)| *url == next) {
            return Err(self.circle(met, &next));
        }
        if self.hops.len() > HOPS_MAX {
            let why = format!("more than {HOPS_MAX} redirects, the last one to {}", shown(&next));
            return Err(Failure::new(Phase::Http, why));
        }
        self.been.push((next.clone(), false));
        Ok(Some(next))
    }

    fn circle(&self, met: usize, next: &Url) -> Failure {
        let round = &self.been[met..];
        let places: Vec<String> = round.iter().map(|(url, _)| url).chain([next]).map(shown).collect();
        let cookies = if round.iter().any(|(_, cookies)| *cookies) {
            " (a browser would bring back the cookies that are set on the way)"
        } else {
            ""
        };
        Failure::new(Phase::Http, format!("redirects in a circle: {}{cookies}", places.join(" → ")))
    }

    pub(super) fn into_hops(self) -> Vec<Hop> {
        self.hops
    }
}

/// The fragment is never sent.
fn bare(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

/// A place that a server sent somebody to, as it is shown and kept: without its query and its login, since such carry tokens and codes.
pub(super) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    if url.query().is_some() {
        shown.set_query(Some("…"));
    }
    // places without a host have no login
    let _ = shown.set_username("").and_then(|()| shown.set_password(None));
    let text = text::plain(shown.as_str()).replace("?%E2%80%A6", "?…");
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn head(code: u16, location: &str) -> Head {
        Head { code, location: Some(location.to_owned()), cookies: false }
    }

    #[test]
    fn places_are_meant_from_where_one_is() {
        let mut trail = Trail::new(url("http://a.org/x/y?q#f"));
        assert_eq!(trail.step(&head(302, "z")).unwrap(), Some(url("http://a.org/x/z")));
        assert_eq!(trail.step(&head(308, "//b.org")).unwrap(), Some(url("http://b.org/")));
        assert_eq!(trail.step(&head(301, "https://b.org/#part")).unwrap(), Some(url("https://b.org/")));
        assert_eq!(trail.step(&head(200, "/ignored")).unwrap(), None);
        assert_eq!(trail.step(&head(304, "/ignored")).unwrap(), None);
        assert_eq!(trail.step(&Head { code: 302, location: None, cookies: false }).unwrap(), None);
        let places: Vec<String> = trail.into_hops().into_iter().map(|hop| hop.location).collect();
        assert_eq!(places, ["http://a.org/x/z", "http://b.org/", "https://b.org/"]);
    }

    #[test]
    fn queries_and_logins_are_not_kept() {
        let mut trail = Trail::new(url("http://a.org/"));
        let next = trail.step(&head(302, "https://me:pw@id.org/auth?code=s3cret&x#y")).unwrap().unwrap();
        assert_eq!(next.query(), Some("code=s3cret&x"), "it is asked whole");
        assert_eq!(trail.into_hops(), [Hop { code: 302, location: "https://id.org/auth?…".to_owned() }]);
        let long = shown(&url(&format!("http://a.org/{}", "x".repeat(1_000))));
        assert_eq!(long.chars().count(), SHOWN_MAX + 1);
    }

    #[test]
    fn circles_are_told_with_the_round_only() {
        let mut trail = Trail::new(url("http://a.org/"));
        trail.step(&head(302, "/b")).unwrap();
        trail.step(&Head { cookies: true, ..head(302, "/c?x") }).unwrap();
        let failure = trail.step(&head(302, "/b#again")).unwrap_err();
        assert_eq!(
            failure.message,
            "redirects in a circle: http://a.org/b → http://a.org/c?… → http://a.org/b (a browser would bring back the cookies \
             that are set on the way)"
        );
        assert_eq!(failure.phase, Phase::Http);
    }

    #[test]
    fn ten_are_followed_and_no_more() {
        let mut trail = Trail::new(url("http://a.org/0"));
        for hop in 1..=10 {
            assert!(trail.step(&head(302, &format!("/{hop}"))).unwrap().is_some(), "{hop}");
        }
        let failure = trail.step(&head(302, "/11")).unwrap_err();
        assert_eq!(failure.message, "more than 10 redirects, the last one to http://a.org/11");
    }

    #[test]
    fn what_is_not_the_web_is_the_end() {
        let mut trail = Trail::new(url("http://a.org/"));
        assert_eq!(trail.step(&head(302, "notes://open")).unwrap(), None);
        let failure = Trail::new(url("http://a.org/")).step(&head(302, "http://[")).unwrap_err();
        assert!(
            failure.message.starts_with("it redirects to 'http://[', which is no URL: "),
            "{}",
            failure.message
        );
    }
}
