//! The API server for pods alone: where nobody asked for a served sandbox, their accounts can come in all the same.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Credentials, Door, Limits, ServeError};
use crate::sandbox::{Sandbox, SandboxError, SandboxOptions};

impl Sandbox {
    /// As [`Sandbox::start`], with a door that only pods are told of. It has a token and an authority of its own that nothing is kept
    /// of; who is let in is whoever has the token of a ServiceAccount. A sandbox without that door is still one.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub async fn start_for_pods(options: SandboxOptions) -> Result<Self, SandboxError> {
        let now = options.clock.now();
        let door = match Door::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), None).await {
            Ok(door) => door,
            Err(error) => {
                closed(&error);
                return Self::start(options).await;
            }
        };
        let mut sandbox = Self::start_reachable(options, Some(door.address())).await?;
        let opened = Credentials::fresh(now)
            .and_then(|credentials| sandbox.serve(door, &credentials, Limits::of_this_process()));
        if let Err(error) = opened {
            closed(&error);
        }
        Ok(sandbox)
    }
}

fn closed(error: &ServeError) {
    tracing::warn!(%error, "pods cannot reach the API server of the sandbox");
}
