//! `~/.netrc`: words in pairs, by machine.

use super::super::quoted::unquote;
use super::Login;

/// The login for a host that has a `machine`. The one of `default` is for servers that a person names: here, drivers name them.
pub(super) fn find(text: &str, host: &str) -> Option<Login> {
    let mut words = words(text).into_iter();
    let (mut here, mut login) = (false, Login { user: String::new(), password: String::new() });
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" | "default" if here => break,
            "machine" => here = words.next()?.eq_ignore_ascii_case(host),
            "login" if here => login.user = words.next()?,
            "password" if here => login.password = words.next()?,
            "login" | "password" | "account" => drop(words.next()),
            _ => {}
        }
    }
    (here && !login.user.is_empty()).then_some(login)
}

/// Words, some in quotes; comments and the bodies of macros (up to an empty line) are left out.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut macro_body = false;
    for line in text.lines() {
        if macro_body {
            macro_body = !line.trim().is_empty();
            continue;
        }
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, after) = match rest.strip_prefix('"') {
                Some(quoted) => unquote(quoted),
                None => {
                    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                    (rest[..end].to_owned(), &rest[end..])
                }
            };
            if word == "macdef" {
                macro_body = true;
                break;
            }
            words.push(word);
            rest = after.trim_start();
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, host: &str) -> Option<(String, String)> {
        find(text, host).map(|login| (login.user, login.password))
    }

    #[test]
    fn a_machine_is_found_in_any_layout() {
        let text = "# mine\nmachine a.org login anna password \"p w\\\"#1\"\nmacdef init\nmachine b.org login no\n\nmachine b.org\n  login bo\n  account x\n  password pw#2\n\ndefault login guest password any\n";
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(found(text, "a.org"), pair("anna", "p w\"#1"));
        assert_eq!(found(text, "B.org"), pair("bo", "pw#2"));
        assert_eq!(found(text, "c.org"), None, "drivers name hosts, and default would be for any of them");
        assert_eq!(found("machine a.org login x password y", "c.org"), None);
        assert_eq!(found("machine a.org password y", "a.org"), None);
        assert_eq!(found("machine", "a.org"), None);
        assert_eq!(found("machine a.org login \"open", "a.org"), pair("open", ""));
    }
}
