//! Backups: when they are made, which ones stay, and what lies in a location.

pub mod calendar;
pub mod retention;
pub mod scheduler;
pub mod sweep;

#[cfg(test)]
mod sample_tests;
