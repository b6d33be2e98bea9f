//! Lines to and from the parent.

use std::io::{BufRead, Write};

use serde::Serialize;
use serde_json::Value;

use crate::hooks::call::Refusal;
use crate::hooks::protocol::{Asked, FromChild, LINE_MAX, ToChild};

/// The standard streams.
#[derive(Debug, Default)]
pub struct Channel;

impl Channel {
    /// The next line; none when the parent has gone.
    pub fn read(&self) -> Option<String> {
        let mut line = String::new();
        match std::io::stdin().lock().read_line(&mut line) {
            Ok(read) if read > 0 => Some(line),
            _ => None,
        }
    }

    /// Writes a line; false when it is too long. Without a parent there is nothing left to do, and the process ends.
    pub fn say(&self, message: &impl Serialize) -> bool {
        let Ok(mut line) = serde_json::to_vec(message) else { return false };
        if line.len() > LINE_MAX {
            return false;
        }
        line.push(b'\n');
        let mut stdout = std::io::stdout().lock();
        if stdout.write_all(&line).and_then(|()| stdout.flush()).is_err() {
            std::process::exit(1);
        }
        true
    }

    /// Calls, and waits for the answer.
    pub fn call(&self, asked: Asked) -> Result<Value, Refusal> {
        let name = asked.name.clone();
        if !self.say(&FromChild::Call(asked)) {
            return Err(Refusal::new(
                format!("{name}: {}", crate::hooks::child::too_long("its arguments are")),
                "",
            ));
        }
        let Some(line) = self.read() else { std::process::exit(1) };
        match serde_json::from_str(&line) {
            Ok(ToChild::Answer(value)) => Ok(value),
            Ok(ToChild::Refused { what, why }) => Err(Refusal { what, why }),
            Err(error) => Err(Refusal::new(format!("{name}: the answer cannot be read"), error.to_string())),
        }
    }
}
