//! What changes something: the plan is shown and confirmed, recorded, and followed to its end.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use super::action::print::Printer;
use super::arguments::Place;
use super::driver::remark;
use super::ending::{Ending, Refusal, usage};
use crate::app::Look;
use crate::app::actions::End;
use crate::app::attended::{Attended, Interrupts, wait_for};
use crate::app::backups::{Beginner, follow::follow, schedules};
use crate::app::session::Session;
use crate::domain::backup::ScheduleRun;
use crate::domain::{Intent, OperationState, Plan, Problem};

pub mod amount;
mod progress;

use progress::Progress;

/// How what was asked for is gone about.
#[derive(Debug, Args)]
pub struct Carry {
    /// Do not ask for a confirmation
    #[arg(short = 'y', long)]
    yes: bool,
    /// Print one JSON object per line, for programs
    #[arg(long)]
    json: bool,
    /// Record it and leave: whoever runs the engine carries it out
    #[arg(long)]
    detach: bool,
    /// Show the plan and leave: [`How`] says so
    #[arg(skip)]
    only_shown: bool,
    #[command(flatten)]
    place: Place,
}

/// The same for what can be asked for without being done.
#[derive(Debug, Args)]
pub struct How {
    /// Show the plan; do nothing
    #[arg(long, conflicts_with_all = ["yes", "detach"])]
    dry_run: bool,
    #[command(flatten)]
    carry: Carry,
}

impl How {
    /// What is carried out, or only shown.
    pub fn into_carry(self) -> Carry {
        Carry { only_shown: self.dry_run, ..self.carry }
    }
}

/// One thing to be done.
#[derive(Debug)]
pub struct Job {
    /// What it is about: `notes in demo`.
    pub about: String,
    /// What is done.
    pub intent: Intent,
    /// The run of a schedule that it is.
    pub run: Option<ScheduleRun>,
}

impl Job {
    /// Of no schedule.
    pub fn new(about: impl Into<String>, intent: Intent) -> Self {
        Self { about: about.into(), intent, run: None }
    }
}

impl Carry {
    /// Whether it is for programs.
    pub fn is_for_programs(&self) -> bool {
        self.json
    }

    /// Where records are kept, if that was said.
    pub fn state_dir(&self) -> Option<PathBuf> {
        self.place.state_dir.clone()
    }

    /// Which cluster, and where everything is kept.
    pub fn into_place(self) -> Place {
        self.place
    }

    /// Carries out what `jobs` makes of the arguments and the records, one after the other.
    pub fn out(
        self,
        jobs: impl AsyncFnOnce(&Session) -> Result<Vec<Job>, Refusal>,
    ) -> Result<Ending, Refusal> {
        if !self.yes && !self.only_shown && !std::io::stdin().is_terminal() {
            let why = "standard input is no terminal";
            return Err(usage("Nobody can confirm the plan", why, "run it on a terminal, or give --yes"));
        }
        let Self { yes, json, detach, only_shown, place } = self;
        let options = place.into_options(Look::default());
        wait_for(async {
            let mut interrupts = Interrupts::new()?;
            let attended = tokio::select! {
                attended = Attended::begin(&options) => attended?,
                _ = interrupts.next() => return Ok(Ok(cancelled())),
            };
            let work = Work { session: &attended.session, json, detach };
            let done = async {
                let mut printer = Printer::new(json);
                let planned = async {
                    attended.greet().await?;
                    work.plan(jobs(work.session).await?, &mut printer).await
                };
                let planned = tokio::select! {
                    planned = planned => planned?,
                    _ = interrupts.next() => return Ok(cancelled()),
                };
                if only_shown {
                    return Ok(Ending::Well);
                }
                work.carry_out(&planned, yes, (&mut printer, &mut interrupts)).await
            };
            let done = done.await;
            attended.close().await;
            Ok(done)
        })?
    }
}

/// Says that nothing came of it.
fn cancelled() -> Ending {
    remark("nothing was done");
    Ending::Cancelled
}

struct Work<'a> {
    session: &'a Session,
    json: bool,
    detach: bool,
}

impl Work<'_> {
    /// Plans everything before anything is done.
    async fn plan(&self, jobs: Vec<Job>, printer: &mut Printer) -> Result<Vec<(Job, Plan)>, Refusal> {
        let mut planned = Vec::new();
        for job in jobs {
            printer.turn_to(&job.about);
            let preview = self.session.engine.preview(&job.intent).await?;
            let plan = preview.plan;
            printer.plan(&plan);
            printer.differences(&preview.diffs);
            // what is so already needs no operation
            if !plan.steps.is_empty() {
                planned.push((job, plan));
            }
        }
        Ok(planned)
    }

    async fn carry_out(
        &self,
        planned: &[(Job, Plan)],
        yes: bool,
        (printer, interrupts): (&mut Printer, &mut Interrupts),
    ) -> Result<Ending, Refusal> {
        if planned.is_empty() {
            remark("there is nothing to do");
            return Ok(Ending::Well);
        }
        if !yes && !confirmed(planned.len(), interrupts).await {
            return Ok(cancelled());
        }
        let mut worst = Ending::Well;
        for (job, plan) in planned {
            printer.turn_to(&job.about);
            let ending = self.one(job, plan, (&mut *printer, &mut *interrupts)).await;
            let ending = ending.unwrap_or_else(|problem| {
                printer.problem("failed", &problem);
                Ending::Failed
            });
            worst = worst.max(ending);
            if ending == Ending::Cancelled {
                break;
            }
        }
        Ok(worst)
    }

    async fn one(
        &self,
        job: &Job,
        plan: &Plan,
        (printer, interrupts): (&mut Printer, &mut Interrupts),
    ) -> Result<Ending, Problem> {
        let session = self.session;
        let id = Beginner::of(session).begin(&job.intent, plan, session.actor()).await?;
        printer.recorded(id);
        if let Some(run) = job.run.clone() {
            schedules::begun(&session.store, session.cluster.name(), run, id).await?;
        }
        if self.detach {
            return Ok(Ending::Well);
        }
        let mut progress = Progress::new(self.json, &job.about);
        let end = follow(session, id, interrupts, |news| progress.tell(news)).await;
        progress.done();
        match end? {
            End::Left => {
                remark(&format!("operation {id} is left alone: whoever runs the engine goes on with it"));
                Ok(Ending::Cancelled)
            }
            End::Ended(view) => {
                printer.ended(&view);
                Ok(match view.operation.state {
                    OperationState::Succeeded => Ending::Well,
                    OperationState::Cancelled => Ending::Cancelled,
                    _ => Ending::Failed,
                })
            }
        }
    }
}

/// Asks on the terminal. Ctrl-c means no.
pub async fn confirmed(count: usize, interrupts: &mut Interrupts) -> bool {
    let what = if count == 1 { "this plan".to_owned() } else { format!("these {count} plans") };
    agreed(&format!("Carry out {what}?"), interrupts).await
}

/// Asks a question on the terminal that is answered by yes or no. Ctrl-c means no.
pub async fn agreed(question: &str, interrupts: &mut Interrupts) -> bool {
    let mut told = std::io::stderr().lock();
    // a closed standard error leaves nobody to ask: the answer is no then
    if write!(told, "{question} [y/N] ").and_then(|()| told.flush()).is_err() {
        return false;
    }
    drop(told);
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line).unwrap_or_default()
    });
    tokio::select! {
        answer = answer => answer.is_ok_and(|line| matches!(line.trim().to_lowercase().as_str(), "y" | "yes")),
        _ = interrupts.next() => false,
    }
}
