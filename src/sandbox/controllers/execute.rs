//! Carrying out what a controller wants, through the API.

use serde_json::{Value, json};

use super::object::{list, name, text, uid};
use super::routes::{Controller, Key};
use super::write::{Note, Outcome, Target, Write, set_condition};
use super::{ingress, volumes};
use crate::sandbox::api::{Api, DeleteOptions, Propagation};
use crate::sandbox::status::Status;

/// Creates the default storage class and the default ingress class, unless they are there.
pub fn make_classes(api: &Api) {
    let classes =
        [(volumes::CLASSES, volumes::default_class()), (ingress::CLASSES, ingress::default_class())];
    for (resource, class) in classes {
        if let Err(status) = api.create(resource, class, "kube-controller-manager")
            && status.code != 409
        {
            tracing::warn!(resource, %status.message, "a default class could not be created");
        }
    }
}

/// Does the writes of one key in order. Answers the message of the first refusal; after a refused creation no further one is
/// tried, the other writes are.
pub fn execute(api: &Api, key: &Key, outcome: Outcome) -> Option<String> {
    let hand = Hand { api, key };
    let mut refusal: Option<String> = None;
    for write in outcome.writes {
        let creates = matches!(write, Write::Create { .. });
        if creates && refusal.is_some() {
            continue;
        }
        if let Err(status) = hand.carry_out(write) {
            tracing::debug!(?key, %status.message, "a controller's write was refused");
            refusal.get_or_insert(status.message);
        }
    }
    refusal
}

struct Hand<'a> {
    api: &'a Api,
    key: &'a Key,
}

impl Hand<'_> {
    fn manager(&self) -> &'static str {
        if self.key.controller == Controller::Scheduler {
            "kube-scheduler"
        } else {
            "kube-controller-manager"
        }
    }

    fn carry_out(&self, write: Write) -> Result<(), Status> {
        match write {
            Write::Create { resource, object, note } => self.create(resource, object, note),
            Write::Merge { target, patch } => {
                self.edit(&target, false, |object| json_patch::merge(object, &patch))
            }
            Write::Status { target, status } => self.edit(&target, true, |object| object["status"] = status),
            Write::Condition { target, condition } => {
                let now = self.api.now();
                self.edit(&target, true, |object| {
                    let mut conditions = list(object, "/status/conditions").to_vec();
                    set_condition(&mut conditions, condition, now, &[]);
                    object["status"]["conditions"] = json!(conditions);
                })
            }
            Write::Delete { target, note } => self.delete(&target, note),
            Write::Event(note) => {
                self.tell(&note, &note.message);
                Ok(())
            }
        }
    }

    fn create(&self, resource: &str, object: Value, note: Option<Note>) -> Result<(), Status> {
        match self.api.create(resource, object, self.manager()) {
            Ok(created) => {
                if let Some(note) = note {
                    self.tell(&note, &format!("{}{}", note.message, name(&created)));
                }
                Ok(())
            }
            // the namespace goes, and its content with it: nothing is to be made or told
            Err(status) if is_terminating(&status) => Ok(()),
            Err(status) => {
                if let Some(note) = note {
                    let failed = Note { warning: true, reason: "FailedCreate", ..note };
                    self.tell(&failed, &format!("Error creating: {}", status.message));
                }
                Err(status)
            }
        }
    }

    /// Changes the main resource or the status, unless the object is gone or a namesake has taken its place.
    fn edit(&self, target: &Target, status: bool, change: impl FnOnce(&mut Value)) -> Result<(), Status> {
        let guarded = |object: &mut Value| {
            if uid(object) == target.uid {
                change(object);
            }
        };
        let (resource, namespace, name) = (target.resource, &target.namespace, &target.name);
        let result = if status {
            self.api.mutate_status(resource, namespace, name, self.manager(), guarded)
        } else {
            self.api.mutate(resource, namespace, name, self.manager(), guarded)
        };
        result.map(|_| ())
    }

    fn delete(&self, target: &Target, note: Option<Note>) -> Result<(), Status> {
        let options = DeleteOptions {
            propagation: Some(Propagation::Background),
            uid: Some(target.uid.clone()),
            ..DeleteOptions::default()
        };
        match self.api.delete(target.resource, &target.namespace, &target.name, &options) {
            Ok(_) => {
                if let Some(note) = note {
                    self.tell(&note, &note.message);
                }
                Ok(())
            }
            // gone, or another under the same name
            Err(status) if matches!(status.code, 404 | 409) => Ok(()),
            Err(status) => Err(status),
        }
    }

    fn tell(&self, note: &Note, message: &str) {
        let component = self.key.controller.component();
        self.api.record_event(&note.about, note.warning, note.reason, message, component);
    }
}

fn is_terminating(status: &Status) -> bool {
    status.code == 404
        || list(&status.details, "/causes")
            .iter()
            .any(|cause| text(cause, "/reason") == "NamespaceTerminating")
}
