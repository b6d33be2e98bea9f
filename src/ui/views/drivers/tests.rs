use std::sync::Arc;

use ratatui::layout::Size;

use super::*;
use crate::ui::sample;

struct Fixture {
    view: DriversView,
    world: World,
    requests: u64,
}

impl Fixture {
    fn new() -> Self {
        Self { view: DriversView::default(), world: sample::world(), requests: 0 }
    }

    fn run(&mut self, commands: &[Command]) -> Vec<Step> {
        let size = Size::new(80, 22);
        let mut context = Context::new(&self.world, Some(sample::now()), size, &mut self.requests);
        for command in commands {
            assert!(self.view.command(*command, &mut context), "{command:?}");
        }
        context.steps
    }
}

fn notes(version: &str) -> DriverRef {
    DriverRef { name: "notes".into(), version: version.into() }
}

fn comparison() -> Step {
    Step::CompareDrivers(notes("1.1.0"), notes("1.2.0"))
}

#[test]
fn a_version_is_opened_and_its_driver_deployed() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.run(&[Command::Down, Command::Open]), [Step::ShowDriver(notes("1.1.0"))]);
    assert_eq!(fixture.run(&[Command::NewDeployment]), [Step::ShowForm(Some("notes".into()))]);
}

#[test]
fn a_version_is_compared_with_the_one_before_or_the_marked_one() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.run(&[Command::CompareVersions]), [comparison()]);
    let down = [Command::Down, Command::CompareVersions];
    assert!(matches!(fixture.run(&down)[..], [Step::Say(_)]), "there is none before");
    assert_eq!(
        fixture.run(&[Command::Top, Command::Mark, Command::Down, Command::CompareVersions]),
        [comparison()]
    );
    assert_eq!(fixture.run(&[Command::Mark, Command::Bottom, Command::CompareVersions]), [comparison()]);
    fixture.run(&[Command::Mark]);
    assert_eq!(fixture.view.marked.len(), 1, "only versions of one driver are marked");
    assert!(matches!(fixture.run(&[Command::CompareVersions])[..], [Step::Say(_)]));
}

#[test]
fn a_default_of_a_secret_is_never_shown() {
    let mut world = sample::world();
    let mut driver = (*world.drivers[0]).clone();
    driver.spec.parameters[4].default = Some("hunter2".into());
    world.drivers[0] = Arc::new(driver);
    let text = crate::ui::widgets::page::plain(|look| {
        let mut sheet = crate::ui::widgets::sheet::Sheet::new(look, 60);
        sections::write(&mut sheet, &world.drivers[0], "1.2.0");
        sheet.lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    });
    assert!(text.contains("secret, kept in a Secret only · optional"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_comparison_is_made_anew_when_a_version_changes_and_kept_when_one_goes() {
    let mut world = sample::world();
    let mut view = DriverComparison::new(notes("1.1.0"), notes("1.2.0"));
    let mut requests = 0;
    let mut shown = |world: &World, width: u16| {
        let size = Size::new(width, 12);
        view.refresh(&mut Context::new(world, Some(sample::now()), size, &mut requests));
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 12));
        let area = buffer.area;
        crate::ui::widgets::page::plain(|look| view.draw(world, look, area, &mut buffer));
        buffer.content.iter().map(|cell| cell.symbol()).collect::<String>()
    };
    assert!(shown(&world, 80).contains("3 files  +3 -2"));
    let mut driver = (*world.drivers[0]).clone();
    driver.files = world.drivers[1].files.clone();
    driver.digest = "another".into();
    world.drivers[0] = Arc::new(driver);
    assert!(shown(&world, 40).contains("No text differs"));
    world.drivers.clear();
    assert!(shown(&world, 40).contains("No text differs"));
}
