//! Wishes for backups and restores: checked against the records, the driver and what runs. Nothing is written.

use crate::domain::backup::{
    Backup, BackupPart, BackupRequest, BackupState, Engine as BackupEngine, Location, LocationKind,
    NewBackup, Request, RestoreRequest, Trigger,
};
use crate::domain::driver::DriverSpec;
use crate::domain::object::Detail;
use crate::domain::world::ComponentView;
use crate::domain::{
    Deployment, DeploymentId, DesiredPhase, DriverVersion, Intent, OperationKind, Plan, Problem, suggest,
};

use super::components::{component_views, component_workloads};
use super::compose::{
    Basis, Keeping, Restoring, back_up, going_on, hooks_of_backup, restore, running_beside,
};
use super::draw::Order;
use super::engine::Engine;
use super::observe::Observed;
use super::wish::Wish;

mod velero;

pub(super) use velero::unverifiable;

/// How many of an application's backups are looked at for how much to expect.
const LOOKED_AT: u32 = 10;

/// What a backup or a restore is planned with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Data {
    /// What was asked for.
    pub request: Request,
    /// Where the backup that is made goes.
    pub location: Location,
    /// The machine of the engine, where the location is a directory of it.
    pub host: Option<String>,
    /// The backup that is restored.
    pub restored: Option<Backup>,
    /// The last complete backup of the application.
    pub last: Option<Backup>,
}

impl Data {
    /// Where the location is, in words.
    fn place(&self) -> String {
        let Location { name, .. } = &self.location;
        match &self.host {
            Some(host) => format!("{name} ({} on {host})", self.location.address()),
            None => format!("{name} ({})", self.location.address()),
        }
    }

    /// The backup that is made: of what is asked for, or of what is about to be overwritten.
    fn made(&self) -> BackupRequest {
        match &self.request {
            Request::Backup(request) => request.clone(),
            _ => BackupRequest { trigger: Trigger::Restore, ..BackupRequest::default() },
        }
    }
}

impl Engine {
    /// What a wish for a backup comes down to.
    pub(super) async fn wish_to_back_up(
        &self,
        id: DeploymentId,
        request: &BackupRequest,
    ) -> Result<Wish, Problem> {
        let record = self.running(id, "backed up").await?;
        self.check_idle(&record).await?;
        let driver = self.known_driver(&record.draft).await?;
        let location = self.location_of(&record.draft.environment).await?;
        match location.is_velero() {
            true => velero::check_whole(&record, &request.components)?,
            false => check_components(&record, &driver.spec, &request.components)?,
        }
        let data = self.data(&record, Request::Backup(request.clone()), location, None).await?;
        self.placed_with(Order::of(OperationKind::Backup, record), data).await
    }

    /// What a wish for a restore comes down to.
    pub(super) async fn wish_to_restore(
        &self,
        id: DeploymentId,
        request: &RestoreRequest,
    ) -> Result<Wish, Problem> {
        let record = self.running(id, "restored").await?;
        self.check_nothing_open(&record, &[OperationKind::Backup]).await?;
        let backup = self.store().backup(&request.backup).await?.ok_or_else(|| unknown(request))?;
        let driver = self.known_driver(&record.draft).await?;
        match backup.engine {
            BackupEngine::Velero => {
                velero::check_restorable(&backup, request, &record, self.cluster().name())?;
            }
            BackupEngine::Styrmin => {
                check_backup(&backup, request, &record)?;
                check_fits(&backup, request, &driver, &record)?;
            }
        }
        let kept_in = self.location(&backup.location).await?;
        let location = match self.location_of(&record.draft.environment).await {
            // what Velero keeps, it keeps together; and what we keep is none of its business
            Ok(location) if !location.is_velero() && !kept_in.is_velero() => location,
            _ => kept_in,
        };
        let request = Request::Restore(request.clone());
        let data = self.data(&record, request, location, Some(backup)).await?;
        self.placed_with(Order::of(OperationKind::Restore, record), data).await
    }

    async fn placed_with(&self, order: Order, data: Data) -> Result<Wish, Problem> {
        self.placed(Order { data: Some(data), ..order }, None).await
    }

