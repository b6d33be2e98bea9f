//! Strategies: how the data of one component becomes one stream of bytes, and how the stream becomes its data again.
//!
//! ```text
//! dump ─► exec (dump tool, tar) ─► bounded channel ─► watch (end mark, idle, progress) ─► Sink
//! restore: Stream ─► (filter) ─► bounded channel ─► exec (psql, mariadb, tar …)
//! ```
//! Nothing is kept on a disk in between, and a few MiB at most are in memory. A dump is whole only when the tool said so: by its exit code,
//! by what it did not complain of, and by the mark with which its format ends.

use bytes::Bytes;
use futures::Stream;

use crate::cluster::Cluster;

mod error;
mod face;
mod place;

pub use error::StrategyError;
pub use face::{Direction, Dumped, Helper, Incoming, Restored, Resumed, Sink, Work};
pub use place::{Place, Wanted, find};

/// Reads a component: its bytes go to `sink`, which is finished only when they are whole. Dropping this ends the tool in the pod: TERM, and
/// KILL 5 s later.
///
/// # Errors
/// When anything says that they are not: the exit code, the complaints, a missing end, silence, or the sink.
pub async fn dump(_work: Work<'_>, _sink: impl Sink) -> Result<Dumped, StrategyError> {
    Err(StrategyError::lasting("not built yet", "", ""))
}

/// Restores a component from a stream. Dropping this ends the tool in the pod; repeating it begins anew.
///
/// # Errors
/// When versions forbid it, the stream breaks off, or the tool complains.
pub async fn restore<S>(_work: Work<'_>, _incoming: Incoming<S>) -> Result<Restored, StrategyError>
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
{
    Err(StrategyError::lasting("not built yet", "", ""))
}

/// Makes a component hold still, for at most its limit: a switch inside the pod lets it go by then, whatever became of us. Nothing is done
/// where the driver declares nothing.
///
/// # Errors
/// When its command fails; then it is let go at once.
pub async fn quiesce(_cluster: &Cluster, _place: &Place) -> Result<(), StrategyError> {
    Err(StrategyError::lasting("not built yet", "", ""))
}

/// Lets a component go again. May be repeated.
///
/// # Errors
/// When its command fails; the switch inside the pod stays, and tries it as well.
pub async fn resume(_cluster: &Cluster, _place: &Place) -> Result<Resumed, StrategyError> {
    Err(StrategyError::lasting("not built yet", "", ""))
}

/// A place in a helper pod, made now or found as a crash left it, and ready. The component has to be stopped.
///
/// # Errors
/// When it cannot be made, or does not run in time.
pub async fn helper(_wanted: Wanted<'_>, _helper: &Helper) -> Result<Place, StrategyError> {
    Err(StrategyError::lasting("not built yet", "", ""))
}

/// Takes the helper pods of an operation away; of a step, when one is given in the labels. None is as good as gone.
///
/// # Errors
/// When the cluster does not answer.
pub async fn remove_helpers(
    _cluster: &Cluster,
    _namespace: &str,
    _labels: &[(&'static str, String)],
) -> Result<(), StrategyError> {
    Err(StrategyError::lasting("not built yet", "", ""))
}
