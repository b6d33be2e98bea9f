//! Holding still, and the switch inside the pod that lets go by itself.
//!
//! The switch is a shell of its own in the container that sleeps for as long as the driver allows and then runs the resume command. It is
//! armed before anything holds still and called off after it was let go; it is found by two words on its command line, so that any process
//! of ours finds it, and none has to remember it: the first is that of the place, the second that of the one switch.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::cluster::{Cluster, Command, ExecEnded};
use crate::domain::driver::Quiesce;

use super::{Place, Resumed, StrategyError};

/// Arms the switch: `$1` are the words, `$2` the seconds, the rest the resume command. It has left the group of this command before it says
/// that it is armed: whatever ends with the command, the switch does not.
const ARM: &str = r#"words=$1; shift
new=; if command -v setsid >/dev/null 2>&1; then new=setsid; fi
armed=$($new sh -c ": $words
trap '' HUP INT
echo armed
exec >/dev/null 2>&1
limit=\$1; shift
sleep \"\$limit\" & sleeping=\$!
trap 'kill \$sleeping; exit 0' TERM
wait \$sleeping
exec \"\$@\"
" sh "$@" </dev/null 2>/dev/null &)
[ "$armed" = armed ]
"#;

/// Signals (`$2`) the switches of a place (`$1` is its word) but for one (`$3` is its own word), and tells whether there was one. A switch
/// that lets go is none any more.
const SIGNAL: &str = r#"word=$1 signal=$2 other=$3
found=none
for entry in /proc/[0-9]*; do
  line=
  { IFS= read -r line <"$entry/cmdline"; } 2>/dev/null
  case $line in
    *"-c: $word $other") ;;
    *"-c: $word "*) if kill "$signal" "${entry#/proc/}" 2>/dev/null; then found=one; fi ;;
  esac
done
echo $found
"#;

/// How long arming and calling off may take.
const SWITCH: Duration = Duration::from_secs(30);
/// How long letting go may take at least.
const RESUME: Duration = Duration::from_secs(60);

/// The word by which the switch of a place is found.
fn word(place: &Place) -> String {
    let parts = [&place.target.namespace, &place.target.pod, &place.target.container, &place.name];
    format!("styrmin-lets-go-{}", parts.map(String::as_str).join("."))
}

/// Makes a component hold still, for at most its limit: a switch inside the pod lets it go by then, whatever became of us. Nothing is done
/// where the driver declares nothing.
///
/// # Errors
/// When its command fails; then it is let go at once.
pub async fn quiesce(cluster: &Cluster, place: &Place) -> Result<(), StrategyError> {
    let Some(target) = &place.component.backup_target.quiesce else { return Ok(()) };
    // it may hold still already, as after a crash: there is a switch at any time
    let armed = arm(cluster, place, target).await?;
    let patience = Duration::from_secs(target.limit.div_ceil(2));
    let held = match signal(cluster, place, "-TERM", &armed).await {
        Ok(_) => run(cluster, place, &target.command, patience, "hold still").await.map(drop),
        // an older switch would let it go too early
        Err(error) => Err(error),
    };
    if held.is_err() {
        // it may hold still in part; what cannot be let go now is let go by the switch
        resume(cluster, place).await.ok();
    }
    held
}

/// Whether a component has held still until now. One that holds still for nothing always has.
///
/// # Errors
/// Its container cannot be asked.
pub async fn holds(cluster: &Cluster, place: &Place) -> Result<bool, StrategyError> {
    match &place.component.backup_target.quiesce {
        Some(_) => signal(cluster, place, "-0", "").await,
        None => Ok(true),
    }
}

/// Lets a component go again. May be repeated.
///
/// # Errors
/// When its command fails; the switch inside the pod stays, and tries it as well.
pub async fn resume(cluster: &Cluster, place: &Place) -> Result<Resumed, StrategyError> {
    let Some(target) = &place.component.backup_target.quiesce else { return Ok(Resumed::InTime) };
    let patience = RESUME.max(Duration::from_secs(target.limit));
    run(cluster, place, &target.resume, patience, "be let go").await?;
    match signal(cluster, place, "-TERM", "").await? {
        true => Ok(Resumed::InTime),
        false => Ok(Resumed::TooLate),
    }
}

/// Gives the switch's own word.
async fn arm(cluster: &Cluster, place: &Place, target: &Quiesce) -> Result<String, StrategyError> {
    let own = format!("{:016x}", RandomState::new().build_hasher().finish());
    let (words, limit) = (format!("{} {own}", word(place)), target.limit.to_string());
    let mut argv = ["sh", "-c", ARM, "sh", &words, &limit].map(str::to_owned).to_vec();
    argv.extend(target.resume.iter().cloned());
    run(cluster, place, &argv, SWITCH, "get a switch that lets it go").await.map(|_| own)
}

/// Signals the switches of a place, but for the one with the word `other`; whether there was one.
async fn signal(cluster: &Cluster, place: &Place, signal: &str, other: &str) -> Result<bool, StrategyError> {
    let argv = ["sh", "-c", SIGNAL, "sh", &word(place), signal, other].map(str::to_owned);
    let found = run(cluster, place, &argv, SWITCH, "say whether a switch is to let it go").await?;
    Ok(found.trim() == "one")
}

async fn run(
    cluster: &Cluster,
    place: &Place,
    argv: &[String],
    timeout: Duration,
    what: &str,
) -> Result<String, StrategyError> {
    let command = Command { timeout, ..Command::new(argv.iter().map(String::as_str)) };
    let executed = cluster.exec(&place.target, command, None).await?;
    let said = executed.stderr.text();
    match executed.ended {
        ExecEnded::Exited(0) => Ok(executed.stdout.text()),
        ended => Err(StrategyError::lasting(
            format!("{} does not {what}", place.name),
            format!("in {}: {ended}: {}", place.target.pod, said.trim()),
            "correct backup.quiesce and backup.resume in the driver, or what they work on",
        )),
    }
}
