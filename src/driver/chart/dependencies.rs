//! Which of the charts in a chart are taken, under which names, and what of their values their parents take over.
//!
//! The order of things is Helm's `ProcessDependenciesWithMerge`: aliases, then tags, then conditions, each chart before the
//! charts in it; then imports, each chart after the charts in it.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::error::ChartError;
use super::load::Chart;
use super::merge::{Nulls, Warnings, coalesce, deep, merge_tables};
use super::metadata::{Dependency, Import, Metadata};
use super::plain;
use super::value::{Dict, Value};
use super::versions;

/// How many charts there may be, each alias counted.
const CHART_LIMIT: usize = 500;
/// How large the defaults of all of them may be together, in bytes of YAML.
const VALUES_LIMIT: usize = 16 << 20;

/// A chart that is taken, and those in it.
#[derive(Clone)]
pub(super) struct Node<'a> {
    /// Its files.
    pub(super) chart: &'a Chart,
    /// Its name is the alias, its dependencies are those that are taken.
    pub(super) metadata: Metadata,
    /// Its defaults, with what it imports.
    pub(super) values: Value,
    /// The charts in it that are taken.
    pub(super) children: Vec<Self>,
}

impl<'a> Node<'a> {
    fn new(chart: &'a Chart) -> Self {
        Self {
            chart,
            metadata: chart.metadata.clone(),
            values: plain::to_value(&chart.values),
            children: chart.charts.iter().map(Self::new).collect(),
        }
    }

    /// The name under which its parent knows it.
    pub(super) fn name(&self) -> &str {
        &self.metadata.name
    }
}

/// The charts that are taken when these values are given.
///
/// # Errors
/// A dependency is missing, there are too many charts, or the values of a chart are no table.
pub(super) fn resolve<'a>(
    chart: &'a Chart,
    values: &Value,
    warnings: &mut Warnings,
) -> Result<Node<'a>, ChartError> {
    check_present(chart)?;
    let mut resolution = Resolution { charts: CHART_LIMIT, bytes: VALUES_LIMIT, warnings };
    resolution.count(chart)?;
    let mut root = Node::new(chart);
    resolution.choose(&mut root, values, "")?;
    resolution.import(&mut root)?;
    Ok(root)
}

