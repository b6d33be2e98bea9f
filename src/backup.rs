//! Backups: what is read from an application, where it is kept, and how it comes back; when they are made, and which ones stay.
//!
//! - [`repository`]: a repository in a directory or a bucket; knows nothing of Kubernetes
//! - [`secrets`]: the values of the secrets that a location names

pub mod calendar;
pub mod hands;
pub mod manifest;
pub mod repository;
pub mod retention;
pub mod scan;
pub mod scheduler;
pub mod secrets;
pub mod strategy;
pub mod sweep;

#[cfg(test)]
mod sample_tests;

/// Who does the steps of backups, over these records and this cluster.
pub fn extension(
    _store: crate::store::Store,
    _cluster: crate::cluster::Cluster,
    _clock: std::sync::Arc<dyn crate::domain::Clock>,
) -> std::sync::Arc<dyn crate::operate::Extension> {
    std::sync::Arc::new(Unequipped)
}

/// Where there is nothing to keep backups with yet.
struct Unequipped;

impl Unequipped {
    fn refuse<T>() -> Result<T, crate::operate::StepError> {
        let what = "this version of Styrmin has no repository for backups";
        Err(crate::operate::StepError::lasting(crate::domain::Problem::new(what, "", "use a later version")))
    }
}

impl crate::operate::Extension for Unequipped {
    fn execute<'a>(
        &'a self,
        _: crate::operate::StepRun<'a>,
    ) -> futures::future::BoxFuture<'a, Result<crate::operate::Done, crate::operate::StepError>> {
        Box::pin(async { Self::refuse() })
    }

    fn back_up<'a>(
        &'a self,
        _: crate::operate::StepRun<'a>,
        _: &'a str,
    ) -> futures::future::BoxFuture<'a, Result<String, crate::operate::StepError>> {
        Box::pin(async { Self::refuse() })
    }

    fn probe<'a>(
        &'a self,
        _: crate::operate::StepRun<'a>,
    ) -> futures::future::BoxFuture<'a, Result<crate::operate::Probed, crate::operate::StepError>> {
        Box::pin(async { Self::refuse() })
    }
}
