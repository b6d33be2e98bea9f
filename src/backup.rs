//! Backups: streams out of running applications, kept in repositories in restic's format, and how they come back.
//!
//! - [`repository`]: a repository in a directory or a bucket; knows nothing of Kubernetes
//! - [`secrets`]: the values of the secrets that a location names
//! - [`strategy`]: a component becomes a stream, and a stream a component; knows nothing of repositories but where bytes go

pub mod repository;
pub mod secrets;
pub mod strategy;
