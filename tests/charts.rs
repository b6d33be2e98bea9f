//! Charts of all kinds, rendered by the real helm and by ours: the text of every document, its order, the objects field by field, the
//! notes, the messages of what fails.
//!
//! `STYRMIN_HELM` names the binaries, separated by colons; without it those beside the kubectl binaries (`STYRMIN_KUBECTL`) or on the
//! PATH are taken. With one or without, ours is compared with what a helm 3 said before (`tests/charts/answers/`). Each chart in `tests/charts/` is rendered with its own
//! values and with those of each `ci/*-values.yaml`; a first line `# helm: …` there has options of the command line.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "charts/answers.rs"]
mod answers;
#[path = "charts/archives.rs"]
mod archives;
#[path = "charts/case.rs"]
mod case;
#[path = "charts/compare.rs"]
mod compare;
#[path = "charts/damage.rs"]
mod damage;
#[path = "charts/helm.rs"]
mod helm;
#[path = "charts/ours.rs"]
mod ours;
#[path = "charts/parsing.rs"]
mod parsing;

/// Declares a test for each chart.
macro_rules! charts {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { crate::compare::chart(stringify!($name)) })*

        #[test]
        fn every_chart_has_a_test() {
            let mut named = vec![$(stringify!($name)),*];
            named.sort_unstable();
            assert_eq!(crate::case::names(), named);
        }
    };
}

charts! { database, documents, files, language, legacy, monitoring, numbers, operator, refusals, schemas, umbrella, web, whitespace, with_library }
