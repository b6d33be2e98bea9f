//! `traefik`: the host's Traefik, as the image of the Docker library would run it.
//!
//! It is configured by its arguments. Entry points that listen on every address listen on the pod's, files are those of the
//! container, and the API server is reached with the pod's own account. A configuration file is refused: the addresses in it would be
//! the machine's.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::Signal;
use serde_json::json;

use super::host::{self, Programs, inside};
use super::{complain, shim};

/// What the image is called.
pub(super) const NAME: &str = "traefik";
/// The variable that names the host's program.
const VARIABLE: &str = "STYRMIN_TRAEFIK";
/// Where a pod has its account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Where Traefik looks for a configuration that nobody names.
const CONFIGURATIONS: [&str; 3] =
    ["/etc/traefik/traefik.toml", "/etc/traefik/traefik.yaml", "/etc/traefik/traefik.yml"];
/// Options, by their last part, whose values are files or directories.
const FILES: [&str; 4] = ["filename", "directory", "filepath", "storage"];
/// Options, by their first part, that are answered at the entry point `traefik`, which listens on every address unless told otherwise.
const INTERNAL: [&str; 3] = ["api", "metrics", "ping"];

/// The host's program.
struct Found {
    program: PathBuf,
    programs: Programs,
}

fn look() -> Option<&'static Found> {
    static FOUND: OnceLock<Option<Found>> = OnceLock::new();
    FOUND.get_or_init(|| candidates().into_iter().find_map(ask)).as_ref()
}

/// The named one alone, else those on the PATH.
fn candidates() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        return vec![std::path::absolute(&named).unwrap_or_else(|_| named.into())];
    }
    host::path().into_iter().map(|directory| directory.join(NAME)).collect()
}

fn ask(program: PathBuf) -> Option<Found> {
    if !program.is_file() {
        return None;
    }
    let said = Command::new(&program).arg("version").env_clear().output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let version = said.lines().find_map(|line| line.strip_prefix("Version:"))?.trim().to_owned();
    let directory = program.parent()?.to_owned();
    Some(Found { program, programs: Programs { directory, version } })
}

/// The host's program, when there is one.
pub(super) fn find() -> Option<&'static Programs> {
    look().map(|found| &found.programs)
}

/// What a container's process is told: the program itself, because what its PATH has first is our own.
pub(super) fn variables() -> Vec<(&'static str, String)> {
    let program = look().map(|found| found.program.to_string_lossy().into_owned());
    program.map(|program| (VARIABLE, program)).into_iter().collect()
}

/// Runs it with a container's arguments; returns its exit code.
pub(super) async fn run(arguments: &[&str]) -> u8 {
    match command(arguments) {
        // TERM: it stops taking requests, and ends when those under way have their answers
        Ok(command) => shim::run_command(command, NAME, Signal::TERM).await,
        Err(why) => {
            complain(&format!("traefik: {why}"));
            1
        }
    }
}

fn command(arguments: &[&str]) -> Result<tokio::process::Command, String> {
    let program = std::env::var_os(VARIABLE).ok_or("this machine has no Traefik any more")?;
    let address = std::env::var("POD_IP").map_err(|_| "the pod has no address")?;
    let mut command = tokio::process::Command::new(program);
    // the machine's own Traefik, and what it is configured with, are none of the container's business
    command.env_remove("XDG_CONFIG_HOME");
    if arguments.first().is_some_and(|first| !first.starts_with('-')) {
        command.args(arguments);
        return Ok(command);
    }
    for path in CONFIGURATIONS {
        if [PathBuf::from(path), inside(path)].iter().any(|path| path.exists()) {
            return Err(format!("{path} would be read instead of the arguments; {ADVICE}"));
        }
    }
    if arguments.is_empty() && std::env::vars_os().any(|(name, _)| is_setting(&name.to_string_lossy())) {
        return Err(format!("it is configured by variables (TRAEFIK_…); {ADVICE}"));
    }
    command.args(at_home(arguments, &address, inside)?);
    match kubeconfig()? {
        Some(path) => {
            command.env_remove("KUBERNETES_SERVICE_HOST").env_remove("KUBERNETES_SERVICE_PORT");
            command.env("KUBECONFIG", path);
        }
        None => complain("traefik: no API server answers to pods here, or this one has no account"),
    }
    Ok(command)
}

const ADVICE: &str = "in the sandbox give its options as arguments of the container";

/// A variable that Traefik reads its configuration from, as opposed to those of a Service of that name.
fn is_setting(variable: &str) -> bool {
    ["TRAEFIK_ENTRYPOINTS_", "TRAEFIK_PROVIDERS_"].iter().any(|prefix| variable.starts_with(prefix))
}

