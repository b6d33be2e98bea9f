//! Routes: their table, one of them, the QR code, and the form of an environment.

use styrmin::ui::{ColourDepth, UiOptions};

use super::{Cockpit, check, check_screen, route_samples as samples};

#[test]
fn routes() {
    check("routes", samples::world, |cockpit| {
        cockpit.press("5");
    });
}

#[test]
fn routes_on_a_wide_screen() {
    let mut cockpit = Cockpit::new((170, 40), samples::world());
    cockpit.press("5jj");
    check_screen("routes", &cockpit);
}

#[test]
fn routes_in_ascii_without_colours() {
    let options =
        UiOptions { ascii: true, colours: ColourDepth::Mono, reduced_motion: true, ..UiOptions::default() };
    let mut cockpit = Cockpit::with((80, 24), samples::world(), options);
    cockpit.press("5");
    check_screen("routes_ascii", &cockpit);
    cockpit.press("j<enter>");
    check_screen("route_ascii", &cockpit);
}

#[test]
fn routes_without_certificates() {
    check("routes_plain", samples::plain_world, |cockpit| {
        cockpit.press("5jj");
    });
}

#[test]
fn routes_narrowed() {
    check("routes_narrowed", samples::world, |cockpit| {
        cockpit.press("5eFS");
    });
}

#[test]
fn no_routes_yet() {
    let world = || {
        let mut world = samples::world();
        world.applications.clear();
        world
    };
    check("routes_none", world, |cockpit| {
        cockpit.press("5");
    });
}

#[test]
fn route_that_cannot_be_connected_to() {
    check("route_refused", samples::world, |cockpit| {
        cockpit.press("5/handbook<enter><enter>");
    });
}

#[test]
fn route_without_a_backend() {
    check("route_503", samples::world, |cockpit| {
        cockpit.press("5/shop<enter><enter>");
    });
}

#[test]
fn route_with_another_certificate() {
    check("route_certificate", samples::world, |cockpit| {
        cockpit.press("5/billing<enter><enter>");
    });
}

#[test]
fn route_with_another_certificate_to_its_end() {
    check("route_certificate_end", samples::world, |cockpit| {
        cockpit.press("5/billing<enter><enter>G");
    });
}

#[test]
fn overview_with_routes() {
    check("overview_routes", samples::world, |cockpit| {
        cockpit.press("<enter>G");
    });
}

#[test]
fn overview_with_a_route_that_fails() {
    check("overview_route_fails", samples::world, |cockpit| {
        cockpit.press("5/handbook<enter>oG");
    });
}

#[test]
fn qr_code() {
    check("qr", samples::world, |cockpit| {
        cockpit.press("5/notes-d<enter>Q");
    });
}

#[test]
fn qr_code_in_a_small_window() {
    let mut cockpit = Cockpit::new((50, 14), samples::world());
    cockpit.press("5Q");
    check_screen("qr", &cockpit);
}

#[test]
fn qr_code_without_colours() {
    let options = UiOptions { colours: ColourDepth::Mono, reduced_motion: true, ..UiOptions::default() };
    let mut cockpit = Cockpit::with((80, 24), samples::world(), options);
    cockpit.press("5/billing<enter>Q");
    check_screen("qr_mono", &cockpit);
}

#[test]
fn environment_that_is_configured() {
    check("environment", samples::world, |cockpit| {
        cockpit.press("5/billing<enter>ai");
    });
}

#[test]
fn new_environment_with_mistakes() {
    check("environment_errors", samples::world, |cockpit| {
        cockpit.press("aIqa<tab>https://qa<tab><tab><tab><tab><tab><tab>10.0.0.1<tab>");
    });
}
