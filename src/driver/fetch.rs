//! Where drivers and charts come from: git, OCI registries, HTTP repositories; and what was fetched before, kept by its digest.
//!
//! Everything that comes from outside is bounded in size and time, and checked against its digest where there is one. User
//! names, passwords and tokens never reach a record, a log or a message.

mod http;
mod login;
mod url;

#[cfg(test)]
mod tests;
