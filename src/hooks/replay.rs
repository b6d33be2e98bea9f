//! A call beside what was called the time before at the same position.

use serde_json::{Map, Value};

use super::journal::{CallNote, CallRecord, Outcome};
use crate::domain::Problem;

/// The most letters of an argument in a message.
const SHOWN: usize = 60;

/// What is to be done with a call.
#[derive(Debug, PartialEq)]
pub enum Move {
    /// Perform it; it has never been begun, or it is known that nothing came of it.
    Perform,
    /// Perform it, or find out: it was begun, and nobody knows what came of it.
    Doubt,
    /// It was answered.
    Replay(Outcome),
    /// The function called something else.
    Diverged(Problem),
}

/// Decides by what the journal has.
pub fn decide(recorded: Option<CallRecord>, note: &CallNote) -> Move {
    let Some(record) = recorded else { return Move::Perform };
    if record.note.name != note.name || record.note.digest != note.digest {
        return Move::Diverged(diverged(&format!("it called {}", whole(note)), &record.note));
    }
    match record.outcome {
        None => Move::Doubt,
        Some(Outcome::Undone(_)) => Move::Perform,
        Some(outcome) => Move::Replay(outcome),
    }
}

/// What is said when a function does not do what it had done.
pub fn diverged(now: &str, before: &CallNote) -> Problem {
    Problem::new(
        "The action does something else than the time before",
        format!("{now} where it had called {}", whole(before)),
        "Look at what it had done until there, and run it anew from its beginning; an action must not be changed while a run of it \
         is under way",
    )
}

fn whole(note: &CallNote) -> String {
    let place = note.place.as_ref().map_or(String::new(), |place| format!(" ({place})"));
    format!("{note}{place}")
}

/// A call as it is written in a program, shortened.
pub fn written(name: &str, arguments: &Map<String, Value>) -> String {
    let arguments: Vec<String> =
        arguments.iter().map(|(key, value)| format!("{key}={}", short(value))).collect();
    format!("{name}({})", arguments.join(", "))
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Object(map) if map.contains_key(super::protocol::SECRET) => "(secret)".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::end::Place;
    use super::*;

    fn note(arguments: Value, line: u32) -> CallNote {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        CallNote::new("scale".into(), arguments, Some(Place { file: "a.star".into(), line, column: None }))
    }

    #[test]
    fn a_call_is_compared_by_name_and_arguments_not_by_place() {
        let before = note(json!({"component": "web", "replicas": 2}), 3);
        let record = |outcome| Some(CallRecord { note: before.clone(), outcome });
        let moved = note(json!({"replicas": 2, "component": "web"}), 9);
        assert_eq!(decide(None, &moved), Move::Perform);
        assert_eq!(decide(record(None), &moved), Move::Doubt);
        let answered = Outcome::Answered(json!(1));
        assert_eq!(decide(record(Some(answered.clone())), &moved), Move::Replay(answered));
        let undone = Outcome::Undone(Problem::new("", "", ""));
        assert_eq!(decide(record(Some(undone)), &moved), Move::Perform);
        let other = note(json!({"component": "web", "replicas": 3}), 4);
        let Move::Diverged(problem) = decide(record(None), &other) else { panic!("it is another call") };
        assert_eq!(
            problem.why,
            "it called scale(component=\"web\", replicas=3) (a.star:4) where it had called \
             scale(component=\"web\", replicas=2) (a.star:3)"
        );
    }
}
