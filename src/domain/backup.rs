//! Backups: where they lie, what was kept of an application, when the next one is made, and which ones may go.

mod location;
mod planned;
mod record;
mod request;
mod schedule;

pub use location::{KeySource, Location, LocationKind, LocationView, S3Credentials, SecretSource};
pub use planned::NewBackup;
pub use record::{
    Backup, BackupId, BackupPart, BackupSource, BackupState, Depth, Engine, PartState, SAFETY, Trigger,
    Verification,
};
pub use request::{
    BackupOf, BackupRequest, Changed, CloneRequest, CloneSource, GroupPart, GroupRequest, PartWork,
    PruneRequest, Request, RestorePath, RestoreRequest, VerifyRequest,
};
pub use schedule::{Fate, Missed, Pause, Retention, RunOutcome, Schedule, ScheduleRun, ScheduleView};
