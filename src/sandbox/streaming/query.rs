//! Query parameters of the streaming subresources.

use jiff::Timestamp;

use crate::sandbox::runtime::{ExecOptions, LogOptions, LogSource, Since};
use crate::sandbox::status::Status;

/// Decodes `a=1&b=x%20y+z` (a query, or a form); a pair without `=` has an empty value.
pub fn decode_pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn boolean(value: &str) -> bool {
    matches!(value, "true" | "1" | "")
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Status> {
    value.parse().map_err(|_| Status::bad_request(format!("{name}: {value:?} is not a non-negative number")))
}

/// `PodLogOptions` from a query.
pub(super) fn log_options(pairs: &[(String, String)]) -> Result<LogOptions, Status> {
    let mut options = LogOptions::default();
    for (name, value) in pairs {
        match name.as_str() {
            "container" => options.container = Some(value.clone()).filter(|name| !name.is_empty()),
            "follow" => options.follow = boolean(value),
            "previous" => options.previous = boolean(value),
            "timestamps" => options.timestamps = boolean(value),
            "tailLines" => options.tail_lines = Some(number(name, value)?),
            "limitBytes" => options.limit_bytes = Some(number(name, value)?),
            "sinceSeconds" | "sinceTime" if options.since.is_some() => {
                return Err(Status::bad_request("at most one of sinceTime or sinceSeconds may be specified"));
            }
            "sinceSeconds" => options.since = Some(Since::Seconds(number(name, value)?)),
            "sinceTime" => {
                let time: Timestamp = value.parse().map_err(|_| {
                    Status::bad_request(format!("sinceTime: {value:?} is not an RFC 3339 time"))
                })?;
                options.since = Some(Since::Time(time));
            }
            "stream" => options.source = source(value)?,
            _ => {}
        }
    }
    if options.source != LogSource::All && options.tail_lines.is_some() {
        return Err(Status::bad_request("tailLines cannot be combined with stream Stdout or Stderr"));
    }
    Ok(options)
}

fn source(value: &str) -> Result<LogSource, Status> {
    match value {
        "" | "All" => Ok(LogSource::All),
        "Stdout" => Ok(LogSource::Stdout),
        "Stderr" => Ok(LogSource::Stderr),
        other => Err(Status::bad_request(format!("stream: {other:?} is not All, Stdout or Stderr"))),
    }
}

/// `PodExecOptions` or `PodAttachOptions` from a query.
pub(super) fn exec_options(pairs: &[(String, String)]) -> Result<ExecOptions, Status> {
    let mut options = ExecOptions::default();
    for (name, value) in pairs {
        match name.as_str() {
            "container" => options.container = Some(value.clone()).filter(|name| !name.is_empty()),
            "command" => options.command.push(value.clone()),
            "stdin" => options.stdin = boolean(value),
            "stdout" => options.stdout = boolean(value),
            "stderr" => options.stderr = boolean(value),
            "tty" => options.tty = boolean(value),
            _ => {}
        }
    }
    if !(options.stdin || options.stdout || options.stderr) {
        return Err(Status::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
    }
    Ok(options)
}

/// The ports of a port-forward request, in order.
pub(super) fn ports(pairs: &[(String, String)]) -> Result<Vec<u16>, Status> {
    let mut ports = Vec::new();
    for (_, value) in pairs.iter().filter(|(name, _)| name == "ports") {
        for text in value.split(',') {
            ports.push(match text.trim().parse() {
                Ok(port) if port > 0 => port,
                _ => return Err(Status::bad_request(format!("unable to parse {text:?} as a port"))),
            });
        }
    }
    match ports.len() {
        0 => Err(Status::bad_request("query parameter \"ports\" is required")),
        1..=100 => Ok(ports),
        _ => Err(Status::bad_request("at most 100 ports can be forwarded over one connection")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let pairs = decode_pairs("command=sh&command=-c&command=echo%20%C3%A9+%2B%zz&tty");
        let values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["sh", "-c", "echo é +%zz", ""]);
    }

    #[test]
    fn log_options_are_read_and_refused() {
        let options =
            log_options(&decode_pairs("container=a&follow=true&tailLines=3&sinceSeconds=5")).unwrap();
        assert_eq!(options.container.as_deref(), Some("a"));
        assert!(options.follow && !options.previous);
        assert_eq!((options.tail_lines, options.since), (Some(3), Some(Since::Seconds(5))));
        for bad in
            ["tailLines=-1", "sinceTime=x", "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", "stream=x"]
        {
            assert_eq!(log_options(&decode_pairs(bad)).unwrap_err().code, 400, "{bad}");
        }
    }

    #[test]
    fn ports_are_read_and_refused() {
        assert_eq!(ports(&decode_pairs("ports=80,8080&ports=1")).unwrap(), [80, 8080, 1]);
        for bad in ["", "ports=0", "ports=http", "ports=70000"] {
            assert_eq!(ports(&decode_pairs(bad)).unwrap_err().code, 400, "{bad}");
        }
    }

    #[test]
    fn exec_needs_a_stream() {
        assert_eq!(exec_options(&decode_pairs("command=ls")).unwrap_err().code, 400);
        assert!(exec_options(&decode_pairs("command=ls&stdout=1")).unwrap().stdout);
    }
}
