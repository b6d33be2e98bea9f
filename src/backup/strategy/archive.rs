//! Tar archives as they pass: their entries are named, chosen, and kept inside. The bytes of an entry that passes are not touched.
//!
//! Read are ustar, pax (also GNU's sparse files in it) and GNU's own format: what the tools in containers write.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use bytes::{Bytes, BytesMut};

const BLOCK: usize = 512;
/// The most that the long names and attributes of one entry may take, in bytes.
const EXTENSIONS: usize = 1024 * 1024;

/// Which entries pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// Only this path and what is below it.
    pub(super) path: Option<Vec<u8>>,
    /// Not the entry of the root itself: whoever extracts it may not own that directory.
    pub(super) without_root: bool,
}

/// Walks through an archive.
pub(super) struct Walk {
    choice: Choice,
    state: State,
    open: BytesMut,
    /// The blocks before an entry's own header.
    ahead: Vec<u8>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    links: HashSet<u64>,
    hasher: RandomState,
    /// Entries that passed.
    pub(super) passed: u64,
    /// The last of them.
    pub(super) last: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A header comes.
    Header,
    /// The data of an extension, with its padding, and which one it is.
    Extension { kind: u8, size: u64 },
    /// More of the map of a sparse file in GNU's format, and how many bytes of data follow it.
    Map { pass: bool, data: u64 },
    /// Data with its padding.
    Data { pass: bool, left: u64 },
    /// Only zeros come.
    End,
}

impl Walk {
    pub(super) fn new(choice: Choice) -> Self {
        Self {
            choice,
            state: State::Header,
            open: BytesMut::new(),
            ahead: Vec::new(),
            name: None,
            link: None,
            size: None,
            links: HashSet::new(),
            hasher: RandomState::new(),
            passed: 0,
            last: Vec::new(),
        }
    }

    /// Takes the next bytes, and gives those that pass.
    ///
    /// # Errors
    /// When it is no archive, or an entry would get out of it.
    pub(super) fn take(&mut self, bytes: &Bytes, out: &mut Vec<Bytes>) -> Result<(), String> {
        let mut rest = bytes.clone();
        loop {
            if let State::Data { pass, left } = self.state {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                let part = rest.split_to(count);
                if pass && !part.is_empty() {
                    out.push(part);
                }
                let left = left - count as u64;
                self.state = if left == 0 { State::Header } else { State::Data { pass, left } };
                if left > 0 {
                    return Ok(());
                }
            }
            let wanted = match self.state {
                State::Extension { size, .. } => usize::try_from(padded(size)).unwrap_or(usize::MAX),
                _ => BLOCK,
            };
            let count = wanted.saturating_sub(self.open.len()).min(rest.len());
            self.open.extend_from_slice(&rest.split_to(count));
            if self.open.len() < wanted {
                return Ok(());
            }
            let block = self.open.split().freeze();
            self.block(&block, out)?;
        }
    }

    /// Whether it ended as archives do.
    pub(super) fn is_whole(&self) -> bool {
        self.state == State::End && self.open.is_empty()
    }

    fn block(&mut self, block: &Bytes, out: &mut Vec<Bytes>) -> Result<(), String> {
        match self.state {
            State::End if block.iter().any(|byte| *byte != 0) => {
                Err("something comes after the end of the archive".to_owned())
            }
            State::End => {
                out.push(block.clone());
                Ok(())
            }
            State::Extension { kind, size } => {
                let content = &block[..usize::try_from(size).unwrap_or(0).min(block.len())];
                self.extend(kind, content);
                self.ahead.extend_from_slice(block);
                self.state = State::Header;
                Ok(())
            }
            State::Map { pass, data } => {
                if pass {
                    out.push(block.clone());
                }
                self.state = if block[504] == 0 { data_of(pass, data) } else { State::Map { pass, data } };
                Ok(())
            }
            State::Header | State::Data { .. } => self.header(block, out),
        }
    }

    fn header(&mut self, block: &Bytes, out: &mut Vec<Bytes>) -> Result<(), String> {
        if block.iter().all(|byte| *byte == 0) {
            self.state = State::End;
            out.push(block.clone());
            return Ok(());
        }
        let sum = octal(&block[148..156]);
        let real: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
            .sum();
        if sum != Some(real) {
            return Err("it is no tar archive, or a part of it is damaged".to_owned());
        }
        let size = number(&block[124..136]).ok_or("an entry of the archive has no size")?;
        let kind = block[156];
        if matches!(kind, b'x' | b'g' | b'L' | b'K') {
            if size > EXTENSIONS as u64 || self.ahead.len() > EXTENSIONS {
                return Err("an entry of the archive has too long a name, or too many attributes".to_owned());
            }
            self.ahead.extend_from_slice(block);
            self.state = if size == 0 { State::Header } else { State::Extension { kind, size } };
            return Ok(());
        }
        let ahead = std::mem::take(&mut self.ahead);
        let name = self.name.take().unwrap_or_else(|| name_of(block));
        let link = self.link.take().unwrap_or_else(|| until_zero(&block[157..257]).to_vec());
        let size = match (kind, self.size.take()) {
            // links, devices, directories and pipes have no data, whatever they say
            (b'1'..=b'6', _) => 0,
            (_, given) => given.unwrap_or(size),
        };
        let path = self.check(&name, kind, &link)?;
        let pass = self.passes(&path);
        if pass {
            if kind == b'1' {
                self.check_target(&path, &link)?;
            }
            if !ahead.is_empty() {
                out.push(ahead.into());
            }
            out.push(block.clone());
            self.passed += 1;
            self.last = path;
        }
        self.state = match kind {
            b'S' if block[482] != 0 => State::Map { pass, data: padded(size) },
            _ => data_of(pass, padded(size)),
        };
        Ok(())
    }

