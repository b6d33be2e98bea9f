//! `.Files`: the files of a chart that are no templates.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::archive;
use super::glob::Pattern;
use super::value::{Object, Value};
use super::yaml;

/// How many bytes of files templates may go through, each time that they do so counted.
const WORK_LIMIT: usize = 256 << 20;
/// What a pattern that was not there before costs, in bytes.
const PATTERN_COST: usize = 100_000;

/// The files that templates of a chart see, or some of them.
pub(super) struct Files {
    store: Rc<Store>,
    /// The paths of those that are seen; none for all.
    chosen: Option<Rc<BTreeSet<String>>>,
    weight: OnceCell<usize>,
}

/// The files of a chart, and what was made of them.
struct Store {
    files: Arc<archive::Files>,
    texts: RefCell<BTreeMap<String, Value>>,
    bytes: RefCell<BTreeMap<String, Value>>,
    matches: RefCell<BTreeMap<String, Rc<BTreeSet<String>>>>,
    /// What is left of the work that templates may make.
    left: Cell<usize>,
}

type Answer = Result<Value, String>;

impl Store {
    fn work(&self, cost: usize) -> Result<(), String> {
        let left = self.left.get().checked_sub(cost);
        self.left.set(left.ok_or("the templates go through the files of the chart too often")?);
        Ok(())
    }

    fn text(&self, path: &str) -> Value {
        self.made(&self.texts, path, |content| Value::string(content)).unwrap_or_else(|| Value::text(""))
    }

    fn bytes(&self, path: &str) -> Value {
        self.made(&self.bytes, path, |content| Value::Bytes(Rc::from(content)))
            .unwrap_or_else(|| Value::Bytes(Rc::default()))
    }

    /// Makes something of a file once.
    fn made(
        &self,
        known: &RefCell<BTreeMap<String, Value>>,
        path: &str,
        make: impl FnOnce(&[u8]) -> Value,
    ) -> Option<Value> {
        let content = self.files.get(path)?;
        let mut known = known.borrow_mut();
        if let Some(value) = known.get(path) {
            return Some(value.clone());
        }
        let value = make(content);
        known.insert(path.to_owned(), value.clone());
        Some(value)
    }

    fn matching(&self, pattern: &str) -> Result<Rc<BTreeSet<String>>, String> {
        let mut known = self.matches.borrow_mut();
        if let Some(paths) = known.get(pattern) {
            return Ok(Rc::clone(paths));
        }
        self.work(PATTERN_COST + self.files.keys().map(String::len).sum::<usize>())?;
        let compiled = Pattern::of_files(pattern)?;
        let paths = self.files.keys().filter(|path| compiled.matches(path)).cloned().collect();
        Ok(Rc::clone(known.entry(pattern.to_owned()).or_insert(Rc::new(paths))))
    }
}

impl Files {
    /// `.Files`.
    pub(super) fn object(files: &Arc<archive::Files>) -> Value {
        let store = Store {
            files: Arc::clone(files),
            texts: RefCell::default(),
            bytes: RefCell::default(),
            matches: RefCell::default(),
            left: Cell::new(WORK_LIMIT),
        };
        Value::Object(Rc::new(Self { store: Rc::new(store), chosen: None, weight: OnceCell::new() }))
    }

    fn sees(&self, path: &str) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(path))
    }

    fn seen(&self) -> impl Iterator<Item = (&String, &Arc<[u8]>)> {
        self.store.files.iter().filter(|(path, _)| self.sees(path))
    }

    fn glob(&self, pattern: &str) -> Answer {
        let mut paths = self.store.matching(pattern)?;
        if let Some(chosen) = &self.chosen {
            self.store.work(chosen.iter().map(String::len).sum())?;
            paths = Rc::new(chosen.intersection(&paths).cloned().collect());
        }
        Ok(Value::Object(Rc::new(Self {
            store: Rc::clone(&self.store),
            chosen: Some(paths),
            weight: OnceCell::new(),
        })))
    }

    /// The lines of a file; an empty file has none, over which Go would fall.
    fn lines(&self, path: &str) -> Answer {
        let content = self.store.files.get(path).filter(|content| self.sees(path) && !content.is_empty());
        let Some(content) = content else { return Ok(Value::list([])) };
        self.store.work(content.len())?;
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        Ok(Value::list(content.split(|byte| *byte == b'\n').map(Value::string)))
    }

    fn get(&self, path: &str) -> Value {
        if self.sees(path) { self.store.text(path) } else { Value::text("") }
    }

    fn bytes(&self, path: &str) -> Value {
        if self.sees(path) { self.store.bytes(path) } else { Value::Bytes(Rc::default()) }
    }

    /// The files by the last part of their path, as YAML.
    fn data(&self, text: impl Fn(&[u8]) -> Value) -> Answer {
        self.store.work(self.seen().map(|(path, content)| path.len() + content.len()).sum())?;
        let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let data = self.seen().map(|(path, content)| (base(path), text(content)));
        yaml::write(&Value::dict(data)).map(Value::text)
    }

    fn with_path(name: &str, arguments: &[Value], method: impl FnOnce(&str) -> Answer) -> Answer {
        match arguments {
            [Value::Text(path)] => method(path),
            [Value::Nil] => Err("cannot assign nil to string".to_owned()),
            [_] => Err("wrong type for value; expected string".to_owned()),
            _ => Err(format!("wrong number of args for {name}: want 1 got {}", arguments.len())),
        }
    }
}

