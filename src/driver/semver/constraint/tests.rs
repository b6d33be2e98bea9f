use super::*;

/// Asked of the real Helm.
const RECORDED: &str = include_str!("recorded.txt");

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

#[test]
fn what_holds_is_what_helm_says() {
    let mut lines = RECORDED.lines().filter(|line| !line.starts_with('#'));
    let versions: Vec<&str> = lines.next().unwrap().split(' ').skip(1).collect();
    let mut checked = 0;
    for line in lines {
        let (text, expected) = line.split_once(':').unwrap();
        let constraint = Constraint::parse(text).unwrap();
        let held = versions.iter().copied().filter(|text| constraint.holds(&version(text)));
        assert_eq!(held.collect::<Vec<_>>(), expected.split_whitespace().collect::<Vec<_>>(), "{text}");
        checked += 1;
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn signs_have_other_spellings_and_room_around_them() {
    for (one, other) in [
        ("=>1.2", ">=1.2"),
        ("=<1.2", "<=1.2"),
        ("~>1.2", "~1.2"),
        ("=1.2", "1.2"),
        (" >=  1.2\t,<2 ", ">=1.2 <2"),
        ("v1.2 - v2", ">=1.2,<=2"),
        ("01.2", "1.2"),
        ("1.X", "1"),
    ] {
        assert_eq!(Constraint::parse(one), Constraint::parse(other), "{one}");
    }
}

#[test]
fn what_is_no_constraint_is_told_in_helms_words() {
    for text in [
        "",
        "||",
        "1 ||",
        ">",
        ">= ",
        "1.2.3.4",
        "1.2-",
        ">=1.0<2.0",
        ">=1.0,",
        ">=1.0,,<2",
        "1x",
        "a",
        ">>1",
        "1.2 -1.3",
        "1.2 - ",
        ">1 - 2",
        "1 - 2 - 3",
        "~1.2 - 1.3",
        "1.2.3-01",
        "~ >1",
        "1|2",
        "!1",
        "=>=1",
        "xx",
        "1.2.3+",
        "99999999999999999999",
    ] {
        assert!(Constraint::parse(text).unwrap_err().starts_with("improper constraint: "), "{text}");
    }
    assert!(Constraint::parse(&"1 ".repeat(LENGTH_LIMIT)).is_err());
}
