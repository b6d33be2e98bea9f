//! Where secrets come from, and that none of them shows.

use std::fs;

use super::*;

fn location(key: SecretSource, credentials: Option<S3Credentials>) -> Location {
    let kind = match credentials {
        None => LocationKind::Directory { path: "/backups".into() },
        Some(credentials) => LocationKind::S3 {
            endpoint: "http://localhost:1".into(),
            bucket: "b".into(),
            prefix: String::new(),
            region: "us-east-1".into(),
            path_style: true,
            ca: None,
            credentials,
        },
    };
    Location {
        name: "nas".into(),
        kind,
        key,
        repository: None,
        created: "2026-11-29T12:00:00Z".parse().unwrap(),
    }
}

fn variables(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> + Sync {
    move |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

fn of(variable: &str) -> SecretSource {
    SecretSource::Environment { variable: variable.to_owned() }
}

async fn resolved(
    location: &Location,
    variable: &(dyn Fn(&str) -> Option<String> + Sync),
    home: &Path,
) -> Result<Secrets, Problem> {
    Surroundings { cluster: None, variable, home: Some(home.to_owned()) }.resolve(location).await
}

#[tokio::test]
async fn passwords_come_from_variables_and_files() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("password");
    fs::write(&path, "two words \n").unwrap();
    let variable = variables(&[("KEY", "s3cret"), ("NOTHING", "")]);
    let found = resolved(&location(of("KEY"), None), &variable, home.path()).await.unwrap();
    assert_eq!((found.password.as_str(), &found.s3), ("s3cret", &None));
    let file = location(SecretSource::File { path: path.clone() }, None);
    let found = resolved(&file, &variable, home.path());
    assert_eq!(found.await.unwrap().password.as_str(), "two words ");
    for (source, why) in [
        (of("OTHER"), "the variable OTHER is not set"),
        (of("NOTHING"), "the variable NOTHING is empty"),
        (SecretSource::File { path: home.path().join("none") }, "none is not there"),
        (
            SecretSource::Secret { namespace: "n".into(), name: "s".into(), key: "k".into() },
            "none is connected",
        ),
    ] {
        let problem = resolved(&location(source, None), &variable, home.path()).await.unwrap_err();
        assert!(problem.why.contains(why), "{problem}");
        assert!(problem.what.contains("'nas'"), "{problem}");
    }
}

#[tokio::test]
async fn access_keys_come_from_variables_and_profiles() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    let credentials = "# mine\n[default]\naws_access_key_id = D\naws_secret_access_key=d\n\n\
        [work]\naws_access_key_id=W\n";
    fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
    let config = "[profile work]\naws_secret_access_key = w=/+\naws_session_token = t\ns3 =\n  aws_access_key_id = no\n\
        [profile empty]\nregion = x\n";
    fs::write(home.path().join(".aws/config"), config).unwrap();
    let of_profile = |name: &str| Some(S3Credentials::Profile { profile: name.to_owned() });
    let none = variables(&[("KEY", "k")]);
    let work = variables(&[("KEY", "k"), ("AWS_PROFILE", "work")]);
    let named = variables(&[("KEY", "k"), ("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "e")]);
    type Variables<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);
    type Found<'a> = (&'a str, &'a str, Option<&'a str>);
    let cases: [(Option<S3Credentials>, Variables<'_>, Found<'_>); 4] = [
        (of_profile("default"), &none, ("D", "d", None)),
        (of_profile("default"), &work, ("W", "w=/+", Some("t"))),
        (of_profile("work"), &none, ("W", "w=/+", Some("t"))),
        (Some(S3Credentials::Environment), &named, ("E", "e", None)),
    ];
    for (credentials, variable, (id, secret, token)) in cases {
        let found = resolved(&location(of("KEY"), credentials), variable, home.path()).await.unwrap();
        let keys = found.s3.unwrap();
        let found = (keys.access_key_id.as_str(), keys.secret_access_key.as_str());
        assert_eq!(found, (id, secret));
        assert_eq!(keys.session_token.as_ref().map(|token| token.as_str()), token);
    }
    let problem = resolved(&location(of("KEY"), of_profile("empty")), &none, home.path()).await.unwrap_err();
    assert!(
        problem.why.contains("the profile 'empty' of the AWS files has no AWS_ACCESS_KEY_ID"),
        "{problem}"
    );
}

#[test]
fn values_of_secrets_are_decoded() {
    let data = serde_json::json!({ "a": "c2VjcmV0", "b": "/w==", "c": "!" });
    assert_eq!(value(&data, "a").unwrap().unwrap().as_str(), "secret");
    assert_eq!(value(&data, "z").unwrap(), None);
    for wrong in ["b", "c"] {
        assert!(value(&data, wrong).unwrap_err().contains("is no text"));
    }
}

#[test]
fn debug_texts_have_no_secret() {
    let text = |text: &str| Zeroizing::new(text.to_owned());
    let keys = S3Keys {
        access_key_id: "hidden1".into(),
        secret_access_key: text("hidden2"),
        session_token: Some(text("hidden3")),
    };
    let secrets = Secrets { password: text("hidden4"), s3: Some(keys) };
    assert!(!format!("{secrets:?}").contains("hidden"));
    let (one, other) = (new_password().unwrap(), new_password().unwrap());
    assert_eq!(one.len(), 43);
    assert_ne!(one, other);
}
