//! The functions against tables of what `helm` 3.17.3 answers.
//!
//! A table has an expression of templates in each line, statements separated by ` ; `, and below it, indented, what the last
//! one prints, as a string of JSON, or `! ` and the error. With `STYRMIN_HELM=/path/to/helm` the tables themselves are compared
//! with that binary, and with `STYRMIN_HELM_WRITE=1` beside it they are written anew.

use std::fs;
use std::path::PathBuf;

use super::super::random::Draw;
use super::super::value::Value;
use super::{FAMILIES, Surroundings, find};

mod expression;
mod hostile;
mod oracle;

pub(super) use expression::evaluate;

fn surroundings() -> Surroundings {
    let now = "2024-02-03T04:05:06.789Z".parse().unwrap();
    Surroundings::new(now, Draw::new([1; 32], now))
}

/// A case of a table, and what is expected: the printed text, or an error.
struct Case {
    expression: String,
    expected: Option<Result<String, String>>,
}

fn table_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/driver/chart/functions/tests").join(name)
}

fn read_table(name: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in fs::read_to_string(table_path(name)).unwrap().lines() {
        match line.strip_prefix("    ") {
            Some(answer) => {
                let answer = match answer.strip_prefix("! ") {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(serde_json::from_str(answer).unwrap()),
                };
                cases.last_mut().unwrap().expected = Some(answer);
            }
            None if line.starts_with('#') || line.is_empty() => {}
            None => cases.push(Case { expression: line.to_owned(), expected: None }),
        }
    }
    cases
}

