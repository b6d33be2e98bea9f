//! A new driver to begin with: small, whole, and sound.

use crate::domain::Problem;
use crate::domain::names::check_label;

/// What stands for the driver's name in the files.
const PLACE: &str = "NAME";

const FILES: [(&str, &str); 2] = [
    ("driver.styrmin.yml", include_str!("skeleton/driver.styrmin.yml")),
    ("manifests/web.yaml.j2", include_str!("skeleton/manifests/web.yaml.j2")),
];

/// The files of a new driver, each by its path inside it.
///
/// # Errors
/// The name cannot be a driver's: it becomes part of names in Kubernetes.
pub fn skeleton(name: &str) -> Result<Vec<(&'static str, String)>, Problem> {
    check_label("driver", name)?;
    Ok(FILES.iter().map(|(path, text)| (*path, text.replace(PLACE, name))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::load_files;

    #[test]
    fn a_new_driver_has_nothing_to_find() {
        let files = skeleton("my-wiki").unwrap();
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), text)).collect();
        let loaded = load_files("here", files).unwrap_or_else(|found| panic!("{found:#?}"));
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.version.reference.to_string(), "my-wiki 0.1.0");
        assert!(!loaded.version.files.values().any(|text| text.contains(PLACE)));
    }

    #[test]
    fn a_name_that_cannot_be_is_refused() {
        for name in ["", "My_Wiki", "../x", "a/b", &"x".repeat(70)] {
            assert!(skeleton(name).is_err(), "{name}");
        }
    }
}
