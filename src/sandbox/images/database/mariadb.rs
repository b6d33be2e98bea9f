//! `mariadb`: the host's MariaDB, as the image of the Docker library would run it.
//!
//! `MARIADB_ROOT_PASSWORD`, `MARIADB_DATABASE`, `MARIADB_USER`, `MARIADB_PASSWORD` (each also `MYSQL_…` and `…_FILE`), and
//! `MARIADB_ALLOW_EMPTY_ROOT_PASSWORD` count at the first start. It listens on the pod's address. `.my.cnf` in the container's home tells
//! the clients there where that is.

use std::path::Path;

use rustix::process::Signal;
use tokio::process::Command;

use super::super::{say, shim};
use super::{FirstStart, Identity, Programs, command, data, inside, no_scripts, refuse, setting, step};

const DATA: &str = "/var/lib/mysql";

/// Its data, where it is started: by its own path, which leads through directories that are root's alone, Aria takes its tables for moved
/// ones and spoils them.
const HERE: &str = "--datadir=/proc/self/cwd";

/// Runs the server, with these arguments after our own.
pub(crate) async fn run(arguments: &[&str]) -> u8 {
    match start(arguments).await {
        Ok(code) => code,
        Err(why) => refuse("mariadb", &why),
    }
}

async fn start(arguments: &[&str]) -> Result<u8, String> {
    let programs = super::find("mariadb").ok_or("this machine has no MariaDB any more")?;
    let identity = Identity::of(&["mysql", "mariadb"]);
    let directory = data(DATA, identity)?;
    if let Some(first) = FirstStart::begin(&directory, "mysql")? {
        no_scripts()?;
        make(programs, identity, &directory).await?;
        first.end()?;
        say("MariaDB init process done. Ready for start up.");
    }
    let address = std::env::var("POD_IP").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let client = format!("[client]\nhost={address}\nport=3306\nprotocol=tcp\n");
    let home = inside("/.my.cnf");
    std::fs::write(&home, client).map_err(|error| format!("{}: {error}", home.display()))?;
    let mut server = server(programs, identity, &directory);
    server.arg(format!("--bind-address={address}")).args(["--port=3306", "--skip-name-resolve"]);
    server.args(arguments);
    Ok(shim::run_command(server, "mariadbd", Signal::TERM).await)
}

/// The server on its data. Its socket is relative to that: a path may be too long for one.
fn server(programs: &Programs, identity: Option<Identity>, directory: &Path) -> Command {
    let mut server = command(&programs.directory.join("mariadbd"), identity, directory);
    server.args(["--no-defaults", HERE]);
    server.args(["--socket=mysqld.sock", "--pid-file=mysqld.pid", "--innodb-buffer-pool-size=32M"]);
    server
}

async fn make(programs: &Programs, identity: Option<Identity>, directory: &Path) -> Result<(), String> {
    let accounts = accounts()?;
    let mut install = command(Path::new("mariadb-install-db"), identity, directory);
    install.args(["--no-defaults", HERE]);
    install.args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]);
    step(install, "", "mariadb-install-db").await?;
    let mut bootstrap = server(programs, identity, directory);
    bootstrap.arg("--bootstrap");
    step(bootstrap, &accounts, "the accounts").await
}

/// Accounts and database of the first start, a statement on each line.
fn accounts() -> Result<String, String> {
    let root = setting(&["MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD"])?;
    let empty = setting(&["MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", "MYSQL_ALLOW_EMPTY_PASSWORD"])?;
    if root.is_none() && empty.is_none() {
        return Err("the database is not made yet, and no root password is given: set MARIADB_ROOT_PASSWORD"
            .to_owned());
    }
    let root = quoted(&root.unwrap_or_default())?;
    let mut lines = vec![
        "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys' AND NOT (User = 'root' AND Host = 'localhost');".to_owned(),
        "FLUSH PRIVILEGES;".to_owned(),
        format!("ALTER USER 'root'@'localhost' IDENTIFIED BY {root};"),
        format!("CREATE USER 'root'@'%' IDENTIFIED BY {root};"),
        "GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;".to_owned(),
    ];
    let database = setting(&["MARIADB_DATABASE", "MYSQL_DATABASE"])?;
    if let Some(database) = &database {
        lines.push(format!("CREATE DATABASE `{}`;", database.replace('`', "``")));
    }
    let user = setting(&["MARIADB_USER", "MYSQL_USER"])?;
    let password = setting(&["MARIADB_PASSWORD", "MYSQL_PASSWORD"])?;
    if let (Some(user), Some(password)) = (user, password) {
        let (user, password) = (quoted(&user)?, quoted(&password)?);
        lines.push(format!("CREATE USER {user}@'%' IDENTIFIED BY {password};"));
        if let Some(database) = database {
            let pattern = database.replace('`', "``").replace('_', "\\_");
            lines.push(format!("GRANT ALL ON `{pattern}`.* TO {user}@'%';"));
        }
    }
    Ok(lines.join("\n") + "\n")
}

/// A text in SQL. Statements are told apart by lines here.
fn quoted(text: &str) -> Result<String, String> {
    if text.contains(['\n', '\r', '\0']) {
        return Err("a name or a password with more than one line cannot be used".to_owned());
    }
    Ok(format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")))
}
