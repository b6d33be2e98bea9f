//! The driver versions that can be deployed, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::{DriverRef, DriverVersion};

/// The catalogue: filled at start, added to when a driver is loaded.
#[derive(Debug, Default)]
pub struct Drivers(RwLock<BTreeMap<DriverRef, Arc<DriverVersion>>>);

impl Drivers {
    /// A catalogue of these versions.
    pub fn new(versions: impl IntoIterator<Item = DriverVersion>) -> Self {
        let drivers = Self::default();
        versions.into_iter().for_each(|version| drivers.insert(version));
        drivers
    }

    /// Adds a version; the same version again replaces it.
    pub fn insert(&self, version: DriverVersion) {
        let mut versions = self.0.write().unwrap_or_else(PoisonError::into_inner);
        versions.insert(version.reference.clone(), Arc::new(version));
    }

    /// One version.
    pub fn get(&self, reference: &DriverRef) -> Option<Arc<DriverVersion>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(reference).cloned()
    }

    /// All of them, by name and version.
    pub fn all(&self) -> Vec<Arc<DriverVersion>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
