//! `index.yaml`, read down to what is needed of it. The largest have 20 MB, most of which nobody here looks at.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_saphyr::{Budget, Options};

/// How many versions an index may list, of all its charts.
const COUNT_LIMIT: usize = 200_000;
/// What a repository has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Index {
    entries: BTreeMap<String, Vec<Entry>>,
}

/// A version of a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Entry {
    pub(super) version: String,
    /// Where its archive is, from the index or in full. Helm takes the first of several, too.
    pub(super) url: Option<String>,
    pub(super) digest: Option<String>,
}

impl Index {
    /// Reads YAML or JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let document: Document = match serde_json::from_str(text) {
            Ok(document) => document,
            Err(_) => serde_saphyr::from_str_with_options(text, options(text.len()))
                .map_err(|error| crate::driver::yaml::bare_message(&error))?,
        };
        let Some(Charts(entries)) = document.entries else { return Err("it has no entries".to_owned()) };
        Ok(Self { entries })
    }

    /// The names of its charts.
    pub(super) fn charts(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Its chart, when it has just one.
    pub(super) fn only_chart(&self) -> Option<&str> {
        let mut charts = self.charts();
        charts.next().filter(|_| charts.next().is_none())
    }

    /// The versions of a chart.
    pub(super) fn versions(&self, chart: &str) -> Option<&[Entry]> {
        self.entries.get(chart).map(Vec::as_slice)
    }
}

/// As many nodes as a text of that length can have, so that the limits are the text's own; those of aliases stay.
fn options(length: usize) -> Options {
    let mut budget = Budget::default();
    budget.max_events = budget.max_events.max(length);
    budget.max_nodes = budget.max_nodes.max(length);
    budget.max_total_scalar_bytes = budget.max_total_scalar_bytes.max(length);
    let mut options = Options::default();
    options.budget = Some(budget);
    options.with_snippet = false;
    options
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    entries: Option<Charts>,
}

struct Charts(BTreeMap<String, Vec<Entry>>);

impl<'de> Deserialize<'de> for Charts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap;
        impl<'de> Visitor<'de> for OfMap {
            type Value = Charts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("charts by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Charts, A::Error> {
                let mut charts = BTreeMap::new();
                let mut count = 0;
                while let Some((name, Versions(versions))) = map.next_entry::<String, Versions>()? {
                    count += versions.len();
                    if count > COUNT_LIMIT {
                        return Err(serde::de::Error::custom(format!(
                            "it lists more than {COUNT_LIMIT} versions"
                        )));
                    }
                    charts.insert(name, versions);
                }
                Ok(Charts(charts))
            }
        }
        deserializer.deserialize_map(OfMap)
    }
}

/// The versions of a chart. Those that make no sense are left out, as Helm leaves them out: one author's slip does not take
/// the repository from everybody.
struct Versions(Vec<Entry>);

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfList;
        impl<'de> Visitor<'de> for OfList {
            type Value = Versions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of versions")
            }

            fn visit_unit<E>(self) -> Result<Versions, E> {
                Ok(Versions(Vec::new()))
            }

            fn visit_none<E>(self) -> Result<Versions, E> {
                Ok(Versions(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Versions, A::Error> {
                let mut versions = Vec::new();
                while let Some(entry) = list.next_element::<Option<Loose>>()? {
                    let Some(Loose { version: Some(version), urls, digest }) = entry else { continue };
                    let FirstUrl(url) = urls;
                    if versions.len() == COUNT_LIMIT {
                        return Err(serde::de::Error::custom(format!(
                            "it lists more than {COUNT_LIMIT} versions"
                        )));
                    }
                    versions.push(Entry { version, url, digest });
                }
                Ok(Versions(versions))
            }
        }
        deserializer.deserialize_any(OfList)
    }
}

#[derive(Deserialize)]
struct Loose {
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    urls: FirstUrl,
    #[serde(default)]
    digest: Option<String>,
}

#[derive(Default)]
struct FirstUrl(Option<String>);

impl<'de> Deserialize<'de> for FirstUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfList;
        impl<'de> Visitor<'de> for OfList {
            type Value = FirstUrl;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of URLs")
            }

            fn visit_unit<E>(self) -> Result<FirstUrl, E> {
                Ok(FirstUrl(None))
            }

            fn visit_none<E>(self) -> Result<FirstUrl, E> {
                Ok(FirstUrl(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FirstUrl, A::Error> {
                let first = list.next_element()?;
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(FirstUrl(first))
            }
        }
        deserializer.deserialize_any(OfList)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_read() {
        let text = "apiVersion: v1\nentries:\n  wiki:\n  - version: 1.2.0\n    appVersion: 4\n    urls: [a.tgz, b.tgz]\n    digest: ab\n    \
                    annotations: {x: 'y: z'}\n  -\n  - urls: [c.tgz]\n  - version: 1.10\n    urls:\n  empty:\ngenerated: x\n";
        let index = Index::parse(text).unwrap();
        assert_eq!(index.charts().collect::<Vec<_>>(), ["empty", "wiki"]);
        assert_eq!(index.only_chart(), None);
        let versions = index.versions("wiki").unwrap();
        let first = Entry {
            version: "1.2.0".to_owned(),
            url: Some("a.tgz".to_owned()),
            digest: Some("ab".to_owned()),
        };
        assert_eq!(versions[0], first);
        assert_eq!((versions[1].version.as_str(), versions.len()), ("1.10", 2));
        let json = Index::parse(
            r#"{"entries": {"wiki": [{"version": "1.2.0", "urls": ["a.tgz", "b.tgz"], "digest": "ab"}]}}"#,
        );
        assert_eq!(json.unwrap().versions("wiki").unwrap(), [first]);
    }

    #[test]
    fn what_is_no_index_is_told() {
        assert_eq!(Index::parse("apiVersion: v1\n").unwrap_err(), "it has no entries");
        for wrong in ["<html>", "entries: 1", "entries: {a: 1}", "entries: {a: [1]}", "entries: [", "a: b: c"]
        {
            assert!(Index::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn aliases_do_not_multiply() {
        let mut text = "x0: &x0 [{version: 1.0.0}]\n".to_owned();
        for level in 1..30 {
            let before = level - 1;
            text += &format!("x{level}: &x{level} [*x{before}, *x{before}, *x{before}, *x{before}]\n");
        }
        text += "entries: {a: *x29}\n";
        assert!(Index::parse(&text).is_err());
    }
}
