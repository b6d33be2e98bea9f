//! What Starlark says went wrong, as a failure with its place.

use starlark::codemap::FileSpan;
use starlark::{Error, ErrorKind};

use crate::domain::suggest;
use crate::hooks::call::Refusal;
use crate::hooks::end::{Failure, Frame, Place};
use crate::hooks::signature::SIGNATURES;

/// The longest message and source line that is handed on.
const LONGEST: usize = 4000;

#[derive(Debug, thiserror::Error)]
#[error("{}", .0.what)]
struct Told(Refusal);

/// An error of ours, to be thrown in a function.
pub fn error(what: impl Into<String>, why: impl Into<String>) -> Error {
    Error::new_native(Told(Refusal::new(what, why)))
}

/// A place.
pub fn place(span: &FileSpan) -> Place {
    let begin = span.resolve_span().begin;
    Place {
        file: span.filename().to_owned(),
        line: from_one(begin.line),
        column: Some(from_one(begin.column)),
    }
}

fn from_one(number: usize) -> u32 {
    u32::try_from(number + 1).unwrap_or(u32::MAX)
}

/// The failure that an error is.
pub fn failure(error: &Error) -> Failure {
    let (what, why) = words(error);
    let span = error.span();
    Failure {
        what: shortened(&what),
        why: shortened(&why),
        place: span.map(|span| Box::new(place(span))),
        source: span.map(|span| shortened(span.file.source_line_at_pos(span.span.begin()))),
        stack: stack(error),
    }
}

fn words(error: &Error) -> (String, String) {
    let text = error.without_diagnostic().to_string();
    let plain = |what: &str, why: &str| (what.to_owned(), why.to_owned());
    if let ErrorKind::Native(cause) = error.kind()
        && let Some(Told(told)) = cause.downcast_ref::<Told>()
    {
        return (told.what.clone(), told.why.clone());
    }
    if text.contains("serde::serialize") {
        return plain("this value cannot be written as JSON", "it is, or has in it, a function or a secret");
    }
    if let Some(name) = text.strip_prefix("Variable `").and_then(|rest| rest.strip_suffix("` not found")) {
        let near = suggest::nearest(name, SIGNATURES.iter().map(|signature| signature.name));
        return (text.clone(), near.map_or(String::new(), |near| format!("did you mean '{near}'?")));
    }
    match error.kind() {
        // Starlark puts a blank before each word.
        ErrorKind::Fail(cause) => plain(cause.to_string().trim(), ""),
        ErrorKind::StackOverflow(_) => {
            plain("it ran out of stack", "functions that call each other without an end")
        }
        _ => (text, String::new()),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Each function with where it was: Starlark notes where each was called from.
fn stack(error: &Error) -> Vec<Frame> {
    let frames = &error.call_stack().frames;
    let locations = frames.iter().skip(1).map(|frame| frame.location.as_ref());
    let last = error.span();
    let places = locations.chain(std::iter::once(last));
    let found = frames.iter().zip(places).enumerate().filter_map(|(index, (frame, span))| {
        // What was called last and has no text of its own is what the place shows.
        let is_native = index + 1 == frames.len() && index > 0 && frame.location.as_ref() == last;
        let place = span.filter(|_| !is_native).map(place)?;
        Some(Frame { function: frame.name.clone(), file: place.file, line: place.line })
    });
    found.collect()
}
