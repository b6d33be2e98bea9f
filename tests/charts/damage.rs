//! Damaged charts: whatever is broken in them, there is an answer, and it is no failure of our own.

use proptest::prelude::*;
use styrmin::driver::chart::Chart;

use crate::case::{self, Case};
use crate::ours;

/// What is put somewhere into a file.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{ end }}",
    "{{ range . }}",
    "{{ include \"x\" . }}",
    "{{- ",
    " -}}",
    "\n---\n",
    "&a",
    "*a",
    "|",
    "\"",
    "'",
    ": ",
    "\t",
    "{",
    "]",
    "\u{feff}",
    "\0",
    "99999999999999999999",
    "null",
    "charts/",
    "{{ tpl . $ }}",
    "{{ .Files.Glob \"**\" }}",
    "- ",
    "!!binary ",
];

/// A file of a chart, a place in it in thousandths, how much is taken away there, and what is put there.
fn damage() -> impl Strategy<Value = (prop::sample::Index, usize, usize, prop::sample::Index)> {
    (any::<prop::sample::Index>(), 0..1_000_usize, 0..12_usize, any::<prop::sample::Index>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_chart_gets_an_answer(
        chart in any::<prop::sample::Index>(),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let names = case::names();
        let name = chart.get(&names);
        let mut files = case::files(&case::directory(name));
        let paths: Vec<String> = files.keys().cloned().collect();
        for (file, place, taken, piece) in damages {
            let path = file.get(&paths);
            let mut content = files[path].to_vec();
            let start = content.len() * place / 1_000;
            let end = (start + taken).min(content.len());
            content.splice(start..end, piece.get(PIECES).bytes());
            files.insert(path.clone(), content.into());
        }
        let mut case = Case::plain();
        case.values = case::cases(name).into_iter().find_map(|case| case.values);
        if let Ok(chart) = Chart::from_files(&files)
            && let Err(error) = ours::of(&chart, &case)
        {
            prop_assert!(!error.contains("within Styrmin"), "{error}");
        }
    }
}
