//! One request to a resource, read once and handed around.

use std::sync::Arc;

use http::{HeaderMap, Method, header};
use serde_json::Value;

use super::pods;
use super::query::{self, Query};
use super::reply::{Form, View, header_text};
use super::route::Target;
use crate::sandbox::access::Identity;
use crate::sandbox::api::selector::Selector;
use crate::sandbox::api::validation::{Directive, FieldValidation};
use crate::sandbox::api::write::{Part, WriteOptions};
use crate::sandbox::api::{Api, definitions, versions};
use crate::sandbox::crd;
use crate::sandbox::kinds::ResourceType;
use crate::sandbox::object;
use crate::sandbox::printing::Columns;
use crate::sandbox::schema::causes::Causes;
use crate::sandbox::status::Status;

/// The longest name of a field manager, in bytes.
const MANAGER_LENGTH: usize = 128;

/// One request to a resource.
pub struct Call {
    /// The objects.
    pub api: Api,
    /// Who asks.
    pub user: Arc<Identity>,
    /// The resource's type, in the version that was asked for.
    pub kind: Arc<ResourceType>,
    /// The collection, the object, the subresource.
    pub target: Target,
    /// The parameters.
    pub query: Query,
    /// Which objects of the collection are meant.
    pub selector: Selector,
    /// How objects are sent.
    pub view: View,
    /// `Content-Type`, without its parameters.
    pub content_type: String,
    /// The field manager.
    pub manager: String,
    /// The definition of a custom resource whose stored objects may not be what its schema says by now.
    pub definition: Option<Arc<Value>>,
    /// What a real server reads the parameters into.
    pub options: &'static str,
    /// What is done about unknown and duplicate fields, and the warnings to the client.
    pub validation: FieldValidation,
}

impl Call {
    /// Reads a request; 404 when the resource is not served, or not in that scope.
    pub fn new(
        api: &Api,
        user: Arc<Identity>,
        target: Target,
        (query, method, headers): (Query, &Method, &HeaderMap),
    ) -> Result<Self, Status> {
        let (kind, definition) = {
            let objects = api.objects();
            let kind = objects.kinds.served(&target.group, &target.version, &target.plural).cloned();
            let kind = kind.ok_or_else(Status::unknown_resource)?;
            let definition = definitions::reading(&objects, &kind);
            (kind, definition)
        };
        let has_namespace = target.namespace.is_some();
        let needs_namespace = kind.namespaced && target.name.is_some();
        if (has_namespace && !kind.namespaced) || (needs_namespace && !has_namespace) {
            return Err(Status::unknown_resource());
        }
        let mut selector = Selector::parse(&kind, query.text("labelSelector"), query.text("fieldSelector"))?;
        if let Some(name) = target.name.as_deref().filter(|_| target.watch) {
            selector.and_name(name);
        }
        let content_type = header_text(headers, header::CONTENT_TYPE).split(';').next().unwrap_or("").trim();
        let options = options_of(method);
        let manager = field_manager(&query, options, headers)?;
        // Logs are text, sessions are sockets, and what a pod answers is its own: what form objects have does not matter there.
        let streamed = (target.subresource.as_deref())
            .is_some_and(|name| name == "proxy" || pods::STREAMED.contains(&name));
        let form = if streamed { Form::Plain } else { Form::accepted(headers)? };
        let scale = target.subresource.as_deref() == Some("scale");
        let view = form.view(&query, || if scale { Columns::of_scale() } else { columns(api, &kind) })?;
        Ok(Self {
            api: api.clone(),
            user,
            kind,
            selector,
            view,
            content_type: content_type.to_ascii_lowercase(),
            manager,
            definition,
            options,
            validation: FieldValidation::default(),
            target,
            query,
        })
    }

    /// The namespace of the path.
    pub fn namespace(&self) -> Option<&str> {
        self.target.namespace.as_deref()
    }

    /// Namespace and name of the path; empty where the path has none.
    pub fn key(&self) -> (&str, &str) {
        (self.target.namespace.as_deref().unwrap_or(""), self.target.name.as_deref().unwrap_or(""))
    }

