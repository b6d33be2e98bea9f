//! The drivers that are part of the binary.

use std::sync::LazyLock;

use super::{Diagnostic, Loaded, load_files};

/// Where built-in drivers say they come from.
pub const SOURCE: &str = "built-in";

/// The files of one driver: paths inside it, and contents.
type Files = &'static [(&'static str, &'static str)];

macro_rules! files {
    ($driver:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../drivers/", $driver, "/", $path)))),+]
    };
}

const ALL: &[Files] = &[
    files!("notes":
        "driver.styrmin.yml",
        "actions.star",
        "manifests/_labels.j2",
        "manifests/db.yaml.j2",
        "manifests/web.yaml.j2",
    ),
    files!("nginx":
        "driver.styrmin.yml",
        "values.j2.yml",
        "chart/Chart.yaml",
        "chart/values.yaml",
        "chart/values.schema.json",
        "chart/templates/NOTES.txt",
        "chart/templates/_helpers.tpl",
        "chart/templates/configuration.yaml",
        "chart/templates/deployment.yaml",
    ),
    files!("postgres":
        "driver.styrmin.yml",
        "manifests/_labels.j2",
        "manifests/server.yaml.j2",
    ),
    files!("traefik":
        "driver.styrmin.yml",
        "manifests/_labels.j2",
        "manifests/access.yaml.j2",
        "manifests/proxy.yaml.j2",
    ),
];

/// The built-in drivers. One that cannot be loaded is left out; a test holds that none is.
pub fn built_in() -> Vec<Loaded> {
    static LOADED: LazyLock<Vec<Loaded>> =
        LazyLock::new(|| ALL.iter().filter_map(|files| load(files).ok()).collect());
    LOADED.clone()
}

fn load(files: Files) -> Result<Loaded, Vec<Diagnostic>> {
    load_files(SOURCE, files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::driver::load_directory;

    #[test]
    fn every_built_in_driver_loads_without_a_warning() {
        for files in ALL {
            let loaded = load(files).unwrap_or_else(|errors| panic!("{errors:#?}"));
            assert!(loaded.warnings.is_empty(), "{:#?}", loaded.warnings);
        }
        assert_eq!(built_in().len(), ALL.len());
    }

    #[test]
    fn what_is_embedded_is_what_is_in_the_directory() {
        let drivers = Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers");
        for built_in in built_in() {
            let name = &built_in.version.reference.name;
            let read = load_directory(&drivers.join(name)).unwrap();
            assert_eq!(
                read.version.digest, built_in.version.digest,
                "a file of {name} is missing in the list above"
            );
        }
        assert_eq!(
            std::fs::read_dir(drivers).unwrap().count(),
            ALL.len(),
            "a driver is missing in the list above"
        );
    }
}
