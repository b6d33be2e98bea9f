//! Blocks of base64 between lines that name what they are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::encodings::decode_base64;

/// A block.
pub struct Block {
    /// `CERTIFICATE`, `RSA PRIVATE KEY`.
    pub label: String,
    pub contents: Vec<u8>,
}

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// The first block in a text.
pub fn decode(text: &str) -> Option<Block> {
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        let begins_line = at == 0 || rest[..at].ends_with('\n');
        rest = &rest[at + BEGIN.len()..];
        if begins_line && let Some(block) = block(rest) {
            return Some(block);
        }
    }
    None
}

/// The block whose label begins the text.
fn block(text: &str) -> Option<Block> {
    let (label, body) = text.split_once(DASHES)?;
    let (body, _) = body.split_once(&format!("-----END {label}{DASHES}"))?;
    // Headers, and the empty line behind them, do not belong to the base64.
    let lines = body.lines().map(str::trim).filter(|line| !line.contains(':'));
    let contents = decode_base64(lines.collect::<String>().as_bytes()).ok()?;
    Some(Block { label: label.to_owned(), contents })
}

/// The block as a text that ends with a line break.
pub fn encode(label: &str, contents: &[u8]) -> String {
    let mut out = format!("{BEGIN}{label}{DASHES}\n");
    let encoded = STANDARD.encode(contents);
    let mut rest = &*encoded;
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(64));
        out += line;
        out.push('\n');
        rest = behind;
    }
    out + &format!("-----END {label}{DASHES}\n")
}
