//! The fields together: which there are for a driver, what one says about another, and the draft that they make.

use std::collections::BTreeMap;
use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::choice::Choice;
use super::field::{Asks, Entry, Field, Kept};
use super::hosts;
use crate::domain::driver::{self, ParameterKind, ParameterSpec};
use crate::domain::names::check_label;
use crate::domain::world::Application;
use crate::domain::{DeploymentDraft, DeploymentId, DriverVersion, Intent, World};
use crate::ui::screen::ApplicationKey;
use crate::ui::text_field::TextField;

const DRIVER: usize = 0;
const ENVIRONMENT: usize = 1;
/// The field of the application's version.
pub const VERSION: usize = 2;
const NAME: usize = 3;
/// The fields before the driver's parameters.
const OWN: usize = 4;

/// The driver of the demo application, which a newcomer looks for: it runs for real on the sandbox.
const DEMO: &str = "notes";

/// The environment that is offered when there is none yet.
const FIRST_ENVIRONMENT: &str = "demo";

/// The fields of a new deployment, or of the change of one.
#[derive(Debug)]
pub struct Form {
    fields: Vec<Field>,
    /// The driver whose parameters are asked for.
    driver: Option<Arc<DriverVersion>>,
    /// A person wrote the name: it follows the driver no more.
    named: bool,
    /// What is changed, as it was asked for before; none for a new deployment.
    changed: Option<(DeploymentId, DeploymentDraft)>,
}

impl Form {
    /// A form with what can be guessed filled in; `driver` and `environment` name those to begin with.
    pub fn new(world: &World, driver: Option<&str>, environment: Option<&str>) -> Self {
        let names = driver_names(world);
        let chosen = names.iter().find(|name| driver.is_some_and(|wanted| name.as_str() == wanted));
        let driver = chosen.cloned().or_else(|| names.first().cloned()).unwrap_or_default();
        let environments = environment_names(world);
        let environment =
            environment.or(environments.first().map(String::as_str)).unwrap_or(FIRST_ENVIRONMENT);
        let environment = environment.to_owned();
        let fields = vec![
            Field::new(Asks::Driver, "Application", "", Entry::Choice(Choice::new(names, &driver, false))),
            Field::new(
                Asks::Environment,
                "Environment",
                "an existing one, or type a new name",
                Entry::Choice(Choice::new(environments, &environment, true)),
            ),
            Field::new(Asks::Version, "Version", "", Entry::Choice(Choice::new(Vec::new(), "", true))),
            Field::new(
                Asks::Name,
                "Name",
                "a DNS label, unique in its environment",
                Entry::Text(TextField::default()),
            ),
        ];
        let mut form = Self { fields, driver: None, named: false, changed: None };
        form.follow_driver(world);
        form
    }

    /// A form with what was asked for before filled in. Name and environment stay; the driver stays, but for its version.
    pub fn change(world: &World, application: &Application) -> Self {
        let draft = &application.deployment.draft;
        let versions = driver_versions(world, &draft.driver.name);
        let known = versions.contains(&draft.driver.version);
        let mut driver = Field::new(
            Asks::Driver,
            "Driver",
            "",
            Entry::Choice(Choice::new(versions, &draft.driver.version, false)),
        );
        if !known {
            driver.error = Some(format!("{} is no longer loaded", draft.driver));
        }
        let fixed = |asks, label: &str, value: &str| {
            Field::new(asks, label, "it stays as it is", Entry::Fixed(value.to_owned()))
        };
        let version = Choice::new(Vec::new(), &draft.application_version, true);
        let fields = vec![
            driver,
            fixed(Asks::Environment, "Environment", &draft.environment),
            Field::new(Asks::Version, "Version", "", Entry::Choice(version)),
            fixed(Asks::Name, "Name", &draft.name),
        ];
        let changed = Some((application.deployment.id, draft.clone()));
        let mut form = Self { fields, driver: None, named: true, changed };
        form.follow_driver(world);
        form
    }

    /// What is changed; none for a new deployment.
    pub fn changes(&self) -> Option<&DeploymentDraft> {
        self.changed.as_ref().map(|(_, draft)| draft)
    }

    /// What the person wants, by the draft that the fields make.
    ///
    /// # Errors
    /// The first field with an error; every field with an error carries it.
    pub fn intent(&mut self, world: &World) -> Result<Intent, usize> {
        let draft = self.draft(world)?;
        Ok(match &self.changed {
            Some((id, _)) => Intent::Change(*id, draft),
            None => Intent::Deploy(draft),
        })
    }

