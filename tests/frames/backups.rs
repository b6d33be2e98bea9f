//! Backups: their tables, one of them, the forms that lead to a restore or a clone, and how far one is.

use std::sync::Arc;

use styrmin::domain::{OperationView, Problem, World};
use styrmin::ui::UiOptions;
use styrmin::ui::event::Reply;

use super::{Cockpit, backup_samples as samples, check, check_screen};

#[test]
fn applications_and_how_they_are_kept() {
    check("kept", samples::world, |cockpit| {
        cockpit.press("j");
    });
}

#[test]
fn backups() {
    check("backups", samples::world, |cockpit| {
        cockpit.press("4jj");
    });
}

#[test]
fn backup_that_is_being_made() {
    check("backups_running", samples::world, |cockpit| {
        cockpit.press("4");
    });
}

#[test]
fn backups_narrowed_and_marked() {
    check("backups_narrowed", samples::world, |cockpit| {
        cockpit.press("4eSS j j");
    });
}

#[test]
fn backups_on_a_wide_screen() {
    let mut cockpit = Cockpit::new((170, 40), samples::world());
    cockpit.press("4jjj");
    check_screen("backups", &cockpit);
}

#[test]
fn schedules() {
    check("schedules", samples::world, |cockpit| {
        cockpit.press("4<tab>");
    });
}

#[test]
fn locations() {
    check("locations", samples::world, |cockpit| {
        cockpit.press("4<tab><tab>j");
    });
}

#[test]
fn the_next_day() {
    check("calendar", samples::world, |cockpit| {
        cockpit.press("4<tab><tab><tab>");
    });
}

#[test]
fn no_location_yet() {
    check("backups_none", samples::bare, |cockpit| {
        cockpit.press("4");
    });
}

#[test]
fn no_schedule_yet() {
    check("schedules_none", samples::bare, |cockpit| {
        cockpit.press("4<tab>");
    });
}

#[test]
fn backups_without_colours_in_ascii() {
    let options = UiOptions { ascii: true, reduced_motion: true, ..UiOptions::default() };
    let mut cockpit = Cockpit::with((80, 24), samples::world(), options);
    cockpit.press("4jj");
    assert!(cockpit.screen().is_ascii(), "{}", cockpit.screen());
    check_screen("backups_ascii", &cockpit);
    for keys in
        ["k<tab>", "<tab>", "<tab>", "<tab>jjj<enter>", "<esc>1jb", "3<enter>", "1aR<tab>", "<esc>1aC"]
    {
        cockpit.press(keys);
        assert!(cockpit.screen().is_ascii(), "{keys}: {}", cockpit.screen());
    }
}

#[test]
fn backup_in_full() {
    check("backup", samples::world, |cockpit| {
        cockpit.press("4jjj<enter>");
    });
}

#[test]
fn backup_that_failed_in_part() {
    check("backup_failed", samples::world, |cockpit| {
        cockpit.press("4jj<enter>");
    });
}

#[test]
fn backups_of_an_application() {
    check("its_backups", samples::world, |cockpit| {
        cockpit.press("b");
    });
}

#[test]
fn backups_of_an_application_while_one_is_made() {
    check("its_backups_running", samples::world, |cockpit| {
        cockpit.press("jb");
    });
}

#[test]
fn application_without_strategies() {
    let world = || {
        let mut world = samples::bare();
        for driver in &mut world.drivers {
            Arc::make_mut(driver).spec.components.values_mut().for_each(|spec| spec.backup = None);
        }
        world
    };
    check("its_backups_never", world, |cockpit| {
        cockpit.press("b");
    });
}

#[test]
fn operation_that_moves_data() {
    check("operation_moving", samples::world, |cockpit| {
        cockpit.press("3<enter>").reply(Reply::OperationEvents(Ok(Vec::new())));
    });
}

/// The picture with another progress of the running backup.
fn moving(change: impl Fn(&mut OperationView)) -> World {
    let mut world = samples::world();
    change(Arc::make_mut(&mut world.operations[0]));
    world
}

#[test]
fn operation_that_stalls_or_has_no_known_end() {
    let stalled = || {
        moving(|view| {
            view.moving.insert(2, samples::progress(Some(1 << 30), 75));
        })
    };
    let endless = || {
        moving(|view| {
            view.moving.insert(2, samples::progress(None, 0));
        })
    };
    check("operation_stalled", stalled, |cockpit| {
        cockpit.press("3<enter>");
    });
    check("operation_endless", endless, |cockpit| {
        cockpit.press("3");
    });
}

#[test]
fn restore_form() {
    check("restore", samples::world, |cockpit| {
        cockpit.press("aR<tab>");
    });
}

#[test]
fn restore_of_one_path() {
    check("restore_path", samples::world, |cockpit| {
        cockpit.press("aR<tab><tab><tab><right><tab><tab><enter>");
    });
}

#[test]
fn restore_into_a_new_application() {
    check("restore_new", samples::world, |cockpit| {
        cockpit.press("aR<tab><right><right><tab><tab>");
    });
}

#[test]
fn clone_form() {
    check("clone", samples::world, |cockpit| {
        cockpit.press("aC<tab><tab><right><tab>");
    });
}

#[test]
fn what_would_go() {
    check("retention", samples::world, |cockpit| {
        cockpit.press("4<tab>jaw").reply(Reply::Retention(Ok(samples::fates())));
    });
}

#[test]
fn pausing_asks_why() {
    check("pause", samples::world, |cockpit| {
        cockpit.press("4<tab>jp");
    });
    let mut cockpit = Cockpit::new((80, 24), samples::world());
    let problem = Problem::new("The schedule cannot be written", "the disk is full", "make room");
    cockpit.press("4<tab>jpmoving<enter>").reply(Reply::Done(Err(problem)));
    assert!(cockpit.screen().contains("the disk is full"), "{}", cockpit.screen());
}

#[test]
fn operation_that_is_made_of_others() {
    let world = || {
        let mut world = samples::world();
        let (parent, done) = samples::environment_operations();
        Arc::make_mut(&mut world.operations[0]).operation.parent = Some((parent.operation.id, 1));
        world.operations.insert(0, Arc::new(parent));
        world.operations.push(Arc::new(done));
        world
    };
    check("operation_parts", world, |cockpit| {
        cockpit.press("3<enter>j").reply(Reply::OperationEvents(Ok(Vec::new())));
        assert!(cockpit.screen().contains("operation 20"), "{}", cockpit.screen());
    });
    let mut cockpit = Cockpit::new((80, 24), world());
    cockpit.press("3<enter>j<enter>");
    assert!(cockpit.screen().contains("Back up shop in demo"), "{}", cockpit.screen());
}
