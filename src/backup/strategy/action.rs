//! The strategy `action`: a command of the driver that writes and one that reads, or files that it names; or what a function of it answers.

use std::io;

use bytes::Bytes;
use futures::Stream;
use serde::Deserialize;
use serde_json::Value;

use super::flow::exact;
use super::tool::{Feed, Tool, pull, push, warning};
use super::{Dumped, Incoming, Place, Restored, Sink, StrategyError, Work, disk};

/// What a function of a driver answers when it is asked what is to be kept, or how it comes back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The command: it writes the backup to its standard output, or reads it from its standard input.
    #[serde(default)]
    pub command: Vec<String>,
    /// The files, as absolute paths.
    #[serde(default)]
    pub files: Vec<String>,
    /// The container; none: the one that the driver names.
    #[serde(default)]
    pub container: Option<String>,
}

impl Place {
    /// The same place with what a function of the driver answered: `{"command": […]}` or `{"files": […]}`, both ways.
    ///
    /// # Errors
    /// When it is something else.
    pub fn with_answer(mut self, answer: &Value) -> Result<Self, StrategyError> {
        let wrong = |why: String| {
            StrategyError::lasting(
                format!("the function that backs {} up gives no backup", self.name),
                why,
                "let it return {\"command\": [PROGRAM, ARGUMENT]} or {\"files\": [PATH]}",
            )
        };
        let answer = Answer::deserialize(answer).map_err(|error| wrong(error.to_string()))?;
        let plain = |file: &String| file.starts_with('/') && !file.split('/').any(|part| part == "..");
        if answer.command.is_empty() == answer.files.is_empty() {
            return Err(wrong("it names neither a command nor files, or both".to_owned()));
        }
        if let Some(file) = answer.files.iter().find(|file| !plain(file)) {
            return Err(wrong(format!("'{file}' is no absolute path in the container")));
        }
        if let Some(container) = answer.container {
            self.target.container = container;
        }
        let target = &mut self.component.backup_target;
        target.restore.command.clone_from(&answer.command);
        (target.command, target.files) = (answer.command, answer.files);
        Ok(self)
    }
}

fn nothing(work: Work<'_>, what: &str) -> StrategyError {
    StrategyError::lasting(
        format!("{} cannot be {what}", work.place.name),
        "its strategy is action, and the driver names neither a command nor files for it",
        "add command and restore.command, or files, to backup in the driver",
    )
}

pub(super) async fn dump(work: Work<'_>, sink: &mut impl Sink) -> Result<Dumped, StrategyError> {
    let target = &work.place.component.backup_target;
    if !target.files.is_empty() {
        return disk::dump_files(work, sink).await;
    }
    if target.command.is_empty() {
        return Err(nothing(work, "backed up"));
    }
    let tool = Tool::program("the backup command", target.command.clone());
    let heard = pull(work, &tool, sink).await?;
    let warnings = warning(&tool, work.place, heard.complaints).into_iter().collect();
    Ok(Dumped { bytes: heard.bytes, server: String::new(), items: 0, warnings })
}

pub(super) async fn restore<S>(work: Work<'_>, incoming: Incoming<S>) -> Result<Restored, StrategyError>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
{
    let target = &work.place.component.backup_target;
    if !target.files.is_empty() {
        return disk::restore_files(work, incoming).await;
    }
    if target.restore.command.is_empty() {
        return Err(nothing(work, "restored"));
    }
    let tool = Tool::program("the restore command", target.restore.command.clone());
    let stream = exact(incoming.size, incoming.stream);
    let heard = push(work, &tool, Feed { size: Some(incoming.size), stream }).await?;
    let warnings = warning(&tool, work.place, heard.complaints).into_iter().collect();
    Ok(Restored { bytes: incoming.size, server: String::new(), warnings })
}