    async fn data(
        &self,
        record: &Deployment,
        request: Request,
        location: Location,
        restored: Option<Backup>,
    ) -> Result<Data, Problem> {
        let subject = self.subject(&record.draft.environment, &record.draft.name);
        let known = self.store().backups_of(&subject, LOOKED_AT).await?;
        let last = known.into_iter().find(|backup| backup.state == BackupState::Completed);
        let host = match location.kind {
            LocationKind::Directory { .. } => {
                let engine = self.store().engine(self.cluster().name()).await?;
                engine.and_then(|engine| engine.holder).map(|holder| holder.host)
            }
            LocationKind::S3 { .. } | LocationKind::Velero { .. } => None,
        };
        Ok(Data { request, location, host, restored, last })
    }

    /// A deployment that runs, or is to.
    async fn running(&self, id: DeploymentId, what: &str) -> Result<Deployment, Problem> {
        let record = self.recorded(id).await?;
        let name = &record.draft.name;
        if self.store().latest_instance(id).await?.is_none() {
            return Err(Problem::new(
                format!("{name} cannot be {what}"),
                "it was never deployed",
                "wait until it runs",
            ));
        }
        match record.phase {
            DesiredPhase::Running => Ok(record),
            DesiredPhase::Stopped => Err(Problem::new(
                format!("{name} cannot be {what}"),
                "it is stopped: its data is reached through its pods",
                "start it first",
            )),
            DesiredPhase::Deleting => {
                Err(Problem::new(format!("{name} cannot be {what}"), "it is being taken away", "nothing"))
            }
        }
    }

    /// The location that an environment is backed up to.
    async fn location_of(&self, environment: &str) -> Result<Location, Problem> {
        let known = self.store().environment(self.cluster().name(), environment).await?;
        let Some(name) = known.and_then(|known| known.backup_location) else {
            return Err(Problem::new(
                format!("{environment} has no backup location"),
                "nobody said where its backups are to be kept",
                format!(
                    "styrmin location add NAME --path DIR, then styrmin location assign NAME --environment {environment}"
                ),
            ));
        };
        self.location(&name).await
    }

    pub(super) async fn location(&self, name: &str) -> Result<Location, Problem> {
        match self.store().location(name).await? {
            Some(view) => Ok(view.location),
            None => Err(Problem::new(
                format!("there is no backup location '{name}'"),
                "it was taken out of the records",
                format!("styrmin location add {name} …, with the key that it had"),
            )),
        }
    }

    /// While an application is restored nothing else is done to it.
    pub(super) async fn check_not_restored(&self, intent: &Intent) -> Result<(), Problem> {
        let id = match intent {
            Intent::Change(id, _)
            | Intent::Rollback(id, _)
            | Intent::Stop(id)
            | Intent::Start(id)
            | Intent::Restart(id, _)
            | Intent::Scale(id, ..)
            | Intent::Correct(id)
            | Intent::Act(id, _)
            | Intent::Delete(id, _)
            | Intent::BackUp(id, _)
            | Intent::Restore(id, _) => *id,
            _ => return Ok(()),
        };
        let record = self.recorded(id).await?;
        let subject = self.subject(&record.draft.environment, &record.draft.name);
        let current = self.store().current_operation(&subject).await?.map(|view| view.operation);
        match current.filter(|open| !open.state.is_final() && open.kind == OperationKind::Restore) {
            None => Ok(()),
            Some(open) => {
                let (name, operation) = (record.draft.name, open.id);
                Err(crate::store::StoreError::Restoring { name, operation }.into())
            }
        }
    }
}