/// Compares each answer of a table with ours.
fn check(name: &str) {
    let cases = read_table(name);
    let mut wrong = Vec::new();
    for case in &cases {
        let ours = evaluate(&case.expression, &surroundings());
        if case.expected.as_ref() != Some(&ours) {
            wrong.push(format!("{}\n  wanted {:?}\n  got    {ours:?}", case.expression, case.expected));
        }
    }
    assert!(cases.len() > 10, "{name} has only {} cases", cases.len());
    assert!(wrong.is_empty(), "{} of {} cases in {name}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

const TABLES: &[&str] = &[
    "strings.txt",
    "lists.txt",
    "dicts.txt",
    "numbers.txt",
    "words.txt",
    "regexes.txt",
    "versions.txt",
    "dates.txt",
    "urls.txt",
    "json.txt",
    "passwords.txt",
];

#[test]
fn strings_are_as_in_helm() {
    check("strings.txt");
}

#[test]
fn lists_are_as_in_helm() {
    check("lists.txt");
}

#[test]
fn dictionaries_are_as_in_helm() {
    check("dicts.txt");
}

#[test]
fn numbers_and_paths_are_as_in_helm() {
    check("numbers.txt");
}

#[test]
fn words_and_encodings_are_as_in_helm() {
    check("words.txt");
}

#[test]
fn regular_expressions_are_as_in_helm() {
    check("regexes.txt");
}

#[test]
fn versions_are_as_in_helm() {
    check("versions.txt");
}

#[test]
fn dates_are_as_in_helm() {
    check("dates.txt");
}

#[test]
fn addresses_are_as_in_helm() {
    check("urls.txt");
}

#[test]
fn json_is_as_in_helm() {
    check("json.txt");
}

#[test]
fn passwords_and_certificates_fail_as_in_helm() {
    check("passwords.txt");
}

#[test]
fn the_tables_are_what_helm_answers() {
    let Some(helm) = std::env::var_os("STYRMIN_HELM") else {
        println!("skipped: STYRMIN_HELM names no helm");
        return;
    };
    for name in TABLES {
        let cases = read_table(name);
        let answers = oracle::ask(&helm, &cases.iter().map(|case| &*case.expression).collect::<Vec<_>>());
        if std::env::var_os("STYRMIN_HELM_WRITE").is_some() {
            oracle::write(&table_path(name), &answers);
            continue;
        }
        for (case, (_, answer)) in cases.iter().zip(answers) {
            assert_eq!(case.expected.as_ref(), Some(&answer), "{name}: {}", case.expression);
        }
    }
}

/// What no two calls of Helm answer alike. The passwords of running deployments hang on these answers.
#[test]
fn random_values_are_as_ever() {
    let around = surroundings();
    around.draw.borrow_mut().place = "app/templates/secret.yaml > app.password".to_owned();
    let answers = AS_EVER.iter().map(|(expression, _)| evaluate(expression, &around).unwrap());
    assert_eq!(answers.collect::<Vec<_>>(), AS_EVER.iter().map(|(_, answer)| *answer).collect::<Vec<_>>());
}

const AS_EVER: &[(&str, &str)] = &[
    ("randAlphaNum 16", "sqmsRALTTmjdlla5"),
    ("randAlphaNum 16", "pWIuSoo5TWXr6FhC"),
    ("randAlphaNum 17", "2hwkZmBG6ZSZSacvo"),
    ("randAlpha 16", "JglxmXQBwzKMKsKT"),
    ("randNumeric 16", "4258343937494376"),
    ("randAscii 16", "52|(liGb/0gZ8?F{"),
    ("randBytes 16", "aEyPcD1ct4mRve7SILP2uw=="),
    ("randInt -5 1000000", "23011"),
    ("shuffle \"hello wörld\"", "öhrdowell l"),
    ("uuidv4", "b8f4f54b-22ed-44dc-a88f-35bb447c88f7"),
    ("bcrypt \"password\"", "$2a$10$DD4HKUN/gfQ0RIfvIvEDY.vQP11bc3mPBeio8GSGCDw2EkOLUlRCi"),
    ("htpasswd \"user\" \"password\"", "user:$2a$10$TR2RrhgmUjafy1mAJd0I2.BuPwm04KeYEukNtpl3oF2wXN1zqjvBK"),
    ("encryptAES \"key\" \"text\"", "bWkJ0M7jmS2H+rO48ubxTCknsUllwV7pbxXGiINQg9w="),
];

#[test]
fn a_password_matches_its_hash() {
    let hash = evaluate("htpasswd \"user\" \"pässword\"", &surroundings()).unwrap();
    let hash = hash.strip_prefix("user:").unwrap();
    assert!(bcrypt::verify("pässword", hash).unwrap());
    assert!(!bcrypt::verify("password", hash).unwrap());
}

/// A small template that would make a large text or list, take long, or go around in circles.
#[test]
fn what_is_too_large_or_endless_is_an_error() {
    for expression in [
        "repeat 1000000000 \"a\"",
        "repeat 9223372036854775807 \"ab\"",
        "indent 1000000000 \"a\"",
        "nindent 9223372036854775807 \"a\"",
        "until 1000000000000",
        "untilStep 0 1000000000000 1",
        "untilStep -9223372036854775807 9223372036854775807 1",
        "seq 1 1000000000000",
        "randAlphaNum 1000000000",
        "randBytes 1000000000",
        "$a := repeat 1000000 \"a\" ; replace \"a\" \"aaaa\" $a",
        "$a := repeat 1000000 \"a\" ; regexReplaceAll \"a\" $a \"aaaa\"",
        "$a := repeat 1000000 \"a\" ; regexReplaceAll \"a+\" $a \"$0$0$0$0\"",
        "$a := repeat 1000000 \"a\" ; regexFindAll \"a\" $a -1",
        "$a := repeat 1000000 \"a\" ; splitList \"\" $a",
        "$a := repeat 1000000 \"a\" ; split \"\" $a",
        "$a := repeat 1000000 \"a\" ; join $a (list $a $a $a)",
        "$a := repeat 1000000 \"a\" ; cat $a $a",
        "$a := repeat 1000000 \"a\" ; quote $a $a",
        "$a := repeat 1000000 \"a\" ; b64enc $a",
        "$a := repeat 1000000 \"a \" ; wrapWith 1 $a $a",
        "$a := until 60000 ; concat $a $a",
        "$d := dict ; set $d \"d\" $d ; deepCopy $d",
        "$d := dict ; set $d \"d\" $d ; toString $d",
        "$d := dict ; set $d \"d\" $d ; $e := dict ; set $e \"d\" $e ; deepEqual $d $e",
        "$d := dict ; set $d \"d\" $d ; $e := dict ; set $e \"d\" $e ; merge $d $e",
        "$d := dict ; set $d \"d\" $d ; mustToJson $d",
        "$d := dict ; set $d \"d\" $d ; toJson $d",
        "$d := dict ; set $d \"d\" $d ; toPrettyJson $d",
        "mustRegexMatch \"((a{100}){100}){100}\" \"a\"",
        "mustRegexMatch \"(\\\\pL{1000}){1000}\" \"a\"",
    ] {
        assert!(evaluate(expression, &surroundings()).is_err(), "{expression}");
    }
    let deep = format!("mustRegexMatch \"{}{}\" \"a\"", "(".repeat(100_000), ")".repeat(100_000));
    assert!(evaluate(&deep, &surroundings()).unwrap_err().contains("expression nests too deeply"));
}

/// A value in which each part is reached in two ways has more parts than there is time.
#[test]
fn a_value_that_unfolds_without_end_is_an_error() {
    let doubled = "$a := list 1 ; ".to_owned() + &"$a := list $a $a ; ".repeat(60);
    for call in ["deepCopy $a", "toString $a", "$b := deepCopy 1 ; has (list $a $b) (list (list $a 2))"] {
        let answer = evaluate(&format!("{doubled}{call}"), &surroundings());
        assert!(answer.is_err() || answer == Ok("false".to_owned()), "{call}");
    }
}

/// The names are those of sprig 3.3.0 without `env` and `expandenv`.
#[test]
fn every_function_of_sprig_is_there_and_nothing_else() {
    let names = fs::read_to_string(table_path("names.txt")).unwrap();
    let mut ours: Vec<&str> = FAMILIES.iter().copied().flatten().map(|entry| entry.name).collect();
    ours.sort_unstable();
    assert_eq!(ours, {
        let mut names: Vec<&str> = names.split_whitespace().collect();
        names.sort_unstable();
        names
    });
    assert!(ours.iter().all(|name| find(name).is_some_and(|entry| entry.name == *name)));
    assert!(find("env").is_none() && find("").is_none());
}
/// The tables through the engine itself.
#[test]
fn the_engine_answers_as_the_tables_say() {
    use crate::driver::chart::engine::{Limits, Templates};
    let mut wrong = Vec::new();
    for name in TABLES {
        for case in read_table(name) {
            let mut templates =
                Templates::new(surroundings(), Box::new(|_| Ok(Value::Nil)), Limits::default());
            let template = format!(
                "{{{{ define \"t\" }}}}{}{{{{ end }}}}{{{{ include \"t\" . | toJson }}}}",
                expression::to_template(&case.expression)
            );
            let answer = templates.add("x", &template).and_then(|()| templates.execute("x", &Value::Nil));
            let answer = match answer {
                Ok(text) => Ok(serde_json::from_str::<String>(&text).unwrap()),
                Err(error) => Err(error.message),
            };
            let same = match (&answer, case.expected.as_ref().unwrap()) {
                (Ok(a), Ok(b)) => a == b || a == &b.replace("<no value>", ""),
                (Err(a), Err(b)) => a.ends_with(b.as_str()),
                _ => false,
            };
            if !same {
                wrong.push(format!(
                    "{name}: {}\n  wanted {:?}\n  got    {answer:?}",
                    case.expression, case.expected
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What would take time that grows with the square of what is given.
#[test]
fn long_arguments_take_little_time() {
    let began = std::time::Instant::now();
    for (expression, expected) in [
        ("$a := repeat 500000 \"a\" ; contains (print (repeat 250000 \"a\") \"b\") $a", Some("false")),
        (
            "$a := repeat 500000 \"\\xffa\" ; contains (print (repeat 250000 \"\\xffa\") \"b\") $a",
            Some("false"),
        ),
        ("contains \"\\xffa\\xffb\" \"\\xffa\\xffa\\xffb\"", Some("true")),
        ("$a := repeat 300000 \"ab\" ; trimAll (print (repeat 300000 \"x\") \"ab\") $a", Some("")),
        ("$a := repeat 100000 \"\\\\pL\" ; mustRegexMatch $a \"a\"", None),
        ("$a := repeat 20000 \"\\\\pZ\" ; mustRegexMatch $a \"a\"", None),
        ("semverCompare (repeat 100000 \"1 - 2,\") \"1.0.0\"", None),
        ("range 200 ; mustRegexMatch \"(\\\\pL{10}){2}\" \"a\" ; end ; 1", Some("1")),
    ] {
        let template = expression.split(" ; ").map(|part| format!("{{{{ {part} }}}}"));
        let answer = rendered(&template.collect::<String>());
        match expected {
            Some(text) => {
                assert!(answer.as_ref().is_ok_and(|made| made.ends_with(text)), "{expression}: {answer:?}")
            }
            None => assert!(answer.is_err(), "{expression}"),
        }
    }
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

/// What the engine makes of a template.
fn rendered(template: &str) -> Result<String, String> {
    use crate::driver::chart::engine::{Limits, Templates};
    let mut templates = Templates::new(surroundings(), Box::new(|_| Ok(Value::Nil)), Limits::default());
    let made = templates.add("x", template).and_then(|()| templates.execute("x", &Value::Nil));
    made.map_err(|error| error.message)
}