/// How the pod reaches the API server: the files of its account are in its own directory, where no program looks by itself. The
/// token is not copied, so that Traefik finds the newest one.
fn kubeconfig() -> Result<Option<PathBuf>, String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let server = variable("KUBERNETES_SERVICE_HOST").zip(variable("KUBERNETES_SERVICE_PORT"));
    let token = inside(&format!("{ACCOUNT}/token"));
    let Some((host, port)) = server.filter(|_| token.exists()) else { return Ok(None) };
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "pod",
        "contexts": [{"name": "pod", "context": {"cluster": "pod", "user": "pod"}}],
        "users": [{"name": "pod", "user": {"tokenFile": token}}],
        "clusters": [{"name": "pod", "cluster": {
            "server": format!("https://{host}:{port}"),
            "certificate-authority": inside(&format!("{ACCOUNT}/ca.crt")),
        }}],
    });
    let path = inside("/tmp/traefik-kubeconfig");
    std::fs::write(&path, config.to_string()).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Some(path))
}

/// The arguments as the machine needs them: addresses of the pod, files of the container.
fn at_home(
    arguments: &[&str],
    address: &str,
    inside: impl Fn(&str) -> PathBuf,
) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let (mut listens, mut internal, mut own) = (false, false, false);
    let mut rest = arguments.iter().copied();
    while let Some(word) = rest.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word, None),
        };
        let name = option.trim_start_matches('-').to_lowercase();
        if name == "configfile" {
            return Err(format!("a configuration file is not read here; {ADVICE}"));
        }
        let parts: Vec<&str> = name.split('.').collect();
        let is_address = matches!(parts.as_slice(), ["entrypoints", _, "address"]);
        let is_file = parts.last().is_some_and(|last| FILES.contains(last));
        listens |= is_address;
        own |= is_address && parts[1] == NAME;
        internal |= parts.first().is_some_and(|first| INTERNAL.contains(first));
        if !is_address && !is_file {
            words.push(word.to_owned());
            continue;
        }
        let value = value.or_else(|| rest.next()).unwrap_or_default();
        let value = match is_address {
            true => listen(value, address),
            false if value.starts_with('/') => inside(value).to_string_lossy().into_owned(),
            false => value.to_owned(),
        };
        words.push(format!("{option}={value}"));
    }
    if !listens {
        // its own default is every address of the machine
        words.push(format!("--entryPoints.http.address={address}:80"));
    }
    if internal && !own {
        words.push(format!("--entryPoints.{NAME}.address={address}:8080"));
    }
    Ok(words)
}

/// `:8000/tcp` → `127.9.1.1:8000/tcp`. Every address is the pod's here, and the container's own machine as well.
fn listen(wanted: &str, address: &str) -> String {
    let Some((host, port)) = wanted.rsplit_once(':') else { return wanted.to_owned() };
    match host {
        "" | "0.0.0.0" | "[::]" | "localhost" | "127.0.0.1" | "[::1]" => format!("{address}:{port}"),
        _ => wanted.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn told(arguments: &[&str]) -> Vec<String> {
        at_home(arguments, "127.9.1.1", |path| Path::new("/root-of-it").join(path.trim_start_matches('/')))
            .unwrap()
    }

    #[test]
    fn addresses_are_the_pods_and_files_the_containers() {
        assert_eq!(
            told(&[
                "--entryPoints.web.address=:8000/tcp",
                "--entrypoints.websecure.Address",
                "0.0.0.0:8443",
                "--providers.file.filename=/etc/allow/allow.yaml",
                "--entryPoints.web.http.redirections.entryPoint.to=:443",
                "--ping=true",
            ]),
            [
                "--entryPoints.web.address=127.9.1.1:8000/tcp",
                "--entrypoints.websecure.Address=127.9.1.1:8443",
                "--providers.file.filename=/root-of-it/etc/allow/allow.yaml",
                "--entryPoints.web.http.redirections.entryPoint.to=:443",
                "--ping=true",
                "--entryPoints.traefik.address=127.9.1.1:8080",
            ]
        );
        assert_eq!(told(&["--entryPoints.a.address=10.0.0.1:80"]), ["--entryPoints.a.address=10.0.0.1:80"]);
    }

    #[test]
    fn nothing_listens_on_every_address_of_the_machine() {
        assert_eq!(told(&[]), ["--entryPoints.http.address=127.9.1.1:80"]);
        let named = ["--entryPoints.traefik.address=:9000", "--ping"];
        assert_eq!(told(&named), ["--entryPoints.traefik.address=127.9.1.1:9000", "--ping"]);
        let refused = at_home(&["--configFile=/a.yml"], "127.9.1.1", |path| PathBuf::from(path)).unwrap_err();
        assert!(refused.contains("configuration file"), "{refused}");
    }

    #[test]
    fn variables_of_a_service_are_no_configuration() {
        assert!(is_setting("TRAEFIK_ENTRYPOINTS_WEB_ADDRESS"));
        assert!(!is_setting("TRAEFIK_SERVICE_PORT") && !is_setting("TRAEFIK_PORT_80_TCP"));
    }
}
