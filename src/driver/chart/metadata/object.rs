//! `.Chart` in templates.

use super::super::record::{Field, Record, printed};
use super::super::value::Value;
use super::{Dependency, Import, Maintainer, Metadata};

/// What Go prints for a pointer: an address, which is another one in every run.
const ADDRESS: &str = "0xc000000000";

impl Metadata {
    /// `.Chart` of the chart with these metadata; `root` says that no other chart contains it.
    pub(in super::super) fn object(&self, root: bool) -> Value {
        let text = printed(&self.fields());
        let record = |more: Vec<Field>| {
            let mut fields = self.fields();
            fields.push(Field::new("IsRoot", "IsRoot", Value::Bool(root)));
            fields.extend(more);
            Record::value("struct { chart.Metadata; IsRoot bool }", fields, format!("{{{{{text}}} {root}}}"))
        };
        // The struct that it is made of has a name too.
        record(vec![Field::hidden(
            "Metadata",
            Record::value("chart.Metadata", self.fields(), format!("{{{text}}}")),
        )])
    }

    /// In Go's order.
    fn fields(&self) -> Vec<Field> {
        let about = &self.about;
        let annotations = self.annotations.iter().map(|(key, text)| (key, Value::text(text)));
        vec![
            text("Name", "name", &self.name),
            text("Home", "home", &about.home),
            texts("Sources", "sources", &about.sources),
            text("Version", "version", &self.version),
            text("Description", "description", &self.description),
            texts("Keywords", "keywords", &about.keywords),
            list("Maintainers", "maintainers", about.maintainers.iter().map(Maintainer::object)),
            text("Icon", "icon", &about.icon),
            text("APIVersion", "apiVersion", &self.api_version),
            text("Condition", "condition", &self.condition),
            text("Tags", "tags", &self.tags),
            text("AppVersion", "appVersion", &self.app_version),
            Field::optional("Deprecated", "deprecated", Value::Bool(self.deprecated)),
            Field::optional("Annotations", "annotations", Value::dict(annotations)),
            text("KubeVersion", "kubeVersion", &self.kube_version),
            list("Dependencies", "dependencies", self.dependencies.iter().map(Dependency::object)),
            text("Type", "type", &self.kind),
        ]
    }
}

impl Maintainer {
    fn object(&self) -> Value {
        let fields = vec![
            text("Name", "name", &self.name),
            text("Email", "email", &self.email),
            text("URL", "url", &self.url),
        ];
        Record::value("*chart.Maintainer", fields, ADDRESS.to_owned())
    }
}

impl Dependency {
    fn object(&self) -> Value {
        let fields = vec![
            // An alias has taken the name's place when templates see it.
            Field::new("Name", "name", Value::text(self.key())),
            text("Version", "version", &self.version),
            Field::new("Repository", "repository", Value::text(&self.repository)),
            text("Condition", "condition", &self.condition),
            texts("Tags", "tags", &self.tags),
            // Those that are not enabled are gone when templates see it.
            Field::optional("Enabled", "enabled", Value::Bool(true)),
            list("ImportValues", "import-values", self.imports.iter().map(Import::object)),
            text("Alias", "alias", &self.alias),
        ];
        Record::value("*chart.Dependency", fields, ADDRESS.to_owned())
    }
}

impl Import {
    fn object(&self) -> Value {
        let (child, parent) = match self {
            Self::Export(name) => (format!("exports.{name}"), "."),
            Self::Table { child, parent } => (child.clone(), parent.as_str()),
        };
        Value::dict([("child", Value::text(child)), ("parent", Value::text(parent))])
    }
}

fn text(name: &'static str, key: &'static str, text: &str) -> Field {
    Field::optional(name, key, Value::text(text))
}

fn texts(name: &'static str, key: &'static str, texts: &[String]) -> Field {
    list(name, key, texts.iter().map(Value::text))
}

fn list(name: &'static str, key: &'static str, items: impl IntoIterator<Item = Value>) -> Field {
    Field::optional(name, key, Value::list(items))
}
