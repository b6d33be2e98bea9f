//! `styrmin replay FILE`: steps a recording and prints its frames.

use std::io::Write;

use super::arguments::Replay;
use crate::app;
use crate::domain::Problem;

/// Prints every frame of the recording, or the last one.
///
/// # Errors
/// When the recording cannot be read, or standard output is closed.
pub fn run(arguments: &Replay) -> Result<(), Problem> {
    let frames = app::replay(&arguments.file)?;
    let skip = if arguments.last { frames.len().saturating_sub(1) } else { 0 };
    let mut out = std::io::stdout().lock();
    for frame in &frames[skip..] {
        writeln!(out, "── event {} · {} · {}\n{}", frame.number, frame.at, frame.event, frame.text).map_err(
            |error| {
                Problem::new(
                    "The frames cannot be printed",
                    error.to_string(),
                    "give replay an open standard output",
                )
            },
        )?;
    }
    Ok(())
}
