//! The cockpit's screen: a model, a pure update, and a draw that only reads.
//!
//! [`Model`] is everything that the screen depends on. [`update()`] takes an [`event::Event`] and hands back what is to be
//! done elsewhere as [`event::Effect`]s; [`draw()`] puts the model on a frame. Nothing here does I/O or reads a clock: time
//! comes in with events, files come in as text ([`ThemeSet::add`], [`KeymapSet::add`]).
//!
//! - A *screen* ([`screen::Screen`]) is a view or an overlay. Views form a stack (navigation), overlays lie on top of the
//!   view; the topmost has the keys. Screens never call each other: they ask the model for [`screen::Step`]s.
//! - Keys become [`keymap::Command`]s by layer; help, footer, palette and texts that name a key derive from the keymap.
//! - Widgets ask a [`theme::Theme`] for [`theme::Role`]s, never for colours; states carry a glyph and a word.
//! - Nothing is written without a plan that was shown and confirmed: only `overlays::PlanDialog` makes such effects. What has
//!   no plan (ending an operation, saying what became of a step) is asked by `overlays::Question`.

pub mod config;
pub mod diagnostic;
mod draw;
pub mod event;
mod filter;
pub mod format;
pub mod keymap;
pub mod layout;
mod link;
mod list;
mod listing;
mod look;
mod model;
mod overlays;
mod query;
pub mod screen;
mod text_field;
mod text_lines;
pub mod theme;
mod toast;
mod update;
mod views;
mod widgets;

pub use config::{UiConfig, UiOptions};
pub use diagnostic::Diagnostic;
pub use draw::{draw, draw_linked};
pub use keymap::KeymapSet;
pub use link::Linked;
pub use model::Model;
pub use theme::{ColourDepth, ThemeSet};
pub use update::update;

/// The picture that the tests of views and `tests/frames.rs` share.
#[cfg(test)]
#[allow(dead_code, reason = "each of the two uses a part of it")]
mod sample {
    extern crate self as styrmin;
    include!("../tests/support/sample.rs");
}

/// The plans that the tests of dialogs, `tests/frames.rs` and `tests/random_keys.rs` share.
#[cfg(test)]
#[allow(dead_code, reason = "each of them uses a part of it")]
mod plan_samples {
    extern crate self as styrmin;
    include!("../tests/support/plans.rs");
}

/// The backups that the tests of views, `tests/frames.rs` and `tests/random_keys.rs` share.
#[cfg(test)]
#[allow(dead_code, reason = "each of them uses a part of it")]
mod backup_samples {
    extern crate self as styrmin;
    include!("../tests/support/backups.rs");
}

/// The routes that the tests of views, `tests/frames.rs` and `tests/random_keys.rs` share.
#[cfg(test)]
#[allow(dead_code, reason = "each of them uses a part of it")]
mod route_samples {
    extern crate self as styrmin;
    include!("../tests/support/routes.rs");
}

/// The environments that the tests of views, `tests/frames.rs` and `tests/random_keys.rs` share.
#[cfg(test)]
#[allow(dead_code, reason = "each of them uses a part of it")]
mod place_samples {
    extern crate self as styrmin;
    include!("../tests/support/places.rs");
}

/// The actions that the tests of views and `tests/frames.rs` share.
#[cfg(test)]
#[allow(dead_code, reason = "each of the two uses a part of it")]
mod action_samples {
    extern crate self as styrmin;
    include!("../tests/support/actions.rs");
}
