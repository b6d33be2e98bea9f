//! Random values that are always the same: drawn from the deployment's seed and from the place of the call.

use jiff::Timestamp;

/// A deployment's seed, and where in the templates the call under way stands.
pub struct Draw {
    /// Kept in a Secret of the deployment.
    pub seed: [u8; 32],
    /// When the seed was made: certificates begin then, so that rendering them again gives the same ones.
    pub born: Timestamp,
    /// The place of the call: the template that is rendered and the names of the definitions that it goes through.
    pub place: String,
}

impl Draw {
    /// Begins a rendering.
    pub fn new(seed: [u8; 32], born: Timestamp) -> Self {
        Self { seed, born, place: String::new() }
    }
}
