//! Admission of the built-in kinds: the defaults that a real server fills in, and what it refuses.
//!
//! Cluster addresses are the API's ([`super::api`]); service accounts, priorities and node tolerations, which a real server's admission
//! plugins add to pods, are left out.

mod defaults;
mod names;
mod new_pod;
mod validate;

#[cfg(test)]
mod tests;

pub use defaults::default_object;
pub use new_pod::complete_new_pod;
pub use validate::{validate, validate_metadata};