fn check_present(chart: &Chart) -> Result<(), ChartError> {
    let there: BTreeSet<&str> = chart.charts.iter().map(|chart| chart.metadata.name.as_str()).collect();
    let dependencies = chart.metadata.dependencies.iter().map(|dependency| dependency.name.as_str());
    let missing: Vec<&str> = dependencies.filter(|name| !there.contains(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("found in Chart.yaml, but missing in charts/ directory: {}", missing.join(", "));
    Err(ChartError::Refused(message))
}

struct Resolution<'w> {
    charts: usize,
    bytes: usize,
    warnings: &'w mut Warnings,
}

impl Resolution<'_> {
    /// Takes a chart and those in it into account, before they are copied.
    fn count(&mut self, chart: &Chart) -> Result<(), ChartError> {
        let left = self.charts.checked_sub(1).zip(self.bytes.checked_sub(chart.values_size));
        let Some((charts, bytes)) = left else {
            let message =
                format!("it has more than {CHART_LIMIT} charts, or more than {VALUES_LIMIT} bytes of values");
            return Err(ChartError::Refused(message));
        };
        (self.charts, self.bytes) = (charts, bytes);
        chart.charts.iter().try_for_each(|chart| self.count(chart))
    }

    /// Gives aliases and drops what is not enabled. `given` is seen from the root; `place` leads from there to the chart.
    fn choose(&mut self, node: &mut Node<'_>, given: &Value, place: &str) -> Result<(), ChartError> {
        if node.metadata.dependencies.is_empty() {
            return Ok(());
        }
        self.name(node)?;
        let values = coalesce(node, given, Nulls::Delete, self.warnings)?;
        let mut dropped = BTreeSet::new();
        for dependency in &node.metadata.dependencies {
            if !self.enabled(dependency, &values, place) {
                dropped.insert(dependency.key().to_owned());
            }
        }
        node.children.retain(|child| !dropped.contains(child.name()));
        node.metadata.dependencies.retain(|dependency| !dropped.contains(dependency.key()));
        for child in &mut node.children {
            let place = format!("{place}{}.", child.name());
            self.choose(child, &values, &place)?;
        }
        Ok(())
    }

    /// Puts the charts that no dependency speaks of first, then one for each dependency, under its alias.
    fn name(&mut self, node: &mut Node<'_>) -> Result<(), ChartError> {
        let fits = |child: &Node<'_>, dependency: &Dependency| {
            child.name() == dependency.name
                && versions::compatible(&dependency.version, &child.metadata.version)
        };
        let dependencies = &node.metadata.dependencies;
        let unlisted = |child: &&Node<'_>| !dependencies.iter().any(|dependency| fits(child, dependency));
        let mut children: Vec<_> = node.children.iter().filter(unlisted).cloned().collect();
        for child in &children {
            if let Some(dependency) = dependencies.iter().find(|dependency| dependency.name == child.name()) {
                self.warnings.add(format!(
                    "{} {} is taken as it is: Chart.yaml asks for {:?}",
                    child.name(),
                    child.metadata.version,
                    dependency.version
                ));
            }
        }
        let mut taken = BTreeSet::new();
        for dependency in dependencies {
            let found = node.children.iter().enumerate().find(|(_, child)| fits(child, dependency));
            if let Some((place, child)) = found {
                // what is taken once was counted when it was found
                if !taken.insert(place) {
                    self.count(child.chart)?;
                }
                let mut child = child.clone();
                dependency.key().clone_into(&mut child.metadata.name);
                children.push(child);
            }
        }
        node.children = children;
        Ok(())
    }

    fn enabled(&mut self, dependency: &Dependency, values: &Value, place: &str) -> bool {
        let by_tags = self.enabled_by_tags(dependency, values);
        for condition in dependency.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
            match lookup(values, &format!("{place}{condition}")) {
                Some(Value::Bool(enabled)) => return enabled,
                None | Some(Value::Dict(_)) => {}
                Some(_) => self.warnings.add(format!(
                    "Condition path '{condition}' for chart {} returned non-bool value",
                    dependency.key()
                )),
            }
        }
        by_tags
    }

    fn enabled_by_tags(&mut self, dependency: &Dependency, values: &Value) -> bool {
        let Some(tags @ Value::Dict(_)) = values.get("tags") else { return true };
        let (mut yes, mut no) = (false, false);
        for tag in &dependency.tags {
            match tags.get(tag) {
                None => {}
                Some(Value::Bool(true)) => yes = true,
                Some(Value::Bool(false)) => no = true,
                Some(_) => self
                    .warnings
                    .add(format!("Tag '{tag}' for chart {} returned non-bool value", dependency.key())),
            }
        }
        yes || !no
    }

    /// Takes values over from the charts in it. What the parent says itself wins over what it imports.
    fn import(&mut self, node: &mut Node<'_>) -> Result<(), ChartError> {
        node.children.iter_mut().try_for_each(|child| self.import(child))?;
        if node.metadata.dependencies.is_empty() {
            return Ok(());
        }
        let values = coalesce(node, &Value::Nil, Nulls::Keep, self.warnings)?;
        let imported = Dict::default();
        for dependency in &node.metadata.dependencies {
            for import in &dependency.imports {
                let (child, parent) = match import {
                    Import::Export(name) => (format!("exports.{name}"), "."),
                    Import::Table { child, parent } => (child.clone(), parent.as_str()),
                };
                match lookup(&values, &format!("{}.{child}", dependency.key())) {
                    Some(table @ Value::Dict(_)) => {
                        if let Value::Dict(table) = &at(parent, deep(&table)) {
                            merge_tables(&imported, table, Nulls::Keep, self.warnings);
                        }
                    }
                    _ => self
                        .warnings
                        .add(format!("ImportValues missing table from chart {}: {child}", dependency.key())),
                }
            }
        }
        if let Value::Dict(values) = &values {
            merge_tables(values, &imported, Nulls::Keep, self.warnings);
        }
        node.values = values;
        Ok(())
    }
}

/// The value at a path whose parts are separated by dots.
fn lookup(values: &Value, path: &str) -> Option<Value> {
    path.split('.').try_fold(values.clone(), |value, part| value.get(part))
}

/// `table` within tables along `path`; the table itself for `.`.
fn at(path: &str, table: Value) -> Value {
    if path == "." {
        return table;
    }
    path.rsplit('.').fold(table, |inner, part| {
        Value::Dict(Rc::new(
            [(Rc::from(part), inner)].into_iter().collect::<std::collections::BTreeMap<_, _>>().into(),
        ))
    })
}

#[cfg(test)]
mod tests;
