//! A YAML document as a tree whose aliases are not followed yet.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::read::{Unreadable, YamlError};
use crate::driver::chart::format::DEPTH;

/// A node and where it begins.
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) kind: Kind,
}

/// What a node is; others are named by their place in [`Document::nodes`].
pub(super) enum Kind {
    Scalar(Text),
    List(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
    /// The node that the anchor is on.
    Alias(usize),
}

/// A scalar.
pub(super) struct Text {
    pub(super) text: Rc<str>,
    /// Whether it stands without quotes and is no block.
    pub(super) plain: bool,
    /// The tag without `tag:yaml.org,2002:`, or another tag as it is.
    pub(super) tag: Option<String>,
}

/// A document: the first node is its root.
pub(super) struct Document {
    pub(super) nodes: Vec<Node>,
}

/// The documents of a text, one after another.
pub(super) struct Documents<'t> {
    parser: Parser<'t, StrInput<'t>>,
}

impl<'t> Documents<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut options = granit_parser::options! {
            bom_inside_document_as_content: true,
            block_scalar_eof_without_line_feed: true,
            flow_nesting_limit: DEPTH,
            block_nesting_limit: DEPTH,
        };
        options.set_emit_comments(false);
        Self { parser: Parser::new_from_str_with_options(text, options) }
    }

    /// The next document; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Document>, Unreadable> {
        let mut builder = Builder::default();
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| problem(&error))?;
            match event {
                Event::DocumentEnd => return Ok(Some(Document { nodes: builder.nodes })),
                Event::StreamEnd => return Ok(None),
                event => builder.add(event, &span)?,
            }
        }
        Ok(None)
    }
}

fn problem(error: &ScanError) -> Unreadable {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    let unseparated = matches!(error.kind(), ErrorKind::CommentNotSeparated);
    Unreadable {
        comment_at: error.marker().byte_offset().filter(|_| unseparated),
        error: YamlError { line, column, message: error.info() },
    }
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    anchors: HashMap<usize, usize>,
    /// The lists and mappings that are open.
    open: Vec<Open>,
}

/// A list or mapping under way, and the key that waits for its value.
struct Open {
    node: usize,
    key: Option<usize>,
}

impl Builder {
    fn add(&mut self, event: Event<'_>, span: &Span) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text = Text {
                    text: Rc::from(text.as_ref()),
                    plain: style == ScalarStyle::Plain,
                    tag: tag.map(|tag| tag_name(&tag)),
                };
                self.place(Kind::Scalar(text), anchor, span);
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Kind::List(Vec::new()), anchor, span),
            Event::MappingStart(_, anchor, _) => self.begin(Kind::Mapping(Vec::new()), anchor, span),
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
            }
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).copied() else {
                    let message = "unknown anchor referenced".to_owned();
                    return Err(YamlError { line: span.start.line(), column: span.start.col() + 1, message });
                };
                self.place(Kind::Alias(target), 0, span);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, kind: Kind, anchor: usize, span: &Span) {
        let node = self.place(kind, anchor, span);
        self.open.push(Open { node, key: None });
    }

    /// Adds a node to the list or mapping that is open.
    fn place(&mut self, kind: Kind, anchor: usize, span: &Span) -> usize {
        let index = self.nodes.len();
        self.nodes.push(Node { line: span.start.line(), column: span.start.col() + 1, kind });
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
        if let Some(open) = self.open.last_mut() {
            match self.nodes.get_mut(open.node).map(|node| &mut node.kind) {
                Some(Kind::List(items)) => items.push(index),
                Some(Kind::Mapping(entries)) => match open.key.take() {
                    Some(key) => entries.push((key, index)),
                    None => open.key = Some(index),
                },
                _ => {}
            }
        }
        index
    }
}

fn tag_name(tag: &Tag) -> String {
    let full = format!("{}{}", tag.handle(), tag.suffix());
    full.strip_prefix("tag:yaml.org,2002:").map(str::to_owned).unwrap_or(full)
}