    /// The driver that is picked; of several versions the newest, unless a version is what is picked.
    fn picked<'a>(&self, world: &'a World) -> Option<&'a Arc<DriverVersion>> {
        match self.changes() {
            None => driver::latest(&world.drivers, &self.text(DRIVER)),
            Some(draft) => (world.drivers.iter()).find(|driver| {
                driver.reference.name == draft.driver.name && driver.reference.version == self.text(DRIVER)
            }),
        }
    }

    /// The fields.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// A field, to move about in it.
    pub fn field(&mut self, index: usize) -> Option<&mut Field> {
        self.fields.get_mut(index)
    }

    fn text(&self, index: usize) -> String {
        self.fields.get(index).map(|field| field.text().into_owned()).unwrap_or_default()
    }

    /// Takes a key for a field; true when its value changed.
    pub fn key(&mut self, index: usize, key: KeyEvent, world: &World) -> bool {
        let changed = self.fields.get_mut(index).is_some_and(|field| field.key(key));
        self.changed(index, changed, world)
    }

    /// Takes pasted text for a field; true when its value changed.
    pub fn paste(&mut self, index: usize, text: &str, world: &World) -> bool {
        let changed = self.fields.get_mut(index).is_some_and(|field| field.paste(text));
        self.changed(index, changed, world)
    }

    /// Goes to a field's next value, or the one before; true when its value changed.
    pub fn turn(&mut self, index: usize, forwards: bool, world: &World) -> bool {
        let changed = self.fields.get_mut(index).is_some_and(|field| field.turn(forwards));
        self.changed(index, changed, world)
    }

    fn changed(&mut self, index: usize, changed: bool, world: &World) -> bool {
        if !changed {
            return false;
        }
        match index {
            DRIVER => self.follow_driver(world),
            ENVIRONMENT => self.suggest_name(world),
            NAME => self.named = !self.text(NAME).is_empty(),
            _ => {}
        }
        if let Some(field) = self.fields.get_mut(index) {
            field.error = match (&field.asks, &self.driver) {
                // said while it is typed: what is wrong is not seen at once
                (Asks::Hosts, Some(driver)) => hosts::read(&field.text(), driver).err(),
                _ => None,
            };
        }
        if index == ENVIRONMENT || index == NAME {
            self.fields[NAME].error = None;
        }
        true
    }

    /// Takes note of a new picture: drivers and environments may have come.
    pub fn refresh(&mut self, world: &World) {
        let drivers = match self.changes() {
            Some(draft) => driver_versions(world, &draft.driver.name),
            None => driver_names(world),
        };
        for (index, options) in [(DRIVER, drivers), (ENVIRONMENT, environment_names(world))] {
            if let Some(Entry::Choice(choice)) = self.fields.get_mut(index).map(|field| &mut field.entry)
                && !options.is_empty()
            {
                choice.set_options(options);
            }
        }
        let picked = self.picked(world);
        if picked.map(|driver| &driver.digest) != self.driver.as_ref().map(|driver| &driver.digest) {
            self.follow_driver(world);
        }
    }

    /// Offers what the picked driver knows: versions, a name, its parameters. Values of the same name stay.
    fn follow_driver(&mut self, world: &World) {
        let driver = self.picked(world).cloned();
        let kept: BTreeMap<String, Field> =
            self.fields.drain(OWN..).filter_map(|f| Some((f_name(&f)?, f))).collect();
        if let Some(driver) = &driver {
            let spec = &driver.spec;
            let about = first_line(&spec.info.description);
            self.fields[DRIVER].help = match &self.changed {
                Some(_) => format!("version of the driver {}", driver.reference.name),
                None => format!("{}  {about}", driver.reference.version),
            };
            let mut versions = spec.known_versions.clone();
            if !spec.default_version.is_empty() && !versions.contains(&spec.default_version) {
                versions.insert(0, spec.default_version.clone());
            }
            let supported = if spec.supported_versions.is_empty() { "any" } else { &spec.supported_versions };
            self.fields[VERSION].help = format!("supported: {supported}");
            let wanted = match &self.changed {
                // the driver offers its own; what runs stays until somebody says otherwise
                Some(_) => self.text(VERSION),
                None => spec.default_version.clone(),
            };
            self.fields[VERSION].entry = Entry::Choice(Choice::new(versions, &wanted, true));
            self.fields.extend(hosts::field(driver, self.changes(), kept.get(hosts::NAME)));
            for parameter in &spec.parameters {
                let mut field = self.parameter(parameter);
                if let Some(before) = kept.get(&parameter.name).filter(|before| before.asks == field.asks) {
                    (field.entry, field.kept) = (before.entry.clone(), before.kept);
                }
                self.fields.push(field);
            }
        }
        self.driver = driver;
        self.suggest_name(world);
    }

    /// The field of a parameter, with what was asked for before, else its default.
    fn parameter(&self, spec: &ParameterSpec) -> Field {
        let mut field = Field::parameter(spec);
        if let Some(before) = self.changes().and_then(|draft| draft.parameters.get(&spec.name)) {
            field.fill_again(before);
        }
        field
    }

    /// Takes the value of a parameter into a draft; what was typed into a secret goes beside the others.
    fn take(&self, field: &Field, spec: &ParameterSpec, draft: &mut DeploymentDraft) -> Result<(), String> {
        let value = if spec.kind == ParameterKind::Secret {
            match field.secret(spec)? {
                Some(typed) => {
                    draft.typed.insert(spec.name.clone(), typed);
                    None
                }
                None if field.kept == Kept::Stays => {
                    self.changes().and_then(|before| before.parameters.get(&spec.name)).cloned()
                }
                None => None,
            }
        } else {
            field.value(spec)?
        };
        draft.parameters.extend(value.map(|value| (spec.name.clone(), value)));
        Ok(())
    }

    /// Names the deployment like its driver, with a number when that name is taken.
    fn suggest_name(&mut self, world: &World) {
        if self.named {
            return;
        }
        let base = self.text(DRIVER);
        let mut name = base.clone();
        for number in 2..1000 {
            if !self.is_taken(&name, world) {
                break;
            }
            name = format!("{base}-{number}");
        }
        self.fields[NAME].entry = Entry::Text(TextField::new(&name));
    }

    fn is_taken(&self, name: &str, world: &World) -> bool {
        let key = ApplicationKey { environment: self.text(ENVIRONMENT), name: name.to_owned() };
        key.find(world).is_some()
    }

    /// The draft that the fields make.
    ///
    /// # Errors
    /// The first field with an error; every field with an error carries it.
    pub fn draft(&mut self, world: &World) -> Result<DeploymentDraft, usize> {
        let mut errors: Vec<Option<String>> = vec![None; self.fields.len()];
        errors[ENVIRONMENT] = label_error("environment", &self.text(ENVIRONMENT));
        errors[NAME] = label_error("deployment", &self.text(NAME)).or_else(|| {
            let place = self.text(ENVIRONMENT);
            (self.changed.is_none() && self.is_taken(&self.text(NAME), world))
                .then(|| format!("there is one of that name in {place}"))
        });
        if self.text(VERSION).trim().is_empty() {
            errors[VERSION] = Some("a version is needed".to_owned());
        }
        let mut draft = self.changes().cloned().unwrap_or_default();
        draft.parameters.clear();
        draft.hosts.clear();
        for (index, field) in self.fields.iter().enumerate() {
            errors[index] = match (&field.asks, &self.driver) {
                (Asks::Parameter(spec), _) => self.take(field, spec, &mut draft).err(),
                (Asks::Hosts, Some(driver)) => {
                    hosts::read(&field.text(), driver).map(|hosts| draft.hosts = hosts).err()
                }
                _ => continue,
            };
        }
        if self.driver.is_none() {
            errors[DRIVER] = Some("this driver is no longer loaded".to_owned());
        }
        let first = errors.iter().position(Option::is_some);
        for (field, error) in self.fields.iter_mut().zip(errors) {
            field.error = error;
        }
        match (first, &self.driver) {
            (None, Some(driver)) => Ok(DeploymentDraft {
                name: self.text(NAME),
                environment: self.text(ENVIRONMENT),
                driver: driver.reference.clone(),
                application_version: self.text(VERSION).trim().to_owned(),
                ..draft
            }),
            (first, _) => Err(first.unwrap_or(DRIVER)),
        }
    }
}

fn label_error(what: &str, name: &str) -> Option<String> {
    check_label(what, name).err().map(|problem| format!("{}: {}", problem.why, problem.next))
}

fn f_name(field: &Field) -> Option<String> {
    match &field.asks {
        Asks::Parameter(spec) => Some(spec.name.clone()),
        Asks::Hosts => Some(hosts::NAME.to_owned()),
        _ => None,
    }
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or("")
}

/// The versions of a driver, newest first.
fn driver_versions(world: &World, name: &str) -> Vec<String> {
    let of_it = world.drivers.iter().filter(|driver| driver.reference.name == name);
    of_it.map(|driver| driver.reference.version.clone()).collect()
}

/// The drivers by name, each once, the demo before all others; the picture has them by name, newest first.
fn driver_names(world: &World) -> Vec<String> {
    let mut names: Vec<String> = world.drivers.iter().map(|driver| driver.reference.name.clone()).collect();
    names.dedup();
    names.sort_by_key(|name| name != DEMO);
    names
}

fn environment_names(world: &World) -> Vec<String> {
    world.environments.iter().map(|environment| environment.name.clone()).collect()
}
