//! Writing back what was kept.

use super::progress::Teller;
use super::{Hands, after_tries, gone, helper};
use crate::domain::backup::{Request, RestoreRequest};
use crate::domain::text::bytes;
use crate::operate::{Done, StepError, StepRun};

impl Hands {
    /// Makes one component, or one volume of it, what was kept of it. Repeated, it begins from the start.
    pub(super) async fn restore(&self, run: StepRun<'_>, name: &str) -> Result<Done, StepError> {
        let request = request(&run)?;
        let backup = self.backup(&request.backup).await?;
        let part = request.parts(&backup).into_iter().find(|part| part.name() == name);
        let part = part.ok_or_else(|| gone(format!("the backup {} has no '{name}'", backup.id)))?;
        let location = self.location(&backup.location).await?;
        let ground = self.ground(run.operation).await?;
        let mut into = ground.component(&run, (&part.component, part.volume.as_deref()))?;
        into.helper = into.spec.stops_for_restore().then(|| helper(&run));
        let path = request.path.as_ref().map(|path| path.path.as_str());
        let teller = Teller::new();
        let tell = |progress| teller.say(progress);
        let work = self.means.restore(&location, part, path, (into, &tell));
        let warnings = self.beside(&run, &teller, work).await;
        let warnings = warnings.map_err(|error| after_tries(error, run.attempt))?;
        let note = match path {
            Some(path) => format!("{path} is as it was"),
            None => format!("{} written", bytes(part.bytes)),
        };
        let warning = warnings.into_iter().next().map(Box::new);
        Ok(Done { note: Some(note), warning, ..Done::default() })
    }
}

fn request<'a>(run: &StepRun<'a>) -> Result<&'a RestoreRequest, StepError> {
    match &run.operation.request {
        Some(Request::Restore(request)) => Ok(request),
        _ => Err(gone("nobody said what is to be restored")),
    }
}
