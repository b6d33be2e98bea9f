//! The terminal: entered on start, given back on every way out.

use std::io::{self, Stdout, Write};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::domain::Problem;

/// The person's own terminal.
pub type Screen = Terminal<CrosstermBackend<io::BufWriter<Stdout>>>;

/// Holds the terminal in raw mode on the alternate screen; gives it back when dropped; `panics` does so when one passes.
#[derive(Debug)]
pub struct TerminalGuard {
    _private: (),
}

impl TerminalGuard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When standard output is not a terminal or cannot be switched.
    pub fn enter() -> Result<(Self, Screen), Problem> {
        let refused = |error: io::Error| {
            Problem::new(
                "The terminal cannot be used",
                error.to_string(),
                "start the cockpit in an interactive terminal",
            )
        };
        enable_raw_mode().map_err(refused)?;
        let guard = Self { _private: () };
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide).map_err(refused)?;
        let screen =
            Terminal::new(CrosstermBackend::new(io::BufWriter::with_capacity(64 * 1024, io::stdout())))
                .map_err(refused)?;
        Ok((guard, screen))
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back. Harmless when it was not taken; errors are of no use to anybody here.
pub fn restore() {
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
}

/// Says a line on standard error, after the terminal was given back.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "styrmin: {line}");
}

/// What a backend must be able to do beside drawing, so that a frame appears at once (terminal mode 2026), texts reach the
/// person's clipboard (OSC 52), and URLs can be opened (OSC 8).
pub trait Surface {
    /// Before the first cell of a frame.
    fn begin_frame(&mut self) {}
    /// After the last one.
    fn end_frame(&mut self) {}
    /// Puts a text on the clipboard of the terminal that the person sits at.
    fn copy(&mut self, _text: &str) {}
    /// What is drawn from now on leads to this URL; none: nowhere.
    fn link(&mut self, _url: Option<&str>) {}
}

impl<W: Write> Surface for CrosstermBackend<W> {
    fn begin_frame(&mut self) {
        let _ = queue!(self, BeginSynchronizedUpdate);
    }

    fn end_frame(&mut self) {
        let _ = execute!(self, EndSynchronizedUpdate);
    }

    fn copy(&mut self, text: &str) {
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let _ = write!(self, "\x1b]52;c;{encoded}\x07");
        let _ = Write::flush(self);
    }

    fn link(&mut self, url: Option<&str>) {
        // an `id` would join what stands apart; runs of one row need none
        let _ = write!(self, "\x1b]8;;{}\x1b\\", url.unwrap_or_default());
    }
}

impl Surface for ratatui::backend::TestBackend {}
