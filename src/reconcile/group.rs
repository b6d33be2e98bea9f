//! Operations that are made of others: the backup and the restore of an environment, a clone, a new application from a backup, and
//! the drill that proves one; and what is said of an environment or of the cluster, with what follows from it. Each part is an operation of its own, planned when its turn comes, and found again after a crash by
//! the step that it is part of.

mod clone;
mod configure;
mod course;
mod hands;
mod layout;
mod parts;
mod propose;
mod rewrite;
mod secrets;

pub(super) use configure::{check_https, new_place};
pub(super) use propose::is_group;