impl Object for Files {
    fn type_name(&self) -> &'static str {
        "engine.files"
    }

    fn field(&self, name: &str) -> Option<Answer> {
        // In Go this is a map: what is no method is a file, and a file that is not there is empty.
        Some(self.call(name, &[]).unwrap_or_else(|| Ok(self.bytes(name))))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Answer> {
        let answer = match name {
            "Get" => Self::with_path(name, arguments, |path| Ok(self.get(path))),
            "GetBytes" => Self::with_path(name, arguments, |path| Ok(self.bytes(path))),
            "Glob" => Self::with_path(name, arguments, |pattern| self.glob(pattern)),
            "Lines" => Self::with_path(name, arguments, |path| self.lines(path)),
            "AsConfig" | "AsSecrets" if !arguments.is_empty() => {
                Err(format!("wrong number of args for {name}: want 0 got {}", arguments.len()))
            }
            "AsConfig" => self.data(|content| Value::string(content)),
            "AsSecrets" => self.data(|content| Value::text(STANDARD.encode(content))),
            _ => return None,
        };
        Some(answer)
    }

    fn print(&self) -> String {
        let mut text = "map[".to_owned();
        for (path, content) in self.seen() {
            let blank = if text.ends_with('[') { "" } else { " " };
            _ = write!(text, "{blank}{path}:[");
            for (index, byte) in content.iter().enumerate() {
                _ = write!(text, "{}{byte}", if index == 0 { "" } else { " " });
            }
            text.push(']');
        }
        text.push(']');
        text
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::dict(self.seen().map(|(path, _)| (path, self.store.bytes(path)))))
    }

    fn items(&self) -> Option<Value> {
        self.plain()
    }

    fn weight(&self) -> usize {
        let sum = || self.seen().map(|(path, content)| path.len() + content.len()).sum();
        *self.weight.get_or_init(sum)
    }

    fn truth(&self) -> bool {
        self.seen().next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::driver::chart::engine::{Limits, Templates};
    use crate::driver::chart::functions::Surroundings;
    use crate::driver::chart::random::Draw;

    fn files() -> Value {
        let files = [("conf/a.ini", "a=1\nb=2\n"), ("conf/b.ini", "x"), ("empty", ""), ("c.txt", "\u{fffd}")];
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes())));
        Files::object(&Arc::new(files.collect()))
    }

    fn call(value: &Value, name: &str, arguments: &[Value]) -> Answer {
        let Value::Object(object) = value else { panic!("an object") };
        object.call(name, arguments).unwrap()
    }

    fn text(value: &Value) -> &str {
        let Value::Text(text) = value else { panic!("a text") };
        text
    }

    /// What Helm 3.17.3 answers for a file that is no text.
    #[test]
    fn files_that_are_no_texts_keep_their_bytes() {
        let answer = |source: &str| {
            let content: Arc<[u8]> = Arc::from(&b"a\xff\xe2\x82\xfeb\n\xff2"[..]);
            let files = Files::object(&Arc::new([("r.bin".to_owned(), content)].into()));
            let draw = Draw::new([0; 32], Timestamp::UNIX_EPOCH);
            let surroundings = Surroundings::new(Timestamp::UNIX_EPOCH, draw);
            let mut templates = Templates::new(surroundings, Box::new(|_| Ok(Value::Nil)), Limits::default());
            templates.add("a", source).unwrap();
            templates.execute("a", &Value::dict([("Files", files)])).map_err(|error| error.message)
        };
        for (source, expected) in [
            (r#"{{ .Files.Get "r.bin" | b64enc }}"#, "Yf/igv5iCv8y"),
            (r#"{{ print (.Files.Get "r.bin") | b64enc }}"#, "Yf/igv5iCv8y"),
            (r#"{{ toJson (.Files.GetBytes "r.bin") }}"#, "\"Yf/igv5iCv8y\""),
            (r#"{{ .Files.GetBytes "r.bin" | toString | b64enc }}"#, "Yf/igv5iCv8y"),
            (r#"{{ typeOf (.Files.GetBytes "r.bin") }}"#, "[]uint8"),
            (r#"{{ kindOf (.Files.Get "r.bin") }}"#, "string"),
            (r#"{{ toJson (.Files.Get "r.bin") }}"#, r#""a\ufffd\ufffd\ufffd\ufffdb\n\ufffd2""#),
            (r#"{{ toYaml (dict "a" (.Files.GetBytes "r.bin")) }}"#, "a: Yf/igv5iCv8y"),
            (
                r#"{{ toToml (dict "a" (.Files.GetBytes "r.bin")) }}"#,
                "a = [97, 255, 226, 130, 254, 98, 10, 255, 50]\n",
            ),
            (r#"{{ .Files.GetBytes "r.bin" }}"#, "[97 255 226 130 254 98 10 255 50]"),
            (r#"{{ cat (.Files.GetBytes "r.bin") 1 }}"#, "[97 255 226 130 254 98 10 255 50] 1"),
            (r#"{{ .Files.Lines "r.bin" | last | b64enc }}"#, "/zI="),
        ] {
            assert_eq!(answer(source).unwrap(), expected, "{source}");
        }
        let refused = answer(r#"{{ .Files.GetBytes "r.bin" | b64enc }}"#).unwrap_err();
        assert_eq!(refused, "wrong type for value; expected string; got []uint8");
    }

    #[test]
    fn files_weigh_what_they_contain() {
        let Value::Object(all) = &files() else { panic!("an object") };
        assert_eq!(all.weight(), 10 + 8 + 10 + 1 + 5 + 5 + 3);
        let Value::Object(some) = &call(&files(), "Glob", &[Value::text("conf/*")]).unwrap() else {
            panic!("an object")
        };
        assert_eq!(some.weight(), 10 + 8 + 10 + 1);
        assert_eq!(some.print(), "map[conf/a.ini:[97 61 49 10 98 61 50 10] conf/b.ini:[120]]");
    }

    #[test]
    fn files_are_found_by_path_and_pattern() {
        let files = files();
        assert_eq!(text(&call(&files, "Get", &[Value::text("conf/b.ini")]).unwrap()), "x");
        assert_eq!(text(&call(&files, "Get", &[Value::text("../../etc/passwd")]).unwrap()), "");
        let conf = call(&files, "Glob", &[Value::text("conf/*")]).unwrap();
        assert_eq!(text(&call(&conf, "AsConfig", &[]).unwrap()), "a.ini: |\n  a=1\n  b=2\nb.ini: x");
        assert_eq!(text(&call(&conf, "AsSecrets", &[]).unwrap()), "a.ini: YT0xCmI9Mgo=\nb.ini: eA==");
        assert_eq!(
            text(&call(&conf, "Get", &[Value::text("c.txt")]).unwrap()),
            "",
            "it is not among the chosen"
        );
        let narrow = call(&conf, "Glob", &[Value::text("**b.ini")]).unwrap();
        assert!(narrow.truth() && !call(&narrow, "Glob", &[Value::text("conf/a*")]).unwrap().truth());
        let lines = |path: &str| match &call(&files, "Lines", &[Value::text(path)]).unwrap() {
            Value::List(lines) => lines.len(),
            _ => panic!("a list"),
        };
        assert_eq!((lines("conf/a.ini"), lines("empty"), lines("none")), (2, 0, 0));
        assert!(call(&files, "Get", &[]).is_err() && call(&files, "AsConfig", &[Value::Nil]).is_err());
    }

    #[test]
    fn the_work_that_templates_make_is_bounded() {
        let files = files();
        let many =
            (0..10_000).find_map(|number| call(&files, "Glob", &[Value::text(format!("{number}*"))]).err());
        assert_eq!(many.unwrap(), "the templates go through the files of the chart too often");
        assert!(call(&files, "Glob", &[Value::text("0*")]).is_ok(), "what is known already costs nothing");
    }
}
