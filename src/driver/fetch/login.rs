//! Who one is to a registry or a repository: what `helm registry login` and `docker login` wrote, and `~/.netrc`.

mod docker;
mod helper;
mod netrc;

use std::path::{Path, PathBuf};

use super::url::{Login, Url};
pub(super) use docker::Known;

/// The largest file of logins, in bytes.
const FILE_LIMIT: u64 = 1 << 20;

/// Where logins are looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Logins {
    /// Files in the form of docker's `config.json`; the first that knows a registry is right.
    registries: Vec<PathBuf>,
    netrc: Option<PathBuf>,
    /// Where the programs that keep logins are.
    programs: String,
}

impl Logins {
    /// Those of the person who runs this, as the environment says; `variable` reads one of it.
    pub(super) fn of_person(variable: impl Fn(&str) -> Option<String>) -> Self {
        let named = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = named("HOME");
        let below = |directory: &Option<PathBuf>, path: &str| directory.as_ref().map(|base| base.join(path));
        let helm = named("HELM_REGISTRY_CONFIG")
            .or_else(|| below(&named("HELM_CONFIG_HOME"), "registry/config.json"))
            .or_else(|| below(&named("XDG_CONFIG_HOME"), "helm/registry/config.json"))
            .or_else(|| below(&home, ".config/helm/registry/config.json"));
        let docker =
            below(&named("DOCKER_CONFIG"), "config.json").or_else(|| below(&home, ".docker/config.json"));
        Self {
            registries: [helm, docker].into_iter().flatten().collect(),
            netrc: named("NETRC").or_else(|| below(&home, ".netrc")),
            programs: variable("PATH").unwrap_or_default(),
        }
    }

    /// How to log in to a registry; a program that keeps logins is asked. None when nobody has logged in.
    ///
    /// # Errors
    /// A file that cannot be read or a program that does not answer, and why; nothing of what they keep.
    pub(super) async fn of_registry(&self, authority: &str) -> Result<Option<Known>, String> {
        match self.registry(authority)? {
            Some(Known::Helper(name)) => helper::ask(&name, docker::key(authority), &self.programs).await,
            known => Ok(known),
        }
    }

    fn registry(&self, authority: &str) -> Result<Option<Known>, String> {
        for path in &self.registries {
            let Some(text) = read(path)? else { continue };
            let found = docker::find(&text, authority).map_err(|why| format!("{}: {why}", path.display()))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// How to log in to a server by `~/.netrc`; none when it is not in there, is not to be read, or would go over the network
    /// in the clear. Drivers name servers, so none is known but by its name.
    pub(super) fn server(&self, url: &Url) -> Option<Login> {
        if !url.tls && !url.is_loopback() {
            return None;
        }
        let text = read(self.netrc.as_deref()?).ok()??;
        netrc::find(&text, &url.host)
    }
}

fn read(path: &Path) -> Result<Option<String>, String> {
    use std::io::Read as _;
    let told = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(error)),
    };
    let mut text = String::new();
    file.take(FILE_LIMIT).read_to_string(&mut text).map_err(told)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_found_where_programs_leave_them() {
        let home = tempfile::tempdir().unwrap();
        let variable = |name: &str| (name == "HOME").then(|| home.path().to_str().unwrap().to_owned());
        let logins = Logins::of_person(variable);
        let url = Url::parse("https://charts.example.org/x").unwrap();
        assert_eq!((logins.registry("ghcr.io").unwrap(), logins.server(&url)), (None, None));

        std::fs::create_dir(home.path().join(".docker")).unwrap();
        let docker = r#"{"auths": {"ghcr.io": {"auth": "YW5uYTpwdw=="}}}"#;
        std::fs::write(home.path().join(".docker/config.json"), docker).unwrap();
        std::fs::write(home.path().join(".netrc"), "machine charts.example.org login bo password s\n")
            .unwrap();
        let anna = Login { user: "anna".to_owned(), password: "pw".to_owned() };
        assert_eq!(logins.registry("ghcr.io").unwrap(), Some(Known::Password(anna)));
        assert_eq!(logins.server(&url).unwrap().user, "bo");

        let open = Url::parse("http://charts.example.org/x").unwrap();
        assert_eq!(logins.server(&open), None, "never in the clear");
        let other = Url::parse("https://elsewhere.example.org/x").unwrap();
        std::fs::write(
            home.path().join(".netrc"),
            "default login bo password s\nmachine localhost login bo\n",
        )
        .unwrap();
        assert_eq!(logins.server(&other), None, "nobody knows that one");
        assert!(logins.server(&Url::parse("http://localhost:1/x").unwrap()).is_some());

        // what helm knows comes first
        let helm = home.path().join(".config/helm/registry");
        std::fs::create_dir_all(&helm).unwrap();
        std::fs::write(helm.join("config.json"), r#"{"auths": {"ghcr.io": {"identitytoken": "t"}}}"#)
            .unwrap();
        assert_eq!(logins.registry("ghcr.io").unwrap(), Some(Known::Identity("t".to_owned())));
        std::fs::write(helm.join("config.json"), "secret").unwrap();
        let refusal = logins.registry("ghcr.io").unwrap_err();
        assert!(refusal.contains("registry/config.json") && !refusal.contains("secret"), "{refusal}");
    }
}