    /// Whether an object is in the path's namespace.
    pub fn covers(&self, value: &Value) -> bool {
        self.namespace().is_none_or(|namespace| object::namespace(value) == namespace)
    }

    /// The object that the path names, as it is stored.
    pub fn stored(&self) -> Result<Arc<Value>, Status> {
        let (namespace, name) = self.key();
        let found = self.api.objects().get(&self.kind.storage(), namespace, name).cloned();
        found.ok_or_else(|| Status::not_found(&self.kind.qualified(), name))
    }

    /// A stored object in the version and the form that the client wants.
    pub fn served(&self, value: &Arc<Value>) -> Arc<Value> {
        self.view.of(&self.as_served(value), self.api.now())
    }

    /// A stored object in an event of a watch.
    pub fn told(&self, value: &Arc<Value>) -> Arc<Value> {
        self.view.of_event(&self.as_served(value), self.api.now())
    }

    /// A stored object, whole, in the version that the client wants.
    pub fn as_served(&self, value: &Arc<Value>) -> Arc<Value> {
        let Some(definition) = &self.definition else { return versions::to_served(&self.kind, value) };
        let mut served = (**value).clone();
        crd::read(definition, &self.kind.version, &mut served);
        versions::to_served(&self.kind, &Arc::new(served))
    }

    /// How this request writes.
    pub fn write_options(&self, part: Part) -> Result<WriteOptions, Status> {
        let directive = Directive::parse(self.query.text("fieldValidation"), self.options)?;
        let mut validation = self.validation.clone();
        validation.directive = directive;
        let dry_run = self.query.dry_run(self.options)?;
        let user = Some(self.user.clone());
        let plain = WriteOptions::new(&self.manager, part, self.api.now());
        Ok(WriteOptions { dry_run, validation, user, ..plain })
    }

    /// 405 for a method that the path does not know.
    pub fn not_allowed(&self, method: &Method) -> Status {
        let text = format!("the server does not allow the method {method} on the requested resource");
        let (_, name) = self.key();
        Status::new(405, "MethodNotAllowed", text).about(&self.kind.qualified(), name)
    }
}

/// The columns of a kind's Table; those of a custom one are in its definition.
fn columns(api: &Api, kind: &ResourceType) -> Columns {
    let definition = kind.custom.then(|| api.get(definitions::RESOURCE, "", &kind.qualified())).flatten();
    match definition {
        Some(definition) => Columns::of_definition(&definition, &kind.version),
        None => Columns::of(kind),
    }
}

/// `CreateOptions`, `UpdateOptions` …; empty for what only reads.
fn options_of(method: &Method) -> &'static str {
    match *method {
        Method::POST => "CreateOptions",
        Method::PUT => "UpdateOptions",
        Method::PATCH => "PatchOptions",
        Method::DELETE => "DeleteOptions",
        _ => "",
    }
}

/// `fieldManager`, or the program's name in `User-Agent`. Reading and deleting know no such parameter.
fn field_manager(query: &Query, options: &str, headers: &HeaderMap) -> Result<String, Status> {
    let named = if matches!(options, "" | "DeleteOptions") { "" } else { query.text("fieldManager") };
    let mut causes = Causes::default();
    if named.len() > MANAGER_LENGTH {
        causes.too_long("fieldManager", MANAGER_LENGTH as u64);
    }
    for (position, letter) in named.char_indices().filter(|(_, letter)| letter.is_control()) {
        let why = format!("invalid character U+{:04X} (at position {position})", u32::from(letter));
        causes.invalid("fieldManager", &Value::from(named), &why);
    }
    query::refuse(options, causes)?;
    if !named.is_empty() {
        return Ok(named.to_owned());
    }
    let agent = header_text(headers, header::USER_AGENT).split(['/', ' ']).next().unwrap_or("");
    Ok(if agent.is_empty() { "unknown".to_owned() } else { agent.to_owned() })
}
