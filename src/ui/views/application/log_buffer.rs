//! The lines of a log that are kept, numbered from the first one that ever came.

use std::collections::VecDeque;

use super::log_line::LogLine;

/// How many lines are kept.
pub const MOST: usize = 10_000;

/// The lines of a log that are kept. A line's number never changes, though lines before it go.
#[derive(Debug, Default)]
pub struct LogBuffer {
    lines: VecDeque<LogLine>,
    first: usize,
}

impl LogBuffer {
    /// Adds a line; the oldest makes room.
    pub fn push(&mut self, line: LogLine) {
        if self.lines.len() == MOST {
            self.lines.pop_front();
            self.first += 1;
        }
        self.lines.push_back(line);
    }

    /// The number of the oldest line that is kept.
    pub fn first(&self) -> usize {
        self.first
    }

    /// The number after the newest line's.
    pub fn end(&self) -> usize {
        self.first + self.lines.len()
    }

    /// How many lines are kept.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line of that number.
    pub fn get(&self, number: usize) -> Option<&LogLine> {
        self.lines.get(number.checked_sub(self.first)?)
    }

    /// The number of the first line from `start` on (or, `backwards`, before it) that contains `text`, whatever its case;
    /// the search goes round at the ends.
    pub fn find(&self, text: &str, start: usize, backwards: bool) -> Option<usize> {
        let text = text.to_lowercase();
        let (first, end) = (self.first, self.end());
        let start = start.clamp(first, end);
        let contains =
            |number: &usize| self.get(*number).is_some_and(|line| line.text.to_lowercase().contains(&text));
        if backwards {
            (first..start).rev().chain((start..end).rev()).find(contains)
        } else {
            (start..end).chain(first..start).find(contains)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_lines_make_room_and_numbers_stay() {
        let mut buffer = LogBuffer::default();
        for number in 0..MOST + 5 {
            buffer.push(LogLine::new(&format!("line {number}")));
        }
        assert_eq!((buffer.len(), buffer.first(), buffer.end()), (MOST, 5, MOST + 5));
        assert_eq!(buffer.get(7).unwrap().text, "line 7");
        assert!(buffer.get(4).is_none());
    }

    #[test]
    fn searches_go_round() {
        let mut buffer = LogBuffer::default();
        ["Alpha", "beta", "ALPHA", "gamma"].iter().for_each(|text| buffer.push(LogLine::new(text)));
        assert_eq!(buffer.find("alpha", 0, false), Some(0));
        assert_eq!(buffer.find("alpha", 1, false), Some(2));
        assert_eq!(buffer.find("alpha", 3, false), Some(0));
        assert_eq!(buffer.find("alpha", 0, true), Some(2));
        assert_eq!(buffer.find("alpha", 2, true), Some(0));
        assert_eq!(buffer.find("delta", 0, false), None);
    }
}
