//! Warnings to the client: `Warning: 299 - "…"`, one header for each.

use http::{HeaderValue, Response, header};

use crate::sandbox::body::Body;

/// The most characters of all warnings of one response, as in Kubernetes: proxies refuse larger heads.
const ALL: usize = 4 * 1024;
/// The most characters of each, when all together are too many.
const EACH: usize = 256;

/// Adds the warnings to a response, each once; too long ones are cut, and what does not fit is left out.
pub fn add(response: &mut Response<Body>, warnings: &[String]) {
    let total: usize = warnings.iter().map(|warning| warning.chars().count()).sum();
    let mut room = ALL;
    let mut seen: Vec<&String> = Vec::new();
    for warning in warnings {
        if seen.contains(&warning) {
            continue;
        }
        seen.push(warning);
        let text: String = if total > ALL { warning.chars().take(EACH).collect() } else { warning.clone() };
        let length = text.chars().count();
        if length > room {
            return;
        }
        room -= length;
        if let Ok(value) = HeaderValue::from_bytes(header_text(&text).as_bytes()) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
}

fn header_text(text: &str) -> String {
    let mut quoted = String::from("299 - \"");
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::body;

    fn sent(warnings: &[String]) -> Vec<String> {
        let mut response = Response::new(body::empty());
        add(&mut response, warnings);
        let all = response.headers().get_all(header::WARNING);
        all.iter().map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap()).collect()
    }

    #[test]
    fn each_is_quoted_and_there_once() {
        let warning = "unknown field \"spec.ä\\\n\"".to_owned();
        assert_eq!(sent(&[warning.clone(), warning]), [r#"299 - "unknown field \"spec.ä\\\"""#]);
    }

    #[test]
    fn too_many_are_cut() {
        let many: Vec<String> = (0..100).map(|number| format!("{number}{}", "x".repeat(500))).collect();
        let sent = sent(&many);
        assert_eq!((sent.len(), sent[0].len()), (16, 256 + "299 - \"\"".len()));
    }
}
