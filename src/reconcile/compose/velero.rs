//! Backups and restores that Velero makes: one step each, between the actions of the driver.

use crate::domain::backup::Backup;
use crate::domain::canonical::canonical_digest;
use crate::domain::driver::Mode;
use crate::domain::plan::{Class, Verb};
use crate::domain::{ObjectKey, Plan, Step};

use super::backup::{SEAL, SEALED_WITHIN, WITHIN, ending, finish, prepare};
use super::restore::SEAL_SAFETY;
use super::{Basis, HEALTHY_WITHIN, actions};

/// The step that has Velero make a backup.
pub const BACK_UP_WITH: &str = "back up with Velero";
/// The step that has it restore one.
pub const RESTORE_WITH: &str = "restore with Velero";

/// What Velero is asked for.
pub struct Asked<'a> {
    /// The location, and where that is: in words.
    pub place: &'a str,
    /// What else is worth knowing before.
    pub warnings: &'a [String],
    /// The components that it makes hold still.
    pub held: &'a [&'a str],
}

/// The plan of a backup.
pub fn back_up_with(basis: &Basis<'_>, asked: &Asked<'_>) -> Plan {
    let mut steps: Vec<Step> = Vec::new();
    let before = actions::append(&mut steps, basis, Mode::Pre, &[]);
    prepare(&mut steps, 0);
    steps.push(Step { after: before, ..keep(asked) });
    let kept = [steps.len() - 1];
    let core = actions::append(&mut steps, basis, Mode::Core, &kept);
    let done: Vec<usize> = kept.into_iter().chain(core).collect();
    actions::append(&mut steps, basis, Mode::Post, &done);
    let endings = steps.len();
    actions::append_endings(&mut steps, basis);
    steps.push(Step {
        after: (endings..steps.len()).collect(),
        timeout: SEALED_WITHIN,
        note: format!("in {}", asked.place),
        ..ending(SEAL)
    });
    finish(basis, steps, asked.warnings)
}

/// The plan of a restore of `backup` over `workloads`; what is there now is kept before where `safety` says so.
pub fn restore_with(
    basis: &Basis<'_>,
    asked: &Asked<'_>,
    (backup, safety): (&Backup, bool),
    workloads: &[(String, Vec<ObjectKey>)],
) -> Plan {
    let mut steps: Vec<Step> = Vec::new();
    let mut ready = actions::append(&mut steps, basis, Mode::Pre, &[]);
    if safety {
        steps.push(Step { after: ready, ..keep(asked) });
        ready = vec![steps.len() - 1];
    }
    prepare(&mut steps, 0);
    steps.push(Step {
        after: ready,
        class: Class::Destructive,
        timeout: WITHIN,
        note: format!("as it was at {}", backup.created.strftime("%Y-%m-%d %H:%M:%S UTC")),
        digest: canonical_digest(&serde_json::json!([backup.id, backup.location])),
        ..Step::named(Verb::Run, RESTORE_WITH)
    });
    let restored = steps.len() - 1;
    let mut keys: Vec<&ObjectKey> = workloads.iter().flat_map(|(_, keys)| keys).collect();
    keys.sort();
    keys.dedup();
    steps.extend(keys.into_iter().map(|key| Step {
        after: vec![restored],
        timeout: u32::try_from(HEALTHY_WITHIN.as_secs()).unwrap_or(600),
        note: "until it is healthy".to_owned(),
        ..Step::on(Verb::Wait, key.clone())
    }));
    let done: Vec<usize> = (restored..steps.len()).collect();
    actions::append(&mut steps, basis, Mode::Post, &done);
    let endings = steps.len();
    actions::append_endings(&mut steps, basis);
    if safety {
        steps.push(Step {
            after: (endings..steps.len()).collect(),
            timeout: SEALED_WITHIN,
            note: format!("in {}", asked.place),
            ..ending(SEAL_SAFETY)
        });
    }
    finish(basis, steps, asked.warnings)
}

fn keep(asked: &Asked<'_>) -> Step {
    let still = match asked.held.is_empty() {
        true => String::new(),
        false => format!("; it makes {} hold still", asked.held.join(", ")),
    };
    Step {
        timeout: WITHIN,
        note: format!("in {}{still}", asked.place),
        digest: canonical_digest(&serde_json::json!([asked.place, asked.held])),
        ..Step::named(Verb::Read, BACK_UP_WITH)
    }
}

#[cfg(test)]
pub(in crate::reconcile) mod tests;