/// The plan of a backup, or of a restore; and the backup that it makes.
pub(super) fn plan(
    basis: &Basis<'_>,
    observed: &Observed,
    data: &Data,
) -> Result<(Plan, Option<NewBackup>), Problem> {
    if data.is_by_velero() {
        return velero::plan(basis, observed, data);
    }
    let driver = observed.driver.clone().unwrap_or_default();
    let views = component_views(&driver.spec, &observed.situation.objects);
    let mut request = data.made();
    let mut warnings = Vec::new();
    if let (Request::Restore(asked), Some(backup)) = (&data.request, &data.restored) {
        warnings.extend(differences(backup, asked, observed));
        request.components = asked.chosen(backup);
        warnings.extend(going_on(&driver.spec, &request.components, &observed.situation.objects));
        warnings.extend(running_beside(&driver.spec, &request.components));
    }
    let mut parts =
        BackupPart::planned(&driver.spec, &basis.environment.name, basis.name, &request.components);
    let is_restore = matches!(data.request, Request::Restore(_));
    let readable = check_pods(&mut parts, &views, is_restore, &mut warnings);
    if let Request::Restore(asked) = &data.request {
        if !asked.safety_backup {
            parts.clear();
            warnings.push("what is there now is not kept: no safety backup is made".to_owned());
        }
    } else {
        readable?;
        warnings.extend(left_out(&driver.spec, &request.components));
    }
    let actions = hooks_of_backup(&driver.spec);
    let basis = Basis { actions: &actions, ..basis.clone() };
    let place = data.place();
    let keeping = Keeping {
        spec: &driver.spec,
        parts: &parts,
        place: &place,
        last: data.last.as_ref(),
        warnings: &warnings,
    };
    let plan = match (&data.request, &data.restored) {
        (Request::Restore(asked), Some(backup)) => {
            let workloads = component_workloads(&driver.spec, &observed.situation.objects);
            restore(&basis, &Restoring { backup, request: asked, safety: keeping, workloads: &workloads })
        }
        _ => back_up(&basis, &keeping),
    };
    let instance = observed.situation.newest.clone().filter(|_| !parts.is_empty());
    let made = instance.map(|instance| NewBackup {
        engine: BackupEngine::Styrmin,
        location: data.location.name.clone(),
        request,
        instance,
        parts: parts.clone(),
    });
    Ok((plan, made))
}

/// Whether what is to be read has pods with processes. Of a restore, what has none is left out, and told.
fn check_pods(
    parts: &mut Vec<BackupPart>,
    views: &[ComponentView],
    leave_out: bool,
    warnings: &mut Vec<String>,
) -> Result<(), Problem> {
    let mut reached = 0;
    let mut why = Vec::new();
    parts.retain(|part| match unreadable(&part.component, views) {
        None => {
            reached += 1;
            true
        }
        Some(reason) => {
            why.push(format!("{}: {reason}", part.name()));
            !leave_out
        }
    });
    let what = if leave_out { "there is no safety backup of" } else { "it cannot be read as it is now:" };
    warnings.extend(why.iter().map(|why| format!("{what} {why}")));
    if reached == 0 && !parts.is_empty() {
        let next = "see the application's pods; what is simulated has no data";
        return Err(Problem::new("Nothing of it can be backed up", why.join("\n"), next));
    }
    Ok(())
}

fn unreadable(component: &str, views: &[ComponentView]) -> Option<&'static str> {
    let view = views.iter().find(|view| view.name == component)?;
    let mut pods = view.pods.iter().filter(|pod| !pod.deleting).peekable();
    if pods.peek().is_none() {
        return Some("none of its pods runs");
    }
    let is_simulated = |detail: &Detail| matches!(detail, Detail::Pod(pod) if pod.simulated);
    pods.all(|pod| is_simulated(&pod.detail)).then_some("its pods are simulated, and have no processes")
}

/// What has no strategy, and so is not kept.
fn left_out(spec: &DriverSpec, chosen: &[String]) -> Option<String> {
    let wanted = |name: &String| chosen.is_empty() || chosen.contains(name);
    let without = spec.components.iter().filter(|(name, known)| wanted(name) && known.backup.is_none());
    let names: Vec<&str> = without.map(|(name, _)| name.as_str()).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    (!names.is_empty())
        .then(|| format!("{} {verb} not kept: the driver declares no strategy", names.join(", ")))
}

