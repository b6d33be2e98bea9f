//! Getting a container's image, or failing to.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{Runner, ordered};
use crate::sandbox::images::{self, Image, KnownImage};
use crate::sandbox::kubelet::backoff::Delays;
use crate::sandbox::kubelet::scene::Scene;
use crate::sandbox::object;

/// How long the plain error is shown before it is called a back-off.
const PULL_ERROR_SHOWN: Duration = Duration::from_secs(1);

/// Why there is no image.
enum Refusal {
    /// The reference cannot be read.
    Name(String),
    /// Pulling fails.
    Pull(String),
}

impl Runner {
    /// The image: `Some(None)` when it is simulated, `None` when ordered to stop meanwhile. An image that cannot be pulled is
    /// tried again, more and more seldom, and at once when the pod changes.
    pub(super) async fn pull(&mut self) -> Option<Option<KnownImage>> {
        let mut delays = Delays::new(self.node.options.back_off);
        loop {
            // before anything is read of the pod: a change after that wakes the wait for the next try
            self.pod.mark_unchanged();
            let scene = self.scene();
            let image = object::text(&self.specification(), "/image").to_owned();
            self.record.update(&self.name, |state| state.image.clone_from(&image));
            let refused = match find(&image, &scene) {
                Ok(found) => {
                    if let Some(found) = found {
                        let present = format!("Container image \"{image}\" already present on machine");
                        let message = match found.instead() {
                            Some(what) => format!("{present}: the sandbox runs {what} for it"),
                            None => present,
                        };
                        self.event(false, "Pulled", &message);
                    }
                    return Some(found);
                }
                Err(refused) => refused,
            };
            let retry = self.node.after(PULL_ERROR_SHOWN + delays.retry());
            if !self.tell(&image, &refused).await || !self.rest_or_edit(retry, &scene, &image).await {
                return None;
            }
        }
    }

    /// Says why there is no image; false when ordered to stop meanwhile.
    async fn tell(&mut self, image: &str, refused: &Refusal) -> bool {
        match refused {
            Refusal::Name(why) => {
                let message = format!(
                    "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": {why}"
                );
                self.event(true, "InspectFailed", &message);
                self.event(true, "Failed", "Error: InvalidImageName");
                self.wait_state("InvalidImageName", &message);
                true
            }
            Refusal::Pull(why) => {
                let message = format!("failed to pull image \"{image}\": {why}");
                self.event(false, "Pulling", &format!("Pulling image \"{image}\""));
                self.event(true, "Failed", &format!("Failed to pull image \"{image}\": {why}"));
                self.event(true, "Failed", "Error: ErrImagePull");
                let shown = self.node.after(PULL_ERROR_SHOWN);
                self.wait_state("ErrImagePull", &message);
                if !self.rest_until(shown).await {
                    return false;
                }
                let text = format!("Back-off pulling image \"{image}\": ErrImagePull: {message}");
                self.wait_state("ImagePullBackOff", &text);
                self.event(false, "BackOff", &format!("Back-off pulling image \"{image}\""));
                self.event(true, "Failed", "Error: ImagePullBackOff");
                true
            }
        }
    }

    /// Waits, at most until the image or the scene is another one; false when ordered to stop.
    async fn rest_or_edit(&mut self, deadline: Timestamp, before: &Scene, image: &str) -> bool {
        loop {
            tokio::select! {
                () = self.node.sleep_until(deadline) => return true,
                () = ordered(&mut self.stop) => return false,
                _ = self.pod.changed() => {
                    if object::text(&self.specification(), "/image") != image || self.scene() != *before {
                        return true;
                    }
                }
            }
        }
    }

    /// What the container plays.
    pub(super) fn scene(&self) -> Scene {
        let pod: std::sync::Arc<Value> = self.record.pod();
        Scene::of(&pod, &self.name, self.role)
    }
}

/// `Ok(None)`: nothing is known about the image.
fn find(image: &str, scene: &Scene) -> Result<Option<KnownImage>, Refusal> {
    if let Some(why) = images::malformed(image) {
        return Err(Refusal::Name(why.to_owned()));
    }
    if let Some(why) = &scene.pull_error {
        return Err(Refusal::Pull(why.clone()));
    }
    match images::find(image) {
        Image::NoSuchTag => Err(Refusal::Pull("manifest unknown: there is no such tag".to_owned())),
        Image::Known(known) => Ok(Some(known)),
        Image::Unknown => Ok(None),
    }
}
