//! `.Files`: the files of a chart that are no templates.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::archive;
use super::glob::Pattern;
use super::value::{Object, Value};
use super::yaml;

/// The files that templates of a chart see, or some of them.
pub(super) struct Files {
    /// By path.
    files: BTreeMap<Rc<str>, Rc<[u8]>>,
    /// Their texts, once asked for.
    texts: RefCell<BTreeMap<Rc<str>, Value>>,
}

type Answer = Result<Value, String>;

impl Files {
    /// `.Files`.
    pub(super) fn object(files: &archive::Files) -> Value {
        let files = files.iter().map(|(path, content)| (Rc::from(path.as_str()), Rc::from(&**content)));
        Self::of(files.collect())
    }

    fn of(files: BTreeMap<Rc<str>, Rc<[u8]>>) -> Value {
        Value::Object(Rc::new(Self { files, texts: RefCell::default() }))
    }

    fn get(&self, path: &str) -> Value {
        let Some((path, content)) = self.files.get_key_value(path) else { return Value::text("") };
        let text = || Value::text(String::from_utf8_lossy(content));
        self.texts.borrow_mut().entry(Rc::clone(path)).or_insert_with(text).clone()
    }

    fn glob(&self, pattern: &str) -> Answer {
        let pattern = Pattern::of_files(pattern)?;
        let chosen = self.files.iter().filter(|(path, _)| pattern.matches(path));
        Ok(Self::of(chosen.map(|(path, content)| (Rc::clone(path), Rc::clone(content))).collect()))
    }

    /// The lines of a file; an empty file has one empty line less than Go would fall over.
    fn lines(&self, path: &str) -> Value {
        let Some(content) = self.files.get(path).filter(|content| !content.is_empty()) else {
            return Value::list([]);
        };
        let text = String::from_utf8_lossy(content);
        Value::list(text.strip_suffix('\n').unwrap_or(&text).split('\n').map(Value::text))
    }

    /// The files by the last part of their path, as YAML.
    fn data(&self, text: impl Fn(&[u8]) -> String) -> Answer {
        let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let data = self.files.iter().map(|(path, content)| (base(path), Value::text(text(content))));
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
        let file = || Value::Bytes(self.files.get(name).cloned().unwrap_or_default());
        Some(self.call(name, &[]).unwrap_or_else(|| Ok(file())))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Answer> {
        let answer = match name {
            "Get" => Self::with_path(name, arguments, |path| Ok(self.get(path))),
            "GetBytes" => Self::with_path(name, arguments, |path| {
                Ok(Value::Bytes(self.files.get(path).cloned().unwrap_or_default()))
            }),
            "Glob" => Self::with_path(name, arguments, |pattern| self.glob(pattern)),
            "Lines" => Self::with_path(name, arguments, |path| Ok(self.lines(path))),
            "AsConfig" | "AsSecrets" if !arguments.is_empty() => {
                Err(format!("wrong number of args for {name}: want 0 got {}", arguments.len()))
            }
            "AsConfig" => self.data(|content| String::from_utf8_lossy(content).into_owned()),
            "AsSecrets" => self.data(|content| STANDARD.encode(content)),
            _ => return None,
        };
        Some(answer)
    }

    fn print(&self) -> String {
        let bytes = |content: &[u8]| content.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
        let files: Vec<String> =
            self.files.iter().map(|(path, content)| format!("{path}:[{}]", bytes(content))).collect();
        format!("map[{}]", files.join(" "))
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::dict(self.files.iter().map(|(path, content)| (path, Value::Bytes(Rc::clone(content))))))
    }

    fn truth(&self) -> bool {
        !self.files.is_empty()
    }
}
