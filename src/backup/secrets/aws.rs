//! Profiles in the usual AWS files: `~/.aws/credentials` (`[name]`) and `~/.aws/config` (`[profile name]`).

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// The settings of one profile. What was found first stays.
#[derive(Default)]
pub(super) struct Profile(BTreeMap<String, Zeroizing<String>>);

impl Profile {
    /// Adds what a file says of `profile`.
    pub(super) fn add(&mut self, text: &str, profile: &str) {
        let mut own = false;
        for line in text.lines() {
            let plain = line.trim();
            if plain.starts_with(['#', ';']) || plain.is_empty() {
                continue;
            }
            if let Some(section) = plain.strip_prefix('[') {
                let section = section.split(']').next().unwrap_or("").trim();
                let section = section.strip_prefix("profile ").unwrap_or(section).trim();
                own = section.trim_matches('"') == profile;
                continue;
            }
            // indented lines belong to the setting before them
            let Some((name, value)) = plain.split_once('=').filter(|_| own && !line.starts_with([' ', '\t']))
            else {
                continue;
            };
            let value = Zeroizing::new(value.trim().to_owned());
            self.0.entry(name.trim().to_ascii_uppercase()).or_insert(value);
        }
    }

    /// A setting, by the name that its variable has.
    pub(super) fn get(&self, name: &str) -> Option<Zeroizing<String>> {
        self.0.get(name).cloned()
    }
}