/// How a backup differs from what it is restored into.
fn differences(backup: &Backup, request: &RestoreRequest, observed: &Observed) -> Vec<String> {
    let mut said = Vec::new();
    let Some(record) = &observed.situation.record else { return said };
    let draft = &record.draft;
    if (backup.source.environment.as_str(), backup.source.application.as_str())
        != (draft.environment.as_str(), draft.name.as_str())
    {
        let origin = format!("{} in {}", backup.source.application, backup.source.environment);
        said.push(format!("it is a backup of {origin}; secrets stay those of {}", draft.name));
    }
    if backup.source.application_version != draft.application_version {
        let (then, now) = (&backup.source.application_version, &draft.application_version);
        said.push(format!("the backup is of version {then}, and {now} runs: it has to take that data"));
    }
    if backup.source.driver.version != draft.driver.version {
        said.push(format!(
            "the backup was made with the driver {}, not {}",
            backup.source.driver, draft.driver
        ));
    }
    let lost = backup.parts.iter().filter(|part| part.snapshot.is_empty());
    let wanted =
        |part: &&BackupPart| request.components.is_empty() || request.components.contains(&part.component);
    said.extend(lost.filter(wanted).map(|part| format!("{} was not kept, and stays as it is", part.name())));
    if let Some(fault) = backup.newest_verification().and_then(|last| last.problem.as_ref()) {
        said.push(format!("the last verification found fault with it: {}", fault.what));
    }
    said
}

fn check_components(record: &Deployment, spec: &DriverSpec, wanted: &[String]) -> Result<(), Problem> {
    let name = &record.draft.name;
    let able: Vec<&str> = (spec.components.iter())
        .filter(|(_, component)| component.backup.is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    if able.is_empty() {
        return Err(Problem::new(
            format!("{name} cannot be backed up"),
            format!("its driver {} declares no strategy for any component", record.draft.driver),
            "add `backup` to a component of the driver",
        ));
    }
    match wanted.iter().find(|wanted| !able.contains(&wanted.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(Problem::new(
            format!("{name} has no component '{unknown}' that can be backed up"),
            format!("it has {}", able.join(", ")),
            suggest::hint(unknown, able.iter().copied()),
        )),
    }
}

fn unknown(request: &RestoreRequest) -> Problem {
    Problem::new(
        format!("there is no backup {}", request.backup),
        "it is not in the catalogue",
        "choose another one; or scan the location: styrmin location scan NAME",
    )
}

/// Whether there is something in a backup to restore.
fn check_backup(backup: &Backup, request: &RestoreRequest, record: &Deployment) -> Result<(), Problem> {
    let id = &backup.id;
    if !backup.state.is_final() {
        return Err(Problem::new(format!("{id} is not complete"), "it is being made", "wait for its end"));
    }
    if backup.state == BackupState::Cancelled || request.parts(backup).is_empty() {
        let kept: Vec<String> = backup.parts.iter().map(BackupPart::name).collect();
        return Err(Problem::new(
            format!("nothing of {id} can be restored into {}", record.draft.name),
            match backup.state {
                BackupState::Cancelled => "it was cancelled".to_owned(),
                state => format!("it is {}, and has {}", state.as_str(), kept.join(", ")),
            },
            "choose another backup, or other components",
        ));
    }
    Ok(())
}

/// Whether a deployment can take what is restored.
fn check_fits(
    backup: &Backup,
    request: &RestoreRequest,
    driver: &DriverVersion,
    record: &Deployment,
) -> Result<(), Problem> {
    if backup.source.driver.name != record.draft.driver.name {
        return Err(Problem::new(
            format!("{} does not fit {}", backup.id, record.draft.name),
            format!("it was made by the driver {}, not by {}", backup.source.driver, record.draft.driver),
            "restore it into an application of the same driver",
        ));
    }
    let chosen = request.parts(backup);
    let missing = request.components.iter().find(|name| !chosen.iter().any(|part| part.component == **name));
    if let Some(missing) = missing {
        let kept: Vec<String> = chosen.iter().map(|part| part.name()).collect();
        return Err(Problem::new(
            format!("{} has nothing of {missing}", backup.id),
            format!("it has {}", kept.join(", ")),
            "name one of them",
        ));
    }
    for part in chosen {
        let component = driver.spec.components.get(&part.component);
        let strategy = component.and_then(|component| component.backup.as_deref());
        let has_volume = |volume: &String| component.is_some_and(|known| known.volumes.contains(volume));
        if strategy != Some(part.strategy.as_str()) || part.volume.as_ref().is_some_and(|v| !has_volume(v)) {
            return Err(Problem::new(
                format!("{} cannot be restored into {}", part.name(), record.draft.name),
                format!(
                    "it was kept with the strategy {}, and the driver {} has another place for it, or none",
                    part.strategy, record.draft.driver
                ),
                "restore the other components, or deploy the version of the driver that it was made with",
            ));
        }
    }
    Ok(())
}
