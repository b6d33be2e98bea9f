//! Backups: streams out of running applications, kept in repositories in restic's format.
//!
//! - [`repository`]: a repository in a directory or a bucket; knows nothing of Kubernetes
//! - [`secrets`]: the values of the secrets that a location names

pub mod repository;
pub mod secrets;
