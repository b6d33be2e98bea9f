use ratatui::text::Span;

use super::*;
use crate::domain::OperationId;
use crate::domain::call::{OutputLine, OutputSource, StepOutput};
use crate::ui::event::Effect;
use crate::ui::{action_samples as samples, sample};

const STEP: StepId = StepId { operation: OperationId(23), position: 0 };

struct Fixture {
    page: OutputPage,
    world: World,
    requests: u64,
}

impl Fixture {
    fn new() -> Self {
        let mut fixture = Self { page: OutputPage::new(STEP), world: samples::running_world(), requests: 0 };
        let effects = fixture.with(|page, context| page.refresh(context));
        assert_eq!(effects, [Effect::FollowOutput(RequestId(1), STEP)]);
        fixture
    }

    fn with(&mut self, work: impl FnOnce(&mut OutputPage, &mut Context<'_>)) -> Vec<Effect> {
        let size = Size::new(80, 22);
        let mut context = Context::new(&self.world, Some(sample::now()), size, &mut self.requests);
        work(&mut self.page, &mut context);
        context.effects
    }

    fn run(&mut self, command: Command) {
        self.with(|page, context| {
            page.command(command, context);
        });
    }

    fn hear(&mut self, id: u64, output: StepOutput) -> bool {
        let mut taken = false;
        self.with(|page, context| {
            taken = page.reply(RequestId(id), Reply::Output(Ok(output)), context).is_none();
        });
        taken
    }

    fn text(&self, width: Width) -> Vec<String> {
        plain(|look| rows(&self.page.feed, look, width).iter().map(ToString::to_string).collect())
    }
}

const WIDE: Width = Width { columns: 200, wrap: false, clock: false };

fn more(text: &str, anew: bool) -> StepOutput {
    let line = OutputLine { at: samples::newest(), source: OutputSource::Out, text: text.into() };
    StepOutput { lines: vec![line], anew, calls: samples::output().calls }
}

#[test]
fn calls_stand_between_the_lines_in_the_order_of_time() {
    let mut fixture = Fixture::new();
    fixture.hear(1, samples::output());
    let rows = fixture.text(WIDE);
    assert_eq!(rows[0], "  • reindexing notes", "the call that said it is not told twice");
    assert_eq!(rows[1], "  ▸ stop_components(components=[\"web\"], timeout=60)  ✓ 3s");
    assert!(
        rows[2].starts_with("  ▸ execute_commands(") && rows[2].contains("PASSWORD: (secret)"),
        "{}",
        rows[2]
    );
    assert_eq!(rows[3], "  │ page 0 of 20 done");
    assert!(rows.iter().any(|row| row.starts_with("  ! warning: 3 rows")), "errors have a sign of their own");
    let end: Vec<&str> = rows.iter().rev().take(3).map(String::as_str).collect();
    let refused = ["      web answers with 503: expected 200 at /healthz"];
    assert!(end[0].starts_with("  ▸ sleep(seconds=30)  ◐"), "{}", end[0]);
    assert_eq!(end[1].trim(), refused[0].trim());
    assert!(end[2].ends_with("✗ refused 1s"), "{}", end[2]);
}

#[test]
fn what_is_too_long_is_wrapped_with_its_sign_or_cut() {
    let mut fixture = Fixture::new();
    fixture.hear(1, more(&"x".repeat(100), true));
    let wrapped = fixture.text(Width { columns: 40, wrap: true, clock: true });
    let lines: Vec<&String> = wrapped.iter().filter(|row| row.contains("xxx")).collect();
    assert!(lines.len() >= 4 && lines.iter().all(|row| row.contains("│ x")), "{wrapped:?}");
    assert!(wrapped.iter().all(|row| Span::raw(row.clone()).width() <= 40), "{wrapped:?}");
    let cut = fixture.text(Width { columns: 40, wrap: false, clock: false });
    assert_eq!(cut.iter().filter(|row| row.contains("xxx") && row.ends_with('…')).count(), 1);
}

#[test]
fn the_end_is_followed_until_one_scrolls_away_and_again_at_the_end() {
    let mut fixture = Fixture::new();
    fixture.hear(1, samples::output());
    let end = fixture.page.top;
    assert!(end > 0 && fixture.page.following);
    fixture.run(Command::Up);
    assert!(!fixture.page.following);
    assert!(fixture.hear(1, more("another line", false)));
    assert_eq!(fixture.page.top, end - 1, "it stands still while one reads");
    fixture.run(Command::Bottom);
    assert!(fixture.page.following && fixture.page.top == end + 1);
    fixture.run(Command::LogPause);
    assert!(!fixture.page.following);
    fixture.run(Command::LogPause);
    assert!(fixture.page.following && fixture.page.top == end + 1);
}

#[test]
fn lines_are_added_or_take_the_place_of_all_and_older_answers_are_not_taken() {
    let mut fixture = Fixture::new();
    fixture.hear(1, samples::output());
    let before = fixture.text(WIDE).len();
    assert!(!fixture.hear(7, more("of another step", false)));
    fixture.hear(1, more("one more", false));
    assert_eq!(fixture.text(WIDE).len(), before + 1);
    fixture.hear(1, more("all there is", true));
    let rows = fixture.text(WIDE);
    assert_eq!(rows.iter().filter(|row| row.contains('│')).count(), 1);
}

#[test]
fn leaving_ends_the_following() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.with(|page, context| page.refresh(context)), [], "it is followed already");
    assert_eq!(fixture.with(|page, context| page.leave(context)), [Effect::Cancel(RequestId(1))]);
}
