//! `Chart.yaml`: what a chart says of itself.

mod object;

use std::collections::BTreeMap;

use super::decode::Fields;
use super::error::ChartError;
use super::value::Value;

/// What a chart says of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// Its name; for a subchart with an alias, the alias.
    pub name: String,
    /// Its version, as written.
    pub version: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// The version of the application in it.
    pub app_version: String,
    /// Which versions of Kubernetes it runs on; empty for all.
    pub kube_version: String,
    /// `type`: `application`, `library`, or empty.
    pub kind: String,
    /// One sentence.
    pub description: String,
    /// Nobody cares for it any more.
    pub deprecated: bool,
    /// The charts that it needs, in its order.
    pub dependencies: Vec<Dependency>,
    /// Free annotations.
    pub annotations: BTreeMap<String, String>,
    /// Helm 2's own condition; nothing reads it.
    pub condition: String,
    /// Helm 2's own tags; nothing reads them.
    pub tags: String,
    /// For people.
    pub about: About,
}

/// What a chart tells people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    /// The project's page.
    pub home: String,
    /// Where its source is.
    pub sources: Vec<String>,
    /// Words that it is found by.
    pub keywords: Vec<String>,
    /// Who maintains it.
    pub maintainers: Vec<Maintainer>,
    /// Its icon's address.
    pub icon: String,
}

/// Somebody who maintains a chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Maintainer {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The page.
    pub url: String,
}

/// A chart that a chart needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dependency {
    /// The other chart's name.
    pub name: String,
    /// Which versions of it will do.
    pub version: String,
    /// Where it is found.
    pub repository: String,
    /// Paths of values, separated by commas: the first one that is a boolean says whether it is taken.
    pub condition: String,
    /// It is taken if one of these is true in `tags`, or none is false.
    pub tags: Vec<String>,
    /// What of its values the parent takes over.
    pub imports: Vec<Import>,
    /// Its name within the parent.
    pub alias: String,
}

/// Values that a parent takes over from a dependency.
#[derive(Debug, Clone, PartialEq)]
pub enum Import {
    /// `exports.NAME` of the child becomes the parent's own values.
    Export(String),
    /// The table at `child` becomes the parent's table at `parent`.
    Table {
        /// A path in the child's values.
        child: String,
        /// A path in the parent's values; `.` for all of them.
        parent: String,
    },
}

impl Metadata {
    /// Reads `Chart.yaml` as it was parsed.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let fields = Fields::of("chart.Metadata", "", value)?;
        let mut metadata = Self {
            name: text(&fields, "name")?,
            version: text(&fields, "version")?,
            api_version: text(&fields, "apiVersion")?,
            app_version: text(&fields, "appVersion")?,
            kube_version: text(&fields, "kubeVersion")?,
            kind: text(&fields, "type")?,
            description: text(&fields, "description")?,
            deprecated: fields.boolean("deprecated")?,
            dependencies: Self::read_dependencies(value)?,
            annotations: fields.texts_by_name("annotations")?,
            condition: text(&fields, "condition")?,
            tags: text(&fields, "tags")?,
            about: About::read(&fields)?,
        };
        // Charts of Helm 2 need not say it.
        if metadata.api_version.is_empty() {
            "v1".clone_into(&mut metadata.api_version);
        }
        Ok(metadata)
    }

    /// Reads the dependencies of `Chart.yaml` or of `requirements.yaml`.
    pub(super) fn read_dependencies(value: &Value) -> Result<Vec<Dependency>, String> {
        let fields = Fields::of("chart.Metadata", "", value)?;
        fields.items("dependencies", "[]*chart.Dependency")?.iter().map(Dependency::read).collect()
    }

    /// Whether it has nothing to deploy itself.
    pub fn is_library(&self) -> bool {
        self.kind.eq_ignore_ascii_case("library")
    }

    /// Refuses what Helm refuses.
    pub(super) fn check(&self) -> Result<(), ChartError> {
        let refuse = |message: String| Err(ChartError::File(format!("validation: {message}")));
        if self.name.is_empty() {
            return refuse("chart.metadata.name is required".to_owned());
        }
        if self.name.contains('/') || self.name == "." || self.name == ".." {
            return refuse(format!("chart.metadata.name {:?} is invalid", self.name));
        }
        if self.version.is_empty() {
            return refuse("chart.metadata.version is required".to_owned());
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return refuse("chart.metadata.type must be application or library".to_owned());
        }
        let mut keys = std::collections::BTreeSet::new();
        for dependency in &self.dependencies {
            let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
            if !dependency.alias.chars().all(allowed) {
                return refuse(format!(
                    "dependency {:?} has disallowed characters in the alias",
                    dependency.name
                ));
            }
            if !keys.insert(dependency.key()) {
                return refuse(format!("more than one dependency with name or alias {:?}", dependency.key()));
            }
        }
        Ok(())
    }
}

