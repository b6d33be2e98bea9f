//! Drivers from git.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::home::Home;

/// Runs git in the driver's directory; false where there is no git.
fn git(home: &Home, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command.arg("-C").arg(home.path("wiki")).args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
    command.args(arguments).env("HOME", home.path("")).env("GIT_CONFIG_NOSYSTEM", "1");
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            true
        }
        Err(_) => false,
    }
}

/// A home whose driver is a git repository; none where there is no git: the test says that it is skipped.
fn home() -> Option<Home> {
    let home = Home::with_driver();
    if !git(&home, &["init", "--quiet", "--initial-branch", "main"]) {
        eprintln!("skipped: the program git is not installed");
        return None;
    }
    record(&home);
    Some(home)
}

fn record(home: &Home) {
    git(home, &["add", "--all"]);
    git(home, &["commit", "--quiet", "--message", "x"]);
}

#[test]
fn a_branch_is_pinned_and_the_same_commit_is_no_news() {
    let Some(home) = home() else { return };
    git(&home, &["tag", "v0.1.0"]);
    let first = home.run(&["load", "git+./wiki", "-o", "json"]).json();
    let source = first["source"].as_str().unwrap().to_owned();
    let (repository, commit) = source.rsplit_once('@').unwrap();
    assert_eq!(repository, format!("git+{}", home.path("wiki").display()));
    assert!(commit.len() == 40 && first["outcome"] == "New", "{first}");
    assert_eq!(home.run(&["load", "git+./wiki@main", "-o", "json"]).json()["outcome"], "Known");
    assert_eq!(
        home.run(&["load", &format!("{repository}@{commit}"), "-o", "json"]).json()["outcome"],
        "Known"
    );

    home.edit("driver.styrmin.yml", "version: \"0.1.0\"", "version: \"0.2.0\"");
    home.run(&["lint", "git+./wiki"]).good();
    assert_eq!(
        home.run(&["load", "git+./wiki", "-o", "json"]).json()["outcome"],
        "Known",
        "it is not committed"
    );
    record(&home);
    let second = home.run(&["load", "git+./wiki", "--ref", "main", "-o", "json"]).json();
    assert_eq!((&second["driver"]["version"], &second["outcome"]), (&"0.2.0".into(), &"New".into()));
    let old = home.run(&["render", "git+./wiki@v0.1.0", "--diff", "git+./wiki"]).good();
    assert_eq!(old, "", "only the version changed");
    assert!(home.run(&["list"]).good().contains(&source));
    let scratch = fs::read_dir(home.path(".local/state/styrmin/cache/git")).unwrap();
    assert_eq!(scratch.count(), 0, "nothing of the repository is left");
}

#[test]
fn a_commit_that_is_known_is_not_fetched() {
    let Some(home) = home() else { return };
    home.run(&["load", "git+./wiki"]).good();
    // what a fetch would need is gone; the name of the commit is still there
    let objects = home.path("wiki/.git/objects");
    let remove = |path: &Path| fs::remove_dir_all(path).unwrap();
    fs::read_dir(&objects)
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().len() == 2)
        .for_each(|entry| remove(&entry.path()));
    let (code, text, told) = home.run(&["lint", "git+./wiki"]).parts();
    assert_eq!(code, 1, "the repository is broken: {text}{told}");
    // ls-remote of a broken repository lists nothing: a reference that is a commit needs none
    let listed = home.run(&["list", "-o", "json"]).json();
    let wiki = listed.as_array().unwrap().iter().find(|driver| driver["name"] == "wiki").unwrap();
    let source = wiki["source"].as_str().unwrap().to_owned();
    assert_eq!(home.run(&["load", &source, "-o", "json"]).json()["outcome"], "Known");
}

#[test]
fn a_driver_may_stand_in_a_directory_of_its_repository() {
    let Some(home) = home() else { return };
    fs::create_dir(home.path("wiki/drivers")).unwrap();
    home.run(&["new", "blog", "--directory", "wiki/drivers/blog"]).good();
    record(&home);
    let found = home.run(&["lint", "git+./wiki//drivers/blog", "-o", "json"]).json();
    assert_eq!(found["driver"]["name"], "blog");
    home.run(&["lint", "git+./wiki//drivers/missing"]).refused(&["has no directory 'drivers/missing'"]);
    home.run(&["lint", "git+./wiki@nowhere"]).refused(&["no branch, tag or commit 'nowhere'"]);
    home.run(&["lint", "wiki", "--ref", "main"]).refused(&["git+wiki"]);
    home.run(&["lint", "ext::sh -c id"]).refused(&["cannot be read"]);
}
