//! Backups: what is read from an application, where it is kept, and how it comes back.

pub mod strategy;
pub mod velero;
