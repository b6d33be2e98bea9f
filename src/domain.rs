//! The nouns of Styrmin and the pure rules between them. No I/O, no clock reads, no randomness.

pub mod backup;
pub mod call;
pub mod canonical;
pub mod clock;
pub mod cluster;
pub mod conditions;
pub mod deployment;
pub mod diff;
pub mod drift;
pub mod driver;
pub mod environment;
pub mod health;
pub mod intent;
pub mod labels;
pub mod names;
pub mod object;
pub mod operation;
pub mod parameters;
pub mod plan;
pub mod problem;
pub mod route;
pub mod secret;
pub mod suggest;
pub mod text;
pub mod version;
mod words;
pub mod world;

pub use clock::{Clock, ManualClock, SystemClock};
pub use cluster::{ClusterKind, ClusterRecord};
pub use deployment::{
    ComponentOverride, Deployment, DeploymentDraft, DeploymentId, DesiredPhase, Instance, InstanceState,
};
pub use drift::{Drift, DriftMode};
pub use driver::{DriverRef, DriverSpec, DriverVersion};
pub use environment::{DedicatedIngress, Environment};
pub use health::{Cause, Health, Verdict};
pub use intent::{Intent, Preview, Resolution, Volumes};
pub use object::{ObjectKey, ObjectSummary, Role};
pub use operation::{
    ActionRequest, Operation, OperationId, OperationKind, OperationState, OperationView, StepRecord,
    StepState,
};
pub use plan::{Plan, Step};
pub use problem::Problem;
pub use secret::{SecretReference, SecretText, TypedSecrets};
pub use world::World;
