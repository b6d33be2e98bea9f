//! Environments: their table, and one of them.

use styrmin::ui::{ColourDepth, UiOptions};

use super::{Cockpit, check, check_screen, place_samples as samples};

#[test]
fn environments() {
    check("environments", samples::world, |cockpit| {
        cockpit.press("6");
    });
}

#[test]
fn environments_on_wide_and_narrow_screens() {
    for size in [(120, 30), (190, 40), (44, 14)] {
        let mut cockpit = Cockpit::new(size, samples::world());
        cockpit.press("6jj");
        check_screen("environments", &cockpit);
    }
}

#[test]
fn environments_in_ascii_without_colours() {
    let options =
        UiOptions { ascii: true, colours: ColourDepth::Mono, reduced_motion: true, ..UiOptions::default() };
    let mut cockpit = Cockpit::with((80, 24), samples::world(), options);
    cockpit.press("6");
    check_screen("environments_ascii", &cockpit);
    cockpit.press("jj<enter>");
    check_screen("environment_page_ascii", &cockpit);
}

#[test]
fn environments_with_faults() {
    check("environments_faults", samples::world, |cockpit| {
        cockpit.press("6FS");
    });
}

#[test]
fn environments_filtered() {
    check("environments_filtered", samples::world, |cockpit| {
        cockpit.press("6/isolation:off !prod");
    });
}

#[test]
fn no_environments_yet() {
    check("environments_none", samples::none, |cockpit| {
        cockpit.press("6");
    });
}

#[test]
fn environment_with_an_ingress_of_its_own() {
    check("environment_page", samples::world, |cockpit| {
        cockpit.press("6/prod<enter><enter>");
    });
}

#[test]
fn environment_with_an_ingress_of_its_own_to_its_end() {
    check("environment_page_end", samples::world, |cockpit| {
        cockpit.press("6/prod<enter><enter>G");
    });
}

#[test]
fn environment_on_a_gateway_whose_change_failed() {
    check("environment_page_gateway", samples::world, |cockpit| {
        cockpit.press("6/staging<enter><enter>");
    });
}

#[test]
fn environment_without_applications() {
    check("environment_page_empty", samples::world, |cockpit| {
        cockpit.press("6G<enter>");
    });
}
