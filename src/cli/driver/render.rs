//! `styrmin driver render SOURCE`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Choices, Form, Subject, document, printable, remark, say};
use crate::app;
use crate::app::drivers::rendering::{Rendered, Rendering, differences};
use crate::app::drivers::{Source, Toolbox};
use crate::domain::diff::ObjectDiff;
use crate::domain::{DriverVersion, Problem};

/// The largest context that is read, in bytes.
const CONTEXT_LIMIT: u64 = 8 << 20;

/// Arguments of `driver render`.
#[derive(Debug, Args)]
pub struct RenderArguments {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    choices: Choices,
    /// The environment, and the namespace of the objects
    #[arg(long, value_name = "NAME", default_value = "demo")]
    environment: String,
    /// The deployment's name [default: the driver's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What host names end in; empty for none
    #[arg(long, value_name = "SUFFIX", default_value = "localhost")]
    fqdn_suffix: String,
    /// The class of volumes
    #[arg(long, value_name = "CLASS")]
    storage_class: Option<String>,
    /// The class of Ingresses
    #[arg(long, value_name = "CLASS")]
    ingress_class: Option<String>,
    /// Render with the context in this file, JSON or YAML, as --show-context prints it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["parameters", "version", "name"])]
    context: Option<PathBuf>,
    /// Print the context and not the objects
    #[arg(long, conflicts_with = "diff")]
    show_context: bool,
    /// Print how the objects differ from those of another driver: a directory, a git repository, or NAME@VERSION
    #[arg(long, value_name = "OTHER")]
    diff: Option<String>,
    /// Print only these objects: KIND or KIND/NAME (repeatable)
    #[arg(long, value_name = "KIND[/NAME]")]
    show_only: Vec<String>,
    /// The form of the answer
    #[arg(short = 'o', long = "output", value_name = "FORM", default_value = "yaml", value_parser = ["yaml", "json"])]
    form: String,
}

pub(super) fn run(arguments: &RenderArguments) -> Result<bool, Problem> {
    let (source, toolbox) = arguments.subject.open()?;
    let rendering = arguments.rendering()?;
    let (driver, other) = app::block_on(async {
        let loaded = toolbox.read(&source).await.map_err(Problem::from)?;
        loaded.warnings.iter().for_each(|warning| remark(&format!("warning: {warning}")));
        let other = match &arguments.diff {
            Some(text) => Some(find(&toolbox, text).await?),
            None => None,
        };
        Ok::<_, Problem>((loaded.version, other))
    })?;
    let rendered = rendering.of(&driver)?;
    rendered.warnings.iter().for_each(|warning| remark(&format!("warning: {warning}")));
    match other {
        None => arguments.print(rendered)?,
        Some(other) => {
            let (other_rendering, left) = rendering.for_other(&other);
            if !left.is_empty() {
                remark(&format!("{} has no {}: left out there", other.reference, left.join(", ")));
            }
            let before = other_rendering.of(&other)?;
            arguments.print_differences(&differences(&before.objects, &rendered.objects))?;
        }
    }
    Ok(true)
}

/// The driver that is compared with: what is there as a directory is one.
async fn find(toolbox: &Toolbox, text: &str) -> Result<DriverVersion, Problem> {
    let source = Source::parse(text, None)?;
    if let Source::Directory(path) = &source
        && !path.is_dir()
    {
        return toolbox.find(text).await;
    }
    Ok(toolbox.read(&source).await.map_err(Problem::from)?.version)
}

impl RenderArguments {
    fn rendering(&self) -> Result<Rendering, Problem> {
        Ok(Rendering {
            version: self.choices.version.clone(),
            environment: self.environment.clone(),
            name: self.name.clone(),
            parameters: self.choices.parameters(),
            fqdn_suffix: Some(self.fqdn_suffix.clone()).filter(|suffix| !suffix.is_empty()),
            storage_class: self.storage_class.clone(),
            ingress_class: self.ingress_class.clone(),
            context: self.context.as_deref().map(read_context).transpose()?,
        })
    }

    fn form(&self) -> Form {
        if self.form == "json" { Form::Json } else { Form::Yaml }
    }

    fn print(&self, rendered: Rendered) -> Result<(), Problem> {
        if self.show_context {
            return match self.form() {
                Form::Json => say(&format!("{:#}\n", rendered.context)),
                _ => say(&document(&rendered.context)),
            };
        }
        let shown = |object: &Value| self.shows(&text(object, "/kind"), &text(object, "/metadata/name"));
        let objects: Vec<Value> = rendered.objects.into_iter().filter(shown).collect();
        if objects.is_empty() && !self.show_only.is_empty() {
            remark("nothing of that kind and name is rendered");
        }
        match self.form() {
            Form::Json => say(&format!("{:#}\n", Value::from(objects))),
            _ => {
                let told = if self.show_only.is_empty() { comment(&rendered.notes) } else { String::new() };
                let documents = objects.iter().map(|object| format!("---\n{}", document(object)));
                say(&documents.chain([told]).collect::<String>())
            }
        }
    }

    fn print_differences(&self, all: &[ObjectDiff]) -> Result<(), Problem> {
        let shown = all.iter().filter(|found| self.shows(&found.object.kind, &found.object.name));
        let shown: Vec<&ObjectDiff> = shown.collect();
        if self.form() == Form::Json {
            let value = json!(shown);
            return say(&format!("{value:#}\n"));
        }
        if shown.is_empty() {
            remark("they render the same");
        }
        let texts = shown.iter().map(|found| {
            let lines = found.lines.iter().map(|line| format!("{}{}\n", line.change.sign(), line.text));
            format!("=== {}\n{}", found.object, lines.collect::<String>())
        });
        say(&printable(&texts.collect::<String>()))
    }

    fn shows(&self, kind: &str, name: &str) -> bool {
        let is = |wanted: &String| match wanted.split_once('/') {
            Some((wanted_kind, wanted_name)) => wanted_kind.eq_ignore_ascii_case(kind) && wanted_name == name,
            None => wanted.eq_ignore_ascii_case(kind),
        };
        self.show_only.is_empty() || self.show_only.iter().any(is)
    }
}

fn text(object: &Value, place: &str) -> String {
    object.pointer(place).and_then(Value::as_str).unwrap_or("").to_owned()
}

fn read_context(path: &std::path::Path) -> Result<Value, Problem> {
    use std::io::Read as _;
    let refused = |why: String| {
        let what = format!("The context in {} cannot be read", path.display());
        Problem::new(what, why, "give it a file that --show-context has printed")
    };
    let file = std::fs::File::open(path).map_err(|error| refused(error.to_string()))?;
    let mut text = String::new();
    file.take(CONTEXT_LIMIT).read_to_string(&mut text).map_err(|error| refused(error.to_string()))?;
    let value: Value = serde_saphyr::from_str(&text).map_err(|error| refused(error.to_string()))?;
    if value.is_object() { Ok(value) } else { Err(refused("it is no mapping".to_owned())) }
}

/// The chart's notes as comments below the objects.
fn comment(notes: &str) -> String {
    let notes = printable(notes);
    let lines = notes.trim().lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n");
    match notes.trim().is_empty() {
        true => String::new(),
        false => format!("---\n# Notes of the chart:\n{}", lines.collect::<String>()),
    }
}