impl About {
    fn read(fields: &Fields<'_>) -> Result<Self, String> {
        Ok(Self {
            home: text(fields, "home")?,
            sources: texts(fields, "sources")?,
            keywords: texts(fields, "keywords")?,
            maintainers: fields
                .items("maintainers", "[]*chart.Maintainer")?
                .iter()
                .map(Maintainer::read)
                .collect::<Result<_, _>>()?,
            icon: text(fields, "icon")?,
        })
    }
}

impl Maintainer {
    fn read(value: &Value) -> Result<Self, String> {
        if matches!(value, Value::Nil) {
            return Err("maintainers must not contain empty or null nodes".to_owned());
        }
        let fields = Fields::of("chart.Maintainer", "maintainers.", value)?;
        Ok(Self { name: text(&fields, "name")?, email: text(&fields, "email")?, url: text(&fields, "url")? })
    }
}

impl Dependency {
    /// The name under which the parent knows it.
    pub fn key(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }

    fn read(value: &Value) -> Result<Self, String> {
        if matches!(value, Value::Nil) {
            return Err("dependencies must not contain empty or null nodes".to_owned());
        }
        let fields = Fields::of("chart.Dependency", "dependencies.", value)?;
        Ok(Self {
            name: text(&fields, "name")?,
            version: text(&fields, "version")?,
            repository: text(&fields, "repository")?,
            condition: text(&fields, "condition")?,
            tags: texts(&fields, "tags")?,
            imports: fields
                .items("import-values", "[]interface {}")?
                .iter()
                .filter_map(Import::read)
                .collect::<Result<_, _>>()?,
            alias: text(&fields, "alias")?,
        })
    }
}

impl Import {
    /// None for what is neither a text nor a mapping: Helm passes over it.
    fn read(value: &Value) -> Option<Result<Self, String>> {
        let path = |name: &str| match &value.get(name) {
            Some(Value::Text(text)) => Ok(text.to_string()),
            _ => Err(format!("import-values: {name} must be a text")),
        };
        match value {
            Value::Text(name) => Some(Ok(Self::Export(name.to_string()))),
            Value::Dict(_) => {
                Some(path("child").and_then(|child| Ok(Self::Table { child, parent: path("parent")? })))
            }
            _ => None,
        }
    }
}

fn text(fields: &Fields<'_>, name: &str) -> Result<String, String> {
    fields.text(name).map(|text| printable(&text))
}

fn texts(fields: &Fields<'_>, name: &str) -> Result<Vec<String>, String> {
    Ok(fields.texts(name)?.iter().map(|text| printable(text)).collect())
}

/// The text with plain spaces and without what cannot be printed.
fn printable(text: &str) -> String {
    // In the middle of a text, Rust escapes what Unicode calls unprintable.
    let printable = |letter: char| {
        letter.is_ascii_graphic() || !format!("a{letter}").escape_debug().to_string().starts_with("a\\")
    };
    let spaced = text.chars().map(|letter| if letter.is_whitespace() { ' ' } else { letter });
    spaced.filter(|letter| *letter == ' ' || printable(*letter)).collect()
}

#[cfg(test)]
mod tests;
