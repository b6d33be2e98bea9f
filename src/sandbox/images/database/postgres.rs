//! `postgres`: the host's PostgreSQL, as the image of the Docker library would run it.
//!
//! `POSTGRES_USER`, `POSTGRES_PASSWORD`, `POSTGRES_DB` (each also `…_FILE`), `POSTGRES_INITDB_ARGS`, `POSTGRES_HOST_AUTH_METHOD` and `PGDATA` count at
//! the first start. It listens on the pod's address, and on a socket without a file; there the processes of the sandbox's user are the
//! database's user without a password, as they are in a container. Everybody else needs one.

use std::path::Path;

use rustix::process::Signal;

use super::super::{say, shim};
use super::{
    FirstStart, Identity, Programs, command, data, no_scripts, own_name, private, refuse, setting, step,
};

const DATA: &str = "/var/lib/postgresql/data";

/// The directory part of the socket's name: the abstract one has no file, and so no longest path.
pub(crate) fn socket(address: &str) -> String {
    format!("@styrmin-postgres-{address}")
}

/// Runs the server, with these arguments after our own.
pub(crate) async fn run(arguments: &[&str]) -> u8 {
    match start(arguments).await {
        Ok(code) => code,
        Err(why) => refuse("postgres", &why),
    }
}

/// What the first start is told.
struct Settings {
    user: String,
    database: String,
    password: Option<String>,
    method: String,
}

impl Settings {
    fn read() -> Result<Self, String> {
        let user = setting(&["POSTGRES_USER"])?.unwrap_or_else(|| "postgres".to_owned());
        let database = setting(&["POSTGRES_DB"])?.unwrap_or_else(|| user.clone());
        let method = std::env::var("POSTGRES_HOST_AUTH_METHOD").ok().filter(|method| !method.is_empty());
        let method = method.unwrap_or_else(|| "scram-sha-256".to_owned());
        Ok(Self { user, database, password: setting(&["POSTGRES_PASSWORD"])?, method })
    }

    /// Who may connect as whom. The files are the sandbox's: those in the data stay what they are.
    fn access(&self) -> String {
        let user = format!("\"{}\"", self.user.replace('"', "\"\""));
        format!(
            "local all {user} peer map=pod\nlocal all all scram-sha-256\nhost all all all {}\n",
            self.method
        )
    }
}

async fn start(arguments: &[&str]) -> Result<u8, String> {
    let programs = super::find("postgres").ok_or("this machine has no PostgreSQL any more")?;
    let identity = Identity::of(&["postgres"]);
    let path = std::env::var("PGDATA").unwrap_or_else(|_| DATA.to_owned());
    let (directory, settings) = (data(&path, identity)?, Settings::read()?);
    if let Some(first) = FirstStart::begin(&directory, "PG_VERSION")? {
        no_scripts()?;
        make(programs, identity, &directory, &settings).await?;
        first.end()?;
        say("PostgreSQL init process complete; ready for start up.");
    }
    let access = private("pg_hba.conf", &settings.access(), identity)?;
    let names = format!("pod {} \"{}\"\n", own_name().unwrap_or_default(), settings.user);
    let names = private("pg_ident.conf", &names, identity)?;
    let address = std::env::var("POD_IP").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let mut server = command(&programs.directory.join("postgres"), identity, &directory);
    let settings = [
        format!("listen_addresses={address}"),
        format!("unix_socket_directories={}", socket(&address)),
        format!("hba_file={}", access.display()),
        format!("ident_file={}", names.display()),
        "shared_buffers=32MB".to_owned(),
    ];
    server.arg("-D").arg(&directory).args(settings.iter().flat_map(|setting| ["-c", setting]));
    server.args(arguments);
    // TERM would wait until every client has gone; the image asks for INT
    Ok(shim::run_command(server, "postgres", Signal::INT).await)
}

async fn make(
    programs: &Programs,
    identity: Option<Identity>,
    directory: &Path,
    settings: &Settings,
) -> Result<(), String> {
    if settings.password.is_none() && settings.method != "trust" {
        return Err(
            "the database is not made yet, and no superuser password is given: set POSTGRES_PASSWORD"
                .to_owned(),
        );
    }
    let mut initdb = command(&programs.directory.join("initdb"), identity, directory);
    initdb.arg("-D").arg(directory).arg(format!("--username={}", settings.user)).arg("--auth=scram-sha-256");
    // whoever loses the power of a test machine loses a sandbox
    initdb.arg("--no-sync");
    let password = settings.password.clone().unwrap_or_else(|| "unused".to_owned());
    let file = private("password", &format!("{password}\n"), identity)?;
    initdb.arg(format!("--pwfile={}", file.display()));
    initdb.args(std::env::var("POSTGRES_INITDB_ARGS").unwrap_or_default().split_whitespace());
    let made = step(initdb, "", "initdb").await;
    std::fs::remove_file(&file).ok();
    made?;
    if settings.database != "postgres" {
        let name = settings.database.replace('"', "\"\"");
        let mut single = command(&programs.directory.join("postgres"), identity, directory);
        single.args(["--single", "-D"]).arg(directory).arg("postgres");
        step(single, &format!("CREATE DATABASE \"{name}\"\n"), "the database").await?;
    }
    Ok(())
}
