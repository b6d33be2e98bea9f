//! Host names, routes and URLs of external services, and whether they answer. Pure, but for [`probe`].

pub mod certificate;
pub mod hosts;
pub mod probe;
pub mod render;
pub mod url;

pub use hosts::{Hosts, hosts};
pub use render::{Route, render};
pub use url::url;