    /// What an extension says of the entry that follows.
    fn extend(&mut self, kind: u8, content: &[u8]) {
        match kind {
            b'L' => self.name = Some(until_zero(content).to_vec()),
            b'K' => self.link = Some(until_zero(content).to_vec()),
            b'x' => {
                let records = records(content);
                let find =
                    |key: &[u8]| records.iter().rev().find(|(name, _)| *name == key).map(|(_, value)| *value);
                if let Some(name) = find(b"GNU.sparse.name").or_else(|| find(b"path")) {
                    self.name = Some(name.to_vec());
                }
                if let Some(link) = find(b"linkpath") {
                    self.link = Some(link.to_vec());
                }
                if let Some(size) = find(b"size") {
                    self.size = std::str::from_utf8(size).ok().and_then(|size| size.parse().ok());
                }
            }
            _ => {}
        }
    }

    /// The path of an entry, relative to the root, unless it would get out of it.
    fn check(&mut self, name: &[u8], kind: u8, link: &[u8]) -> Result<Vec<u8>, String> {
        let path = inside(name).ok_or_else(|| format!("{} leads out of the archive", shown(name)))?;
        self.check_parents(&path)?;
        if kind == b'1' {
            let target = inside(link).ok_or_else(|| {
                format!("{} is a link to {}, outside of the archive", shown(name), shown(link))
            })?;
            self.check_parents(&target)?;
        }
        if kind == b'2' {
            self.links.insert(self.hasher.hash_one(&path));
        }
        Ok(path)
    }

    /// No part of a path before its last may be a symbolic link of this archive.
    fn check_parents(&self, path: &[u8]) -> Result<(), String> {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for end in ends {
            if !self.links.is_empty() && self.links.contains(&self.hasher.hash_one(path[..end].to_vec())) {
                return Err(format!("{} goes through a symbolic link of the archive", shown(path)));
            }
        }
        Ok(())
    }

    fn passes(&self, path: &[u8]) -> bool {
        match &self.choice.path {
            Some(chosen) => is_below(path, chosen),
            None => !(path.is_empty() && self.choice.without_root),
        }
    }

    /// The data of a hard link stands where it points to: that has to pass as well.
    fn check_target(&self, path: &[u8], link: &[u8]) -> Result<(), String> {
        let target = inside(link).unwrap_or_default();
        if self.passes(&target) {
            return Ok(());
        }
        let (path, target) = (shown(path), shown(&target));
        Err(format!(
            "{path} is another name of {target}, which is not restored with it: choose a path that has both"
        ))
    }
}

fn data_of(pass: bool, left: u64) -> State {
    if left == 0 { State::Header } else { State::Data { pass, left } }
}

fn padded(size: u64) -> u64 {
    size.div_ceil(BLOCK as u64) * BLOCK as u64
}

fn is_below(path: &[u8], chosen: &[u8]) -> bool {
    path.strip_prefix(chosen).is_some_and(|rest| rest.is_empty() || chosen.is_empty() || rest[0] == b'/')
}

/// A name as a path relative to the root; none when it leaves it.
pub(super) fn inside(name: &[u8]) -> Option<Vec<u8>> {
    if name.first() == Some(&b'/') || name.contains(&0) {
        return None;
    }
    let parts: Vec<&[u8]> =
        name.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    if parts.iter().any(|part| *part == b"..") { None } else { Some(parts.join(&b'/')) }
}

/// A name for people.
pub(super) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().take(200).collect()
}

fn until_zero(field: &[u8]) -> &[u8] {
    &field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())]
}

fn name_of(block: &[u8]) -> Vec<u8> {
    let (name, prefix) = (until_zero(&block[..100]), until_zero(&block[345..500]));
    let is_ustar = &block[257..263] == b"ustar\0";
    if is_ustar && !prefix.is_empty() { [prefix, b"/", name].concat() } else { name.to_vec() }
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(until_zero(field)).ok()?.trim();
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

/// A number in octal, or, where it is too large for that, in base 256.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 == 0 {
        return octal(field);
    }
    let mut bytes = field[1..].iter();
    bytes
        .try_fold(u64::from(field[0] & 0x7f), |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)))
}

/// The records of a pax header: `LENGTH NAME=VALUE\n`.
fn records(content: &[u8]) -> Vec<(&[u8], &[u8])> {
    let (mut found, mut rest) = (Vec::new(), content);
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let length = std::str::from_utf8(&rest[..space]).ok().and_then(|text| text.parse::<usize>().ok());
        let Some(record) = length.filter(|length| *length > space + 1).and_then(|length| rest.get(..length))
        else {
            break;
        };
        let text = &record[space + 1..record.len() - 1];
        if let Some(equal) = text.iter().position(|byte| *byte == b'=') {
            found.push((&text[..equal], &text[equal + 1..]));
        }
        rest = &rest[record.len()..];
    }
    found
}

#[cfg(test)]
mod tests;
